"""The guard on what notifiers connect to, and the end of a conversation that takes too long.

Libraries of many authors talk to the network here (smtplib, requests, what Apprise brings). What they have in common is
the interpreter, which announces every connect with the address that is connected to, after the name was resolved:
https://docs.python.org/3/library/audit_events.html. So it is judged there, on every hop, in whatever thread it is.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from statusapp.probes.guard import Guard, Refused

# Not of a thread: Apprise hands its work, with the context, to threads of its own.
_current: ContextVar[Passage | None] = ContextVar("passage", default=None)
_installing = threading.Lock()
_installed = False


class Passage:
    """The connections of one sending. They can be cut from another thread."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.refused: str | None = None
        self._lock = threading.Lock()
        self._is_cut = False
        self._sockets: list[socket.socket] = []

    def admit(self, opened: socket.socket, address: Any) -> None:
        """Let a socket connect to an address.

        Raises:
            Refused: when it must not.
        """
        if opened.family not in (socket.AF_INET, socket.AF_INET6):
            return
        try:
            self.guard.check(str(address[0]))
        except Refused as error:
            self.refused = str(error)
            # Nobody else does: libraries expect only the system's errors here.
            opened.close()
            raise
        with self._lock:
            if self._is_cut:
                opened.close()
                raise Refused("the time for this message is over")
            # A duplicate, because the library may give its own away (to TLS) or close it, and its number be given anew.
            self._sockets.append(opened.dup())

    def cut(self) -> None:
        """End all connections: whoever waits on one gets an error at once."""
        with self._lock:
            self._is_cut = True
            for held in self._sockets:
                try:
                    held.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # It was not connected yet, or is closed already.

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()


@contextmanager
def guarded(passage: Passage) -> Iterator[None]:
    """While this lasts, all connections made here go through `passage`."""
    _install()
    token = _current.set(passage)
    try:
        yield
    finally:
        _current.reset(token)
        passage.close()


def _install() -> None:
    global _installed  # noqa: PLW0603 - a hook cannot be taken out again, so it is put in once and only when needed
    with _installing:
        if not _installed:
            sys.addaudithook(_hook)
            _installed = True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    passage = _current.get()
    if passage is not None:
        passage.admit(arguments[0], arguments[1])
