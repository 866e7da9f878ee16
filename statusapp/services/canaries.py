"""Canaries: targets that are always up. When they fail as well, it is the monitor that is cut off, not the service."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from statusapp.clock import now_us
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.tcp import TcpOptions

logger = logging.getLogger(__name__)

TIMEOUT_MS = 3000
# For so long a verdict holds for failures that come after it.
FRESH_S = 1.0
# While the network is cut, the canaries are asked again so often, so that its return is seen without a failure.
LOOK_AGAIN_S = 5.0
# What a cut network looks like from here.
NETWORK_ERRORS = (ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.TIMEOUT)
CUT_OFF = "the monitor itself is cut off: none of the canary targets can be reached"


class _CanaryKey:
    """The key of a canary's probe."""


class Canaries:
    """Stands between the probes and who takes their results; holds failures back until the canaries have answered.

    Args:
        addresses: tcp:// addresses; none for no canaries.
        deliver: takes a result that may be believed.
        cut_off_since: what the job before this one knew, so that a cut network is told of once and not once a window.
    """

    def __init__(
        self,
        addresses: tuple[str, ...],
        deliver: Callable[[Any, ProbeResult], None],
        cut_off_since: int | None = None,
    ) -> None:
        self._targets = [Target(address, TIMEOUT_MS, options=TcpOptions()) for address in addresses]
        self._deliver = deliver
        self._start: Callable[[Any, Target], None] | None = None
        self._held: list[tuple[Any, ProbeResult]] = []
        self._awaited = 0
        self._reached = 0
        self._judged_at = float("-inf")
        self.cut_off_since = cut_off_since if addresses else None

    def probe_with(self, start: Callable[[Any, Target], None]) -> None:
        """Say what begins a probe; its result must come to `finished`."""
        self._start = start

    def finished(self, key: Any, result: ProbeResult) -> None:
        """Take a result of a probe."""
        if isinstance(key, _CanaryKey):
            self._canary_finished(result)
        elif not self._targets or not _looks_cut_off(result):
            if self.cut_off_since is not None and time.monotonic() - self._judged_at > LOOK_AGAIN_S:
                self._ask()
            self._deliver(key, result)
        elif not self._awaited and time.monotonic() - self._judged_at < FRESH_S:
            self._judge(key, result)
        else:
            self._held.append((key, result))
            self._ask()

    def _ask(self) -> None:
        """Probe the canaries, unless that is being done."""
        if self._start is None or self._awaited:
            return
        self._awaited, self._reached = len(self._targets), 0
        for target in self._targets:
            self._start(_CanaryKey(), target)

    def _canary_finished(self, result: ProbeResult) -> None:
        self._awaited -= 1
        self._reached += result.outcome in (Outcome.OK, Outcome.SLOW)
        if self._awaited:
            return
        self._judged_at = time.monotonic()
        if self._reached and self.cut_off_since is not None:
            logger.warning("the monitor's network is back")
            self.cut_off_since = None
        elif not self._reached and self.cut_off_since is None:
            logger.error(CUT_OFF)
            self.cut_off_since = now_us()
        held, self._held = self._held, []
        for item in held:
            self._judge(*item)

    def _judge(self, key: Any, result: ProbeResult) -> None:
        if self.cut_off_since is not None:
            result.outcome, result.error_kind = Outcome.INTERNAL_ERROR, ErrorKind.INTERNAL
            result.error = f"{CUT_OFF} ({result.error})"
        self._deliver(key, result)


def _looks_cut_off(result: ProbeResult) -> bool:
    return result.outcome is Outcome.FAILED and result.error_kind in NETWORK_ERRORS
