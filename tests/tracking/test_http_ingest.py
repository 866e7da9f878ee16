"""Batches over HTTP to a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from statusapp.tracking import HttpIngest, RequestTracking, TrackingOptions, TransportError
from statusapp.tracking.wire import Batch, decode_batch, encode_batch
from tests.instance import free_port, wait_for
from tests.tracking.collecting import answer_with, ask

DOCUMENT = encode_batch(Batch("shop", "web-1"))


class Server:
    """Answers every POST with `status`, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 202
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append((self.path, dict(self.headers), body))
                self.send_response(server.status)
                self.send_header("Location", f"http://127.0.0.1:{server.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server to send to."""
    server = Server()
    yield server
    server.stop()


def test_a_batch_is_posted_with_the_token(server: Server) -> None:
    tracking = RequestTracking(
        answer_with(), HttpIngest(f"http://127.0.0.1:{server.port}/sub/", "hunter"), TrackingOptions("shop")
    )
    ask(tracking)
    assert tracking.flush(10)
    ((path, headers, body),) = server.requests
    assert path == "/sub/health/api/ingest/requests"
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer hunter", "application/json")
    assert "Content-Encoding" not in headers
    assert decode_batch(body).service == "shop"


def test_a_deflated_batch_says_so(server: Server) -> None:
    document = encode_batch(Batch("x" * 64, "y" * 64, records=[]))
    big = RequestTracking(answer_with(), HttpIngest(f"http://127.0.0.1:{server.port}", "hunter"))
    for _ in range(100):
        ask(big)
    assert big.flush(10)
    _, headers, body = server.requests[-1]
    assert headers["Content-Encoding"] == "deflate"
    assert len(decode_batch(body).records) == 100
    assert document[:1] == b"{"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (400, True), (401, True), (403, True), (413, True), (301, True), (307, True),
        (408, False), (429, False), (500, False), (503, False),
    ],
)  # fmt: skip
def test_what_the_server_says_decides(server: Server, status: int, permanent: bool) -> None:
    server.status = status
    with pytest.raises(TransportError, match=f"the server answers {status}") as caught:
        HttpIngest(f"http://127.0.0.1:{server.port}", "hunter").send(DOCUMENT)
    assert caught.value.permanent == permanent
    assert len(server.requests) == 1  # No redirect was followed.
    assert "hunter" not in str(caught.value)


def test_a_server_that_is_away_is_worth_another_try() -> None:
    with pytest.raises(TransportError) as caught:
        HttpIngest(f"http://127.0.0.1:{free_port()}", "hunter").send(DOCUMENT)
    assert not caught.value.permanent


def test_refused_batches_are_counted_and_told_of_when_the_token_is_right_again(server: Server) -> None:
    server.status = 401
    tracking = RequestTracking(
        answer_with(), HttpIngest(f"http://127.0.0.1:{server.port}", "hunter"), TrackingOptions(flush_s=0.05)
    )
    ask(tracking)
    wait_for(lambda: tracking.dropped == 1, 10)
    server.status = 200
    ask(tracking)
    assert tracking.flush(10)
    assert decode_batch(server.requests[-1][2]).dropped == 1


def test_proxies_of_the_environment_get_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    HttpIngest(f"http://127.0.0.1:{server.port}", "hunter").send(DOCUMENT)
    assert len(server.requests) == 1
