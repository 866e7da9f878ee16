"""The kinds that are not HTTP: coroutines on an asyncio loop in a thread of its own, begun when one is needed."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from statusapp.domain.assessment import assess, scrub_result
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.connecting import ProbeFailed, words
from statusapp.probes.guard import Guard, Refused
from statusapp.probes.kind import Probe

Key = TypeVar("Key")

# One thread for each look-up that hangs, so that a slow resolver holds up nobody else.
LOOK_UPS = 2000
# What only our own side can have caused: no descriptor, no port, no memory left on this machine.
_INTERNAL_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


class SideLoop(Generic[Key]):
    """Probes in flight. `wake` is called from the loop's thread when a result waits for `take`."""

    def __init__(self, guard: Guard, wake: Callable[[], None]) -> None:
        self._guard = guard
        self._wake = wake
        self._ended: deque[tuple[Key, ProbeResult]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._executor: ThreadPoolExecutor | None = None
        self.in_flight = 0

    def start(self, key: Key, target: Target, probe: Probe) -> None:
        """Begin one probe."""
        loop = self._loop or self._begin()
        self.in_flight += 1
        loop.call_soon_threadsafe(self._spawn, loop, self._run(key, target, probe))

    def take(self) -> list[tuple[Key, ProbeResult]]:
        """The results that have come in."""
        taken = [self._ended.popleft() for _ in range(len(self._ended))]
        self.in_flight -= len(taken)
        return taken

    def close(self) -> None:
        """Break off what is in flight, without a result."""
        if self._loop is None or self._thread is None or self._executor is None:
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        # A look-up cannot be broken off; its thread ends with it.
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = loop = asyncio.new_event_loop()
        self._executor = ThreadPoolExecutor(LOOK_UPS, "look-up")
        loop.set_default_executor(self._executor)
        self._thread = threading.Thread(target=loop.run_forever, name="check-kinds", daemon=True)
        self._thread.start()
        return loop

    def _spawn(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cancel_all(self) -> None:
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: Key, target: Target, probe: Probe) -> None:
        result = ProbeResult(time.time_ns() // 1000, Outcome.OK)
        began = time.monotonic()
        try:
            async with asyncio.timeout(target.timeout_ms / 1000):
                observation = await probe(target, result, self._guard)
            result.total_us = int((time.monotonic() - began) * 1e6)
            if observation is not None:
                observation.total_us = result.total_us
                assess(result, observation, target.expected)
        except Exception as error:
            result.total_us = int((time.monotonic() - began) * 1e6)
            _fail(result, error, target)
        scrub_result(result, target.secrets)
        self._ended.append((key, result))
        self._wake()


def _fail(result: ProbeResult, error: Exception, target: Target) -> None:
    """What went wrong, and whose fault it is. An error that nobody foresaw is ours."""
    result.outcome, result.error = Outcome.FAILED, str(error)
    if isinstance(error, TimeoutError):
        result.error_kind, result.error = ErrorKind.TIMEOUT, f"no answer within {target.timeout_ms / 1000:g} s"
    elif isinstance(error, Refused):
        result.error_kind = ErrorKind.REFUSED
    elif isinstance(error, OSError) and error.errno not in _INTERNAL_ERRNOS and error.errno is not None:
        result.error_kind, result.error = ErrorKind.CONNECT, words(error)
    elif isinstance(error, ProbeFailed) and error.kind is not ErrorKind.INTERNAL:
        result.error_kind = error.kind
    else:
        result.outcome, result.error_kind = Outcome.INTERNAL_ERROR, ErrorKind.INTERNAL
        result.error = f"{type(error).__name__}: {error}"
