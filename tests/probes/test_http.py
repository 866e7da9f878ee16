"""HTTP probes against real servers, most of them hostile: whatever a target does is a result, in time."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import Expectations, ProbeResult, Target
from statusapp.probes.http import MAX_BODY_BYTES, HttpProbes

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def probe_all(targets: list[Target], patience_s: float = 5) -> list[ProbeResult]:
    """Make these probes at once; their results in the order of the targets."""
    results: dict[int, ProbeResult] = {}
    probes: HttpProbes[int] = HttpProbes("test", lambda key, result: results.update({key: result}))
    try:
        for key, target in enumerate(targets):
            probes.start(key, target)
        deadline = time.monotonic() + patience_s
        while probes.in_flight and time.monotonic() < deadline:
            probes.poll(0.1)
        assert not probes.in_flight, "a probe outlasts its deadline"
    finally:
        probes.close()
    return [results[key] for key in range(len(targets))]


def probe(url: str, method: str = "GET", timeout_ms: int = 2000, codes: str = "200-299") -> ProbeResult:
    """Make one probe."""
    return probe_all([Target(url, timeout_ms, method, Expectations(codes))])[0]


def test_a_good_answer_has_its_phases_peer_and_size(serve: Any, answer: Any) -> None:
    before = time.time_ns() // 1000
    result = probe(serve(answer(OK)).address)
    assert (result.outcome, result.error_kind, result.error, result.status_code) == (
        Outcome.OK,
        ErrorKind.NONE,
        None,
        200,
    )
    assert before <= result.started_at <= time.time_ns() // 1000
    assert result.connect_us is not None
    assert result.wait_us is not None
    assert result.transfer_us is not None
    assert result.tls_us is None
    phases = (result.dns_us or 0) + result.connect_us + result.wait_us + result.transfer_us
    assert 0 < phases <= result.total_us < 2_000_000
    assert result.size == 2
    assert result.peer == ipaddress.ip_address("127.0.0.1").packed


def test_ipv6(serve: Any, answer: Any) -> None:
    try:
        server = serve(answer(OK), socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    result = probe(server.address)
    assert result.outcome is Outcome.OK
    assert result.peer == ipaddress.ip_address("::1").packed


def test_a_status_code_that_is_not_expected_is_said(serve: Any, answer: Any) -> None:
    result = probe(serve(answer(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")).address)
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.STATUS_CODE)
    assert (result.status_code, result.error) == (503, "HTTP 503, expected 200-299")


def test_redirects_are_not_followed(serve: Any, answer: Any) -> None:
    server = serve(answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
    assert probe(server.address, codes="302").outcome is Outcome.OK


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_every_method_is_sent_as_it_is(serve: Any, answer: Any, method: str) -> None:
    requests: list[bytes] = []
    body = b"" if method == "HEAD" else b"ok"
    server = serve(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body, requests))
    assert probe(server.address + "/a?b=c", method).outcome is Outcome.OK
    head = requests[0].decode().split("\r\n")
    assert head[0] == f"{method} /a?b=c HTTP/1.1"
    assert "User-Agent: test" in head
    assert ("Content-Length: 0" in head) == (method in ("POST", "PUT", "PATCH"))


def test_each_probe_is_a_connection_of_its_own(serve: Any, answer: Any) -> None:
    requests: list[bytes] = []
    server = serve(answer(OK, requests))
    results = probe_all([Target(server.address, 2000)] * 3)
    assert all(result.connect_us is not None and result.outcome is Outcome.OK for result in results)
    assert len(requests) == 3


def test_nobody_listens(serve: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = probe(f"http://127.0.0.1:{port}/")
    assert (result.outcome, result.error_kind, result.status_code) == (Outcome.FAILED, ErrorKind.CONNECT, None)
    assert (result.connect_us, result.wait_us, result.transfer_us) == (None, None, None)


def test_a_name_that_does_not_exist() -> None:
    result = probe("http://nowhere.invalid/", timeout_ms=3000)
    assert (result.outcome, result.error_kind) in ((Outcome.FAILED, ErrorKind.DNS), (Outcome.FAILED, ErrorKind.TIMEOUT))
    assert result.connect_us is None


def hostile(name: str, hang: Any, drip: Any, answer: Any) -> Callable[[socket.socket], None]:
    """A behaviour by its name."""
    return {
        "never answers": hang,
        "drips its head": drip(b"HTTP/1.1 200 OK\r\nX-Long: "),
        "drips its body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
        "sends headers for ever": drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.0005),
        "sends hints for ever": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.002),
    }[name]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "name",
    ["never answers", "drips its head", "drips its body", "sends headers for ever", "sends hints for ever"],
)
def test_nothing_outlasts_the_deadline(serve: Any, hang: Any, drip: Any, answer: Any, name: str) -> None:
    server = serve(hostile(name, hang, drip, answer))
    started = time.monotonic()
    result = probe(server.address, timeout_ms=250)
    assert time.monotonic() - started < 5
    assert result.outcome is Outcome.FAILED
    # libcurl gives up on a head that is too long before the deadline comes.
    assert result.error_kind in (ErrorKind.TIMEOUT, ErrorKind.PROTOCOL)
    if result.error_kind is ErrorKind.TIMEOUT:
        assert result.error == "no complete answer within 0.25 s"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1\2rubbish\xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    ],
    ids=["nothing", "rubbish", "too short"],
)
def test_an_answer_that_is_none(serve: Any, answer: Any, data: bytes) -> None:
    result = probe(serve(answer(data)).address)
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.PROTOCOL)
    assert result.error


def test_a_big_body_is_broken_off_and_judged_by_what_came(serve: Any) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while sent < 1_000_000_000:
            sent += connection.send(b"x" * 65536)

    result = probe(serve(flood).address)
    assert (result.outcome, result.status_code) == (Outcome.OK, 200)
    assert result.size is not None
    assert MAX_BODY_BYTES < result.size < MAX_BODY_BYTES + 100_000
    assert sent < 20_000_000


def test_tls_that_is_none_or_not_trusted_is_said(serve: Any, tmp_path: Path) -> None:
    plain = serve(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    result = probe(plain.address.replace("http://", "https://"))
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.TLS)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out",
         tmp_path / "cert", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    def handshake(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)

    result = probe(serve(handshake).address.replace("http://", "https://"))
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.CERTIFICATE)
    assert "certificate" in str(result.error).lower()


def test_proxies_of_the_environment_are_not_used(serve: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert probe(serve(answer(OK)).address).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("url", "method", "codes"),
    [
        ("http://127.0.0.1:1/", "GET /x", "200"),
        ("http://127.0.0.1:1/", "GET", "nonsense"),
        ("http://127.0.0.1:99999/", "GET", "200"),
        ("file:///etc/passwd", "GET", "200"),
        ("gopher://127.0.0.1:1/", "GET", "200"),
    ],
)
def test_what_we_cannot_even_ask_is_our_own_trouble(url: str, method: str, codes: str) -> None:
    result = probe(url, method, codes=codes)
    assert (result.outcome, result.error_kind) == (Outcome.INTERNAL_ERROR, ErrorKind.INTERNAL)
    assert result.error


def test_hundreds_at_once_and_the_slow_delay_nobody(serve: Any, answer: Any, hang: Any) -> None:
    good, bad = serve(answer(OK)), serve(hang)
    targets = [Target((good, bad)[number % 2].address, 600) for number in range(200)]
    results = probe_all(targets)
    assert {result.outcome for result in results[::2]} == {Outcome.OK}
    assert {result.error_kind for result in results[1::2]} == {ErrorKind.TIMEOUT}
    assert max(result.total_us for result in results[1::2]) < 1_500_000


def test_wake_ends_a_poll_from_another_thread() -> None:
    probes: HttpProbes[int] = HttpProbes("test", lambda _key, _result: None)
    timer = threading.Timer(0.05, probes.wake)
    timer.start()
    started = time.monotonic()
    probes.poll(5)
    assert time.monotonic() - started < 4
    timer.join()
    probes.close()


def test_closing_breaks_off_without_a_result(serve: Any, hang: Any) -> None:
    results: list[ProbeResult] = []
    probes: HttpProbes[int] = HttpProbes("test", lambda _key, result: results.append(result))
    probes.start(1, Target(serve(hang).address, 5000))
    probes.poll(0.05)
    probes.close()
    assert results == []
