"""Targets for probes: real servers on loopback that do exactly one thing, most of them wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

Behaviour = Callable[[socket.socket], None]


class Server:
    """Accepts connections and lets `behaviour` have each, in a thread of its own."""

    def __init__(self, behaviour: Behaviour, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.requests: list[bytes] = []
        self.ended = threading.Event()
        self._behaviour = behaviour
        self._listener = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)
        self._listener.listen(512)
        self.port = int(self._listener.getsockname()[1])
        self.address = f"http://{'[::1]' if family == socket.AF_INET6 else '127.0.0.1'}:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            self._behaviour(connection)

    def stop(self) -> None:
        """Close everything."""
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server with a behaviour; it stops after the test."""
    servers: list[Server] = []

    def start(behaviour: Behaviour, family: socket.AddressFamily = socket.AF_INET) -> Server:
        servers.append(Server(behaviour, family))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def read_request(connection: socket.socket) -> bytes:
    """Read the head of a request."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    return data


@pytest.fixture
def answer() -> Callable[..., Behaviour]:
    """A behaviour: read the request, send these bytes, close."""

    def make(data: bytes, requests: list[bytes] | None = None) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            request = read_request(connection)
            if requests is not None:
                requests.append(request)
            connection.sendall(data)

        return behave

    return make


@pytest.fixture
def drip() -> Callable[..., Behaviour]:
    """A behaviour: send a beginning, then one byte after the other for as long as somebody reads."""

    def make(beginning: bytes, byte: bytes = b"x", pause_s: float = 0.02) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(beginning)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                connection.sendall(byte)
                time.sleep(pause_s)

        return behave

    return make


@pytest.fixture
def hang() -> Behaviour:
    """A behaviour: read and never answer."""

    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    return behave
