"""The body of a request on its way to the application: counted, its beginning kept in memory until the request ends.

What is kept is for one purpose: if the request fails, the error's message must not repeat it. It is never recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

KEPT_BYTES = 16 * 1024
# What streams of Python's own have beside the methods of PEP 3333.
_FROM = ("read1", "readall")
_INTO = ("readinto", "readinto1")


class BodyTap:
    """Stands in for `wsgi.input` (PEP 3333). Whatever else a server's own stream can do is passed on to it."""

    __slots__ = ("_inner", "_kept", "count")

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._kept = bytearray()
        self.count = 0

    def read(self, *size: Any) -> bytes:
        """As the stream's own."""
        return self._seen(self._inner.read(*size))

    def readline(self, *size: Any) -> bytes:
        """As the stream's own."""
        return self._seen(self._inner.readline(*size))

    def readlines(self, *hint: Any) -> list[bytes]:
        """As the stream's own."""
        return [self._seen(line) for line in self._inner.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        for line in self._inner:
            yield self._seen(line)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in _INTO:
            return partial(self._seen_into, method)
        return partial(self._seen_from, method) if name in _FROM else method

    @property
    def beginning(self) -> bytes:
        """The first KEPT_BYTES of what was read."""
        return bytes(self._kept)

    def _seen_from(self, method: Callable[..., bytes], *arguments: Any) -> bytes:
        return self._seen(method(*arguments))

    def _seen_into(self, method: Callable[[Any], int | None], buffer: Any) -> int | None:
        count = method(buffer)
        if count:
            self._seen(bytes(memoryview(buffer)[:count]))
        return count

    def _seen(self, data: bytes) -> bytes:
        if data:
            self.count += len(data)
            room = KEPT_BYTES - len(self._kept)
            if room > 0:
                self._kept += data[:room]
        return data
