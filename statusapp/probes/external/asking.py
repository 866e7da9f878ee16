"""Asking all services at once, none of them for longer than the deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import DEADLINE_S, LONGEST_MESSAGE, ExternalResult, Target


def ask_all(targets: Sequence[Target], deadline_s: float = DEADLINE_S) -> dict[str, ExternalResult]:
    """How each service was found, by name, after `deadline_s` seconds at the latest.

    Each is asked in a thread of its own. One that hangs, in a look-up of a name or on a server that drips its answer,
    cannot be ended and is left behind: it dies with the process, and costs nobody anything until then.
    """
    found: dict[str, ExternalResult] = {}
    # A result that comes too late goes into a dictionary that nobody reads any more.
    threads = [
        threading.Thread(target=_ask, args=(target, found), name=f"external {target.name}", daemon=True)
        for target in targets
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + deadline_s
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    late = ExternalResult(ExternalStatus.UNKNOWN, f"nothing certain within {deadline_s:g} s")
    return {target.name: found.get(target.name, late) for target in targets}


def _ask(target: Target, found: dict[str, ExternalResult]) -> None:
    try:
        result = target.ask()
    except Exception as error:
        # A mistake of ours in one file of this folder leaves the other services alone.
        result = ExternalResult(ExternalStatus.UNKNOWN, f"it could not be asked ({type(error).__name__})")
    found[target.name] = ExternalResult(result.status, result.message[:LONGEST_MESSAGE], result.duration_us)
