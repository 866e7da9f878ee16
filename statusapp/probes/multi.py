"""libcurl's multi interface on epoll: any number of transfers at once in one thread."""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable
from typing import Any

import pycurl

_EPOLL_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


class Multi:
    """Transfers in flight. `ended` is told each handle that is through, with libcurl's code (0: well) and message."""

    def __init__(self, ended: Callable[[Any, int, str], None]) -> None:
        self._ended = ended
        self._deadline: float | None = None
        self._count = 0
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._multi = multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def wake(self) -> None:
        """End a `poll` that is waiting. May be called from another thread or a signal handler."""
        os.eventfd_write(self._wake_fd, 1)

    def add(self, handle: pycurl.Curl) -> None:
        """Begin a transfer."""
        self._count += 1
        self._multi.add_handle(handle)

    def remove(self, handle: pycurl.Curl) -> None:
        """Take out a transfer that is through or to be broken off."""
        self._count -= 1
        self._multi.remove_handle(handle)

    def poll(self, timeout: float) -> None:
        """Move all transfers on; wait for `timeout` seconds at most when there is nothing to do."""
        if self._deadline is not None:
            timeout = min(timeout, self._deadline - time.monotonic())
        for descriptor, events in self._epoll.poll(max(timeout, 0.0)):
            if descriptor == self._wake_fd:
                os.eventfd_read(descriptor)
                continue
            mask = (
                (pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0)
                | (pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0)
                | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0)
            )
            self._multi.socket_action(descriptor, mask)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if self._count:
            self._collect()

    def close(self) -> None:
        """End; what is in flight must have been removed."""
        self._multi.close()
        self._epoll.close()
        os.close(self._wake_fd)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            try:
                self._epoll.unregister(descriptor)
            except OSError as error:
                # libcurl may have closed the socket already, and with it the kernel has forgotten the descriptor.
                if error.errno not in (errno.ENOENT, errno.EBADF):
                    raise
            return
        events = _EPOLL_EVENTS[what]
        try:
            self._epoll.register(descriptor, events)
        except FileExistsError:
            self._epoll.modify(descriptor, events)

    def _set_timer(self, timeout_ms: int) -> None:
        self._deadline = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    def _collect(self) -> None:
        while True:
            queued, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._ended(handle, 0, "")
            for handle, code, message in failed:
                self._ended(handle, code, message)
            if not queued:
                return
