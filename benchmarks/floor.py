"""The floor: what bare libcurl costs for the same probes, with the same options and at the same pace.

Run as `python -m benchmarks.floor URL RATE COUNT [CERTIFICATE]`; prints CPU microseconds per probe.
"""

from __future__ import annotations

import select
import sys
import time
from pathlib import Path

import pycurl


def main(url: str, rate: float, count: int, authority: str) -> None:
    """Make `count` probes, `rate` a second (0: as fast as 50 at a time go), and print the CPU time of each."""
    epoll = select.epoll()
    deadline = [0.0]
    multi = pycurl.CurlMulti()

    def watch(what: int, descriptor: int, *_: object) -> None:
        if what == pycurl.POLL_REMOVE:
            try:
                epoll.unregister(descriptor)
            except OSError:
                pass  # The kernel forgot it when libcurl closed it.
            return
        events = {1: select.EPOLLIN, 2: select.EPOLLOUT, 3: select.EPOLLIN | select.EPOLLOUT}[what]
        try:
            epoll.register(descriptor, events)
        except FileExistsError:
            epoll.modify(descriptor, events)

    def set_timer(timeout_ms: int) -> None:
        deadline[0] = time.monotonic() + timeout_ms / 1000 if timeout_ms >= 0 else 0.0

    multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
    multi.setopt(pycurl.M_TIMERFUNCTION, set_timer)
    idle = [_handle(authority) for _ in range(50)]
    started = done = 0
    begin_cpu, begin = time.process_time(), time.monotonic()
    while done < count:
        now = time.monotonic()
        while idle and started < count and (not rate or now - begin >= started / rate):
            handle = idle.pop()
            handle.setopt(pycurl.URL, url)
            handle.setopt(pycurl.TIMEOUT_MS, 10000)
            multi.add_handle(handle)
            started += 1
        pause = begin + started / rate - now if rate and started < count else 1.0
        if deadline[0]:
            pause = min(pause, deadline[0] - now)
        for descriptor, events in epoll.poll(max(pause, 0)):
            multi.socket_action(descriptor, (1 if events & 1 else 0) | (2 if events & 4 else 0))
        if deadline[0] and time.monotonic() >= deadline[0]:
            deadline[0] = 0.0
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        _, succeeded, failed = multi.info_read()
        assert not failed, failed
        for handle in succeeded:
            for name in ("RESPONSE_CODE", "TOTAL_TIME_T", "NAMELOOKUP_TIME_T", "CONNECT_TIME_T", "APPCONNECT_TIME_T"):
                handle.getinfo(getattr(pycurl, name))
            handle.getinfo(pycurl.STARTTRANSFER_TIME_T), handle.getinfo(pycurl.PRIMARY_IP)
            multi.remove_handle(handle)
            idle.append(handle)
            done += 1
    print((time.process_time() - begin_cpu) * 1e6 / count)


def _handle(authority: str) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.FRESH_CONNECT, 1)
    handle.setopt(pycurl.FORBID_REUSE, 1)
    handle.setopt(pycurl.DNS_CACHE_TIMEOUT, 0)
    handle.setopt(pycurl.WRITEFUNCTION, lambda _data: None)
    handle.setopt(pycurl.ENCODING, "")
    if authority:
        handle.setopt(pycurl.CAINFO_BLOB, Path(authority).read_text())
    return handle


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), (*sys.argv[4:], "")[0])
