"""The engine: probes of every kind in flight at once, started and collected by one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.guard import Guard
from statusapp.probes.http import MAX_BODY_BYTES, HttpProbes, internal_error
from statusapp.probes.kinds import kind_of
from statusapp.probes.side_loop import SideLoop

Key = TypeVar("Key")


class Probes(Generic[Key]):
    """Probes in flight, each with a key of the caller's. Not for use by several threads, but for `wake`.

    Call `start` for each probe and `poll` in a loop; each end is told to `finished` with key and result.
    """

    def __init__(
        self,
        user_agent: str,
        finished: Callable[[Key, ProbeResult], None],
        guard: Guard | None = None,
        body_limit: int = MAX_BODY_BYTES,
    ) -> None:
        guard = guard or Guard()
        self._finished = finished
        self._http: HttpProbes[Key] = HttpProbes(user_agent, finished, guard, body_limit)
        self._side: SideLoop[Key] = SideLoop(guard, self._http.wake)
        self.wake = self._http.wake

    @property
    def in_flight(self) -> int:
        """How many probes have begun and not ended."""
        return self._http.in_flight + self._side.in_flight

    def start(self, key: Key, target: Target, probe_id: str = "-") -> None:
        """Begin one probe. What is wrong with the target becomes its result."""
        if target.problem is not None:
            self._finished(key, internal_error(target.problem))
            return
        try:
            kind = kind_of(target.url)
        except ValueError as error:
            self._finished(key, internal_error(str(error)))
            return
        if kind.probe is None:
            self._http.start(key, target, probe_id)
        else:
            self._side.start(key, target, kind.probe)

    def poll(self, timeout: float) -> None:
        """Move all probes on; wait for `timeout` seconds at most when there is nothing to do."""
        self._http.poll(timeout)
        if self._side.in_flight:
            for key, result in self._side.take():
                self._finished(key, result)

    def close(self) -> None:
        """Break off what is in flight, without a result."""
        self._side.close()
        self._http.close()
