"""Connections of the kinds that are not HTTP: look-up, judgement of the address, connect, with the phases."""

from __future__ import annotations

import asyncio
import os
import socket
import time

from statusapp.domain.enums import ErrorKind
from statusapp.domain.values import ProbeResult
from statusapp.probes.guard import Guard, Refused


class ProbeFailed(Exception):
    """The target has not done what is expected of it."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


async def connect(host: str, port: int, result: ProbeResult, guard: Guard) -> socket.socket:
    """A connected socket to one of the host's addresses, tried in their order.

    Raises:
        ProbeFailed: when the name or the connection fails.
        Refused: when no address of the host may be connected to.
    """
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ProbeFailed(ErrorKind.DNS, f"{host} cannot be resolved: {words(error)}") from error
    resolved = time.monotonic()
    result.dns_us = _us(resolved - began)
    failure: Exception = ProbeFailed(ErrorKind.DNS, f"{host} has no address")
    for family, kind, protocol, _, address in found:
        try:
            connection = guard.open_socket(family, kind, protocol, address)
        except Refused as error:
            failure = error
            continue
        try:
            connection.setblocking(False)
            await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            failure = ProbeFailed(ErrorKind.CONNECT, f"{address[0]} port {port}: {words(error)}")
            continue
        except BaseException:
            connection.close()
            raise
        result.connect_us = _us(time.monotonic() - resolved)
        result.peer = socket.inet_pton(family, str(address[0]).partition("%")[0])
        return connection
    raise failure


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)


def words(error: BaseException) -> str:
    """What the system says of an error, without what Python adds to it."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
