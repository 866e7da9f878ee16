"""HTTP probes: any number at once in one thread, on one libcurl multi handle driven by epoll.

libcurl and not `requests`, because it costs a tenth of the CPU, has one deadline for a whole transfer and reports the
phases. Every probe is a fresh connection with a fresh look-up of the name: what is measured is what a new visitor gets.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import pycurl

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.values import HttpTarget, ProbeResult

Key = TypeVar("Key")

MAX_BODY_BYTES = 256 * 1024
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}")  # A token of RFC 9110, 5.6.2.

_ERROR_KINDS = {
    pycurl.E_COULDNT_RESOLVE_HOST: ErrorKind.DNS,
    pycurl.E_COULDNT_CONNECT: ErrorKind.CONNECT,
    pycurl.E_OPERATION_TIMEDOUT: ErrorKind.TIMEOUT,
    pycurl.E_SSL_CONNECT_ERROR: ErrorKind.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: ErrorKind.TLS,
    pycurl.E_SSL_CIPHER: ErrorKind.TLS,
    pycurl.E_SSL_INVALIDCERTSTATUS: ErrorKind.TLS,
}
# What only our own side can have caused: no memory, no certificates of ours, an address we were given wrong.
_INTERNAL_ERRORS = {
    pycurl.E_FAILED_INIT,
    pycurl.E_OUT_OF_MEMORY,
    pycurl.E_BAD_FUNCTION_ARGUMENT,
    pycurl.E_INTERFACE_FAILED,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_URL_MALFORMAT,
}
# The same for a connection that could not even be tried: no descriptor, no port, no memory left on this machine.
_INTERNAL_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}

_EPOLL_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


class _Transfer(Generic[Key]):
    """One libcurl handle and the probe that it is making; handles are used again for the same method."""

    __slots__ = ("handle", "key", "received", "started_at", "started_mono", "target")

    key: Key
    target: HttpTarget

    def __init__(self, method: str, user_agent: str) -> None:
        self.handle = handle = pycurl.Curl()
        self.received = 0
        self.started_at = 0
        self.started_mono = 0.0
        handle.setopt(pycurl.NOSIGNAL, 1)  # SIGALRM belongs to RQ.
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.DNS_CACHE_TIMEOUT, 0)
        handle.setopt(pycurl.PROXY, "")  # Not the proxy that some environment variable names.
        handle.setopt(pycurl.USERAGENT, user_agent)
        handle.setopt(pycurl.WRITEFUNCTION, self._receive)
        if method == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        elif method in ("POST", "PUT", "PATCH"):
            handle.setopt(pycurl.POSTFIELDS, "")
        if method not in ("GET", "HEAD", "POST"):
            handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.transfer = self

    def _receive(self, data: bytes) -> int | None:
        self.received += len(data)
        # Returning 0 breaks the transfer off: enough has been read to judge the answer.
        return 0 if self.received > MAX_BODY_BYTES else None


class HttpProbes(Generic[Key]):
    """Probes in flight, each with a key of the caller's. Not for use by several threads, but for `wake`.

    Call `start` for each probe and `poll` in a loop; each end is told to `finished` with key and result.
    """

    def __init__(self, user_agent: str, finished: Callable[[Key, ProbeResult], None]) -> None:
        self._user_agent = user_agent
        self._finished = finished
        self._idle: dict[str, list[_Transfer[Key]]] = {}
        self._in_flight: set[_Transfer[Key]] = set()
        self._deadline: float | None = None
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._multi = multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def in_flight(self) -> int:
        """How many probes have begun and not ended."""
        return len(self._in_flight)

    def wake(self) -> None:
        """End a `poll` that is waiting. May be called from another thread or a signal handler."""
        os.eventfd_write(self._wake_fd, 1)

    def start(self, key: Key, target: HttpTarget) -> None:
        """Begin one probe. What is wrong with the target becomes its result."""
        now = time.time_ns() // 1000
        try:
            transfer = self._transfer_for(target)
        except (ValueError, pycurl.error) as error:
            self._finished(key, _internal_error(now, str(error)))
            return
        transfer.key = key
        transfer.target = target
        transfer.received = 0
        transfer.started_at = now
        transfer.started_mono = time.monotonic()
        self._in_flight.add(transfer)
        self._multi.add_handle(transfer.handle)

    def poll(self, timeout: float) -> None:
        """Move all probes on; wait for `timeout` seconds at most when there is nothing to do."""
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
        if self._in_flight:
            self._collect()

    def close(self) -> None:
        """Break off what is in flight, without a result."""
        for transfer in self._in_flight:
            self._multi.remove_handle(transfer.handle)
            transfer.handle.close()
        self._in_flight.clear()
        self._multi.close()
        self._epoll.close()
        os.close(self._wake_fd)

    def _transfer_for(self, target: HttpTarget) -> _Transfer[Key]:
        if not METHOD.fullmatch(target.method):
            raise ValueError(f"{target.method!r} is not an HTTP method")
        # Checked here because libcurl has one error for this and for an answer that is not HTTP.
        if not target.url.lower().startswith(("http://", "https://")):
            raise ValueError(f"{target.url!r} is not an http or https address")
        parse_status_codes(target.expected_status_codes)
        idle = self._idle.setdefault(target.method, [])
        transfer: _Transfer[Key] = idle.pop() if idle else _Transfer(target.method, self._user_agent)
        transfer.handle.setopt(pycurl.URL, target.url.encode())
        transfer.handle.setopt(pycurl.TIMEOUT_MS, target.timeout_ms)
        return transfer

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
                self._end(handle.transfer, 0, "")
            for handle, code, message in failed:
                self._end(handle.transfer, code, message)
            if not queued:
                return

    def _end(self, transfer: _Transfer[Key], code: int, message: str) -> None:
        result = _result(transfer, code, message)
        self._multi.remove_handle(transfer.handle)
        self._in_flight.discard(transfer)
        self._idle[transfer.target.method].append(transfer)
        self._finished(transfer.key, result)


def _result(transfer: _Transfer[Key], code: int, message: str) -> ProbeResult:
    """What a transfer that has ended amounts to."""
    if code == pycurl.E_WRITE_ERROR and transfer.received > MAX_BODY_BYTES:
        code = 0
    handle, info = transfer.handle, transfer.handle.getinfo
    result = ProbeResult(transfer.started_at, Outcome.OK)
    _read_phases(result, info)
    result.size = transfer.received
    peer = info(pycurl.PRIMARY_IP)
    if peer:
        result.peer = socket.inet_pton(socket.AF_INET6 if ":" in peer else socket.AF_INET, peer)
    status_code = info(pycurl.RESPONSE_CODE)
    result.status_code = status_code or None
    if code:
        _fail(result, code, message, handle, transfer.target)
    elif status_code not in parse_status_codes(transfer.target.expected_status_codes):
        result.outcome = Outcome.FAILED
        result.error_kind = ErrorKind.STATUS_CODE
        result.error = f"HTTP {status_code}, expected {transfer.target.expected_status_codes}"
    return result


def _read_phases(result: ProbeResult, info: Callable[[int], int]) -> None:
    """Turn libcurl's times since the start into lengths; a phase that was not reached stays None."""
    result.total_us = info(pycurl.TOTAL_TIME_T)
    resolved = info(pycurl.NAMELOOKUP_TIME_T)
    connected = info(pycurl.CONNECT_TIME_T)
    secured = info(pycurl.APPCONNECT_TIME_T)
    answered = info(pycurl.STARTTRANSFER_TIME_T)
    if resolved:
        result.dns_us = resolved
    if connected:
        result.connect_us = connected - resolved
    if secured:
        result.tls_us = secured - connected
    if connected and answered:
        result.wait_us = answered - (secured or connected)
        result.transfer_us = result.total_us - answered


def _fail(result: ProbeResult, code: int, message: str, handle: pycurl.Curl, target: HttpTarget) -> None:
    """Say what went wrong, and whose fault it is."""
    own_fault = code in _INTERNAL_ERRORS or handle.getinfo(pycurl.OS_ERRNO) in _INTERNAL_ERRNOS
    result.outcome = Outcome.INTERNAL_ERROR if own_fault else Outcome.FAILED
    result.error_kind = ErrorKind.INTERNAL if own_fault else _ERROR_KINDS.get(code, ErrorKind.PROTOCOL)
    if result.error_kind is ErrorKind.TIMEOUT:
        result.error = f"no complete answer within {target.timeout_ms / 1000:g} s"
    else:
        result.error = message or f"libcurl error {code}"


def _internal_error(now: int, message: str) -> ProbeResult:
    return ProbeResult(now, Outcome.INTERNAL_ERROR, ErrorKind.INTERNAL, message)
