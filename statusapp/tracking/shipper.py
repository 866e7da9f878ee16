"""The buffer between requests and the transport, and the thread that empties it.

Requests append and go on: they never wait, and nothing that goes wrong here reaches them. Every process has a buffer
and a thread of its own; a process that is forked from one with records in its buffer begins with an empty one.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from typing import NamedTuple

from statusapp.tracking.packing import Packer
from statusapp.tracking.records import Noted
from statusapp.tracking.transports import Transport, TransportError
from statusapp.tracking.wire import MAX_RECORDS

logger = logging.getLogger("statusapp.tracking")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
# How long the end of a process may take for what still waits.
EXIT_S = 1.0
# When no thread can be started, this long until the next try.
START_AGAIN_S = 1.0


class _Pending(NamedTuple):
    """A batch on its way."""

    document: bytes
    records: int
    dropped: int


class Shipper:
    """Takes what requests note and ships it in batches. Safe to use from any number of threads."""

    def __init__(self, packer: Packer, transport: Transport, buffer_size: int, flush_s: float) -> None:
        """Starts nothing: the thread begins with the first record of each process."""
        self._packer = packer
        self._transport = transport
        self._size = buffer_size
        self._flush_s = flush_s
        self._wake_every = min(MAX_RECORDS, buffer_size // 2)
        self._reset()
        _shippers.add(self)

    def _reset(self) -> None:
        """Begin anew: at first, and in a process that has been forked. What waits is the parent's to ship."""
        self._buffer: deque[Noted] = deque()
        self._wake = threading.Event()
        self._counting = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._start_at = 0.0
        self._dropped = 0
        self._pending: _Pending | None = None
        self._is_busy = False
        self._hurry = False
        self._failures = 0
        self._pause = 0.0
        self._try_at = 0.0
        self._transport.reset()

    def add(self, noted: Noted) -> None:
        """Note a request, or count it as dropped when the buffer is full."""
        waiting = len(self._buffer)
        if waiting >= self._size:
            self.count_dropped()
            return
        self._buffer.append(noted)
        if self._thread is None:
            self._start()
        elif waiting % self._wake_every == self._wake_every - 1:
            self._wake.set()

    def count_dropped(self, count: int = 1) -> None:
        """Records were lost."""
        with self._counting:
            self._dropped += count

    @property
    def waiting(self) -> int:
        """How many records are not shipped yet."""
        pending = self._pending
        return len(self._buffer) + (pending.records if pending is not None else 0)

    @property
    def dropped(self) -> int:
        """How many records were lost that no batch has told of yet."""
        pending = self._pending
        return self._dropped + (pending.dropped if pending is not None else 0)

    def flush(self, timeout_s: float = EXIT_S) -> bool:
        """Have everything shipped now, without a pause after a failure before.

        Returns:
            Whether that was done; False when `timeout_s` seconds were not enough, or the transport took nothing.
        """
        deadline, failures = time.monotonic() + timeout_s, self._failures
        self._hurry = True
        try:
            while self._thread is not None and (self.waiting or self.dropped or self._is_busy):
                if time.monotonic() >= deadline or self._failures != failures:
                    return False
                self._wake.set()
                time.sleep(0.002)
        finally:
            self._hurry = False
        return not self.waiting and not self.dropped

    def close(self, timeout_s: float = EXIT_S) -> bool:
        """Flush, end the thread and let go of connections. The next record would begin all of it again."""
        is_done = self.flush(timeout_s)
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.set()
            thread.join(timeout_s)
        self._transport.close()
        return is_done

    def pause(self) -> float:
        """How many seconds the thread may sleep now."""
        return max(self._flush_s, self._try_at - time.monotonic())

    def work(self) -> None:
        """What the thread does each time it wakes up: ship, unless a failure was only just now."""
        if not self._hurry and time.monotonic() < self._try_at:
            return
        self._is_busy = True
        try:
            self._ship()
        except Exception:
            # A fault of ours: what it was about is lost, the rest goes on.
            logger.exception("a batch of request records was lost")
        finally:
            self._is_busy = False

    def is_kept_by(self, thread: threading.Thread) -> bool:
        """Whether this is the thread that ships; else it may end."""
        return self._thread is thread

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None or time.monotonic() < self._start_at:
                return
            arguments = (weakref.ref(self), self._wake)
            self._thread = threading.Thread(target=_run, args=arguments, name="statusapp-tracking", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                self._thread, self._start_at = None, time.monotonic() + START_AGAIN_S
                logger.warning("requests are recorded but cannot be shipped: %s", error)

    def _ship(self) -> None:
        """Ship all that waits, or as much as the transport takes."""
        while self._pending is not None or self._buffer or self._dropped:
            if self._pending is None:
                self._pack()
            if not self._send():
                return

    def _pack(self) -> None:
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        packed = self._packer.pack(self._buffer, dropped, hurry=self._hurry)
        self._pending = _Pending(packed.document, packed.records, dropped)
        self.count_dropped(packed.lost)

    def _send(self) -> bool:
        """Whether the pending batch was taken."""
        pending = self._pending
        assert pending is not None  # noqa: S101 - for the type checker
        try:
            self._transport.send(pending.document)
        except Exception as error:
            is_refused = isinstance(error, TransportError) and error.permanent
            if not self._pause:
                logger.warning("request records %s: %s", "are refused" if is_refused else "cannot be shipped", error)
            if is_refused:
                self._pending = None
                self.count_dropped(pending.records + pending.dropped)
            self._failures += 1
            # Also after a refusal: the next batch would likely fare the same.
            self._pause = min(max(self._pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            self._try_at = time.monotonic() + self._pause
            return False
        if self._pause:
            logger.warning("request records are shipped again; %d were lost", pending.dropped + self._dropped)
        self._pending, self._pause, self._try_at = None, 0.0, 0.0
        return True


def _run(reference: weakref.ref[Shipper], wake: threading.Event) -> None:
    """The thread. It holds nothing while it sleeps, so that an application that is thrown away takes it along."""
    this = threading.current_thread()
    while (shipper := reference()) is not None and shipper.is_kept_by(this):
        pause = shipper.pause()
        del shipper
        wake.wait(pause)
        wake.clear()
        if (shipper := reference()) is not None:
            shipper.work()


_shippers: weakref.WeakSet[Shipper] = weakref.WeakSet()


def _reset_all() -> None:
    for shipper in list(_shippers):
        shipper._reset()


def _flush_all() -> None:
    """At the end of a process: what waits is shipped, within EXIT_S in all."""
    deadline = time.monotonic() + EXIT_S
    for shipper in list(_shippers):
        shipper.flush(max(deadline - time.monotonic(), 0))


os.register_at_fork(after_in_child=_reset_all)
atexit.register(_flush_all)
