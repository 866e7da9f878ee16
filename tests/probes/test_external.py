"""External services against real servers: each way of answering has its status, and no message holds a secret."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external import REGISTRY
from statusapp.probes.external.africastalking import API, SANDBOX_API, api_of, ask_africastalking
from statusapp.probes.external.asking import ask_all
from statusapp.probes.external.service import ExternalResult, Target, answered
from statusapp.probes.external.smtp import ask_smtp
from statusapp.probes.external.statuspage import ask_statuspage
from statusapp.probes.external.twilio import ask_twilio
from statusapp.probes.external.web import LARGEST_BODY, ask
from tests.probes.certificates import Authority
from tests.probes.conftest import Behaviour, Server, read_request

OK, DEGRADED, DOWN, UNKNOWN = ExternalStatus.OK, ExternalStatus.DEGRADED, ExternalStatus.DOWN, ExternalStatus.UNKNOWN
SID, TOKEN = "AC" + "0" * 32, "t0ken-of-twilio"
DEADLINE_S = 1.0
Serve = Callable[..., Server]
Answers = Callable[..., Behaviour]


def response(code: int, body: Any = None, headers: str = "") -> bytes:
    """An answer of an HTTP server; a body that is no bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {code} X\r\nContent-Length: {len(data)}\r\n{headers}\r\n".encode() + data


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("code", "body", "status", "message"),
    [
        (200, {"status": "active"}, OK, "the account is active"),
        (200, {"status": "suspended"}, DOWN, "the account is suspended"),
        (200, {"status": 7}, UNKNOWN, "not understood"),
        (200, ["active"], UNKNOWN, "not understood"),
        (200, b"<html>", UNKNOWN, "not understood"),
        (401, {}, UNKNOWN, "the credentials are refused (401)"),
        (404, {}, UNKNOWN, "not known there"),
        (429, {}, UNKNOWN, "too often"),
        (418, {}, UNKNOWN, "418, which is not expected"),
        (503, b"", DOWN, "it answers 503"),
    ],
)
def test_twilio(serve: Serve, answer: Answers, code: int, body: Any, status: ExternalStatus, message: str) -> None:
    requests: list[bytes] = []
    server = serve(answer(response(code, body), requests))
    result = ask_twilio(SID, TOKEN, server.address)
    assert (result.status, message in result.message) == (status, True), result
    assert result.duration_us is not None
    assert result.duration_us > 0
    (request,) = requests
    assert request.startswith(f"GET /2010-04-01/Accounts/{SID}.json ".encode())
    assert b"Authorization: Basic " in request
    assert TOKEN not in result.message
    assert SID not in result.message


def test_africas_talking(serve: Serve, answer: Answers) -> None:
    requests: list[bytes] = []
    server = serve(answer(response(200, {"UserData": {"balance": "KES 5"}}), requests))
    result = ask_africastalking("shop & co", "k3y", server.address)
    assert (result.status, result.message) == (OK, "the application is known")
    assert requests[0].startswith(b"GET /version1/user?username=shop%20%26%20co ")
    assert b"apiKey: k3y\r\n" in requests[0]
    refused = serve(answer(response(401, b"The supplied authentication is invalid")))
    assert ask_africastalking("shop", "k3y", refused.address).message == "the credentials are refused (401)"
    odd = serve(answer(response(200, {"error": "x"})))
    assert ask_africastalking("shop", "k3y", odd.address).status is UNKNOWN
    assert (api_of("sandbox"), api_of("shop")) == (SANDBOX_API, API)


@pytest.mark.parametrize(
    ("indicator", "status"),
    [("none", OK), ("minor", DEGRADED), ("maintenance", DEGRADED), ("major", DOWN), ("critical", DOWN), ("?", UNKNOWN)],
)
def test_statuspages(serve: Serve, answer: Answers, indicator: str, status: ExternalStatus) -> None:
    requests: list[bytes] = []
    body = {"page": {"name": "Hub"}, "status": {"indicator": indicator, "description": "Some\n\x1b[31m words" * 30}}
    result = ask_statuspage(serve(answer(response(200, body), requests)).address)
    assert result.status is status
    assert requests[0].startswith(b"GET /api/v2/status.json ")
    if status is not UNKNOWN:
        assert result.message.startswith("Some [31m words")
        assert len(result.message) <= 200


@pytest.mark.parametrize("body", [{}, [], {"status": "none"}, {"status": {"indicator": ["none"]}}, b"no JSON"])
def test_a_statuspage_that_is_not_understood_says_nothing(serve: Serve, answer: Answers, body: Any) -> None:
    assert ask_statuspage(serve(answer(response(200, body))).address).status is UNKNOWN


def test_a_statuspage_that_is_away_says_nothing_of_its_service(serve: Serve, answer: Answers) -> None:
    assert ask_statuspage(f"http://127.0.0.1:{unused_port()}").status is UNKNOWN
    assert ask_statuspage(serve(answer(response(503, b""))).address).status is UNKNOWN


def test_ways_of_not_answering(serve: Serve, answer: Answers, drip: Answers, hang: Behaviour) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    cases = [
        (f"http://127.0.0.1:{unused_port()}", DOWN, "refuses connections"),
        ("http://no-such-host.invalid", UNKNOWN, "its name is not found"),
        (serve(answer(b"")).address, DOWN, "breaks the connection off"),
        (serve(answer(head + b"{")).address, DOWN, "breaks the connection off"),
        (serve(answer(b"220 mail.example.org\r\n\r\n")).address, DOWN, "no HTTP"),
        (serve(hang).address, DOWN, "does not answer"),
        (serve(drip(head)).address, DOWN, "has no end"),
    ]
    for address, status, message in cases:
        started = time.monotonic()
        result = ask_twilio(SID, TOKEN, address, deadline_s=DEADLINE_S)
        assert (result.status, message in result.message) == (status, True), (address, result)
        assert time.monotonic() - started < DEADLINE_S + 0.5
        assert SID not in result.message


def test_an_answer_is_read_up_to_a_size(serve: Serve) -> None:
    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    found = ask(serve(flood).address)
    assert not isinstance(found, ExternalResult)
    assert len(found.body) == LARGEST_BODY
    assert found.json() is None


def test_redirects_are_followed_on_the_same_host_only(serve: Serve, answer: Answers) -> None:
    requests: list[bytes] = []
    other = serve(answer(response(200, {"status": "active"}), requests))
    away = serve(answer(response(302, b"", f"Location: {other.address}/\r\n")))
    assert ask_twilio(SID, TOKEN, away.address).message == "it redirects to another address"
    assert requests == []

    def behave(connection: socket.socket) -> None:
        there = b"GET /there " in read_request(connection)
        connection.sendall(
            response(200, {"status": "active"}, "Connection: close\r\n")
            if there
            else response(307, b"", "Location: /there\r\nConnection: close\r\n")
        )

    assert ask_twilio(SID, TOKEN, serve(behave).address).status is OK
    circle = serve(answer(response(301, b"", "Location: /\r\nConnection: close\r\n")))
    assert ask_twilio(SID, TOKEN, circle.address).message == "it redirects in a circle"


def test_the_environments_proxy_and_netrc_are_not_used(
    serve: Serve, answer: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    requests: list[bytes] = []
    server = serve(answer(response(200, {"status": {"indicator": "none"}}), requests))
    assert ask_statuspage(server.address).status is OK
    assert b"Authorization" not in requests[0]


def test_a_late_answer_is_degraded() -> None:
    assert answered("ready", 5_000_000) == ExternalResult(OK, "ready", 5_000_000)
    assert answered("ready", 5_100_000) == ExternalResult(DEGRADED, "ready after 5.1 s", 5_100_000)


# The one pair that is right, as it is and as it stands in an address.
LOGIN, PASSWORD = b"me@example.org", b"p:ss/w rd"
CREDENTIALS = "me%40example.org:p%3Ass%2Fw%20rd"


def judge(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword) -> AuthResult:
    """Whether a password is right."""
    return AuthResult(success=(data.login, data.password) == (LOGIN, PASSWORD), handled=False)


@pytest.fixture
def mail() -> Iterator[Callable[..., str]]:
    """Start a real SMTP server; gives its host and port."""
    servers: list[Controller] = []

    def start(**options: Any) -> str:
        servers.append(Controller(Sink(), hostname="127.0.0.1", port=unused_port(), **options))
        servers[-1].start()
        return f"127.0.0.1:{servers[-1].port}"

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who has signed the servers' certificates."""
    return Authority()


@pytest.fixture
def server_tls(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1."""
    return authority.issue().context(tmp_path, "mail")


@pytest.fixture
def client_tls(authority: Authority) -> ssl.SSLContext:
    """Who accepts it."""
    return ssl.create_default_context(cadata=authority.pem)


def test_mail_without_a_password(mail: Callable[..., str]) -> None:
    result = ask_smtp(f"smtp://{mail()}")
    assert (result.status, result.message) == (OK, "ready for mail")
    assert result.duration_us is not None


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_with_encryption_and_a_password(
    mail: Callable[..., str], server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, scheme: str
) -> None:
    context = {"tls_context": server_tls} if scheme == "smtp" else {"ssl_context": server_tls}
    # This server does not count encryption from the start as encryption.
    place = mail(**context, authenticator=judge, auth_require_tls=scheme == "smtp", require_starttls=scheme == "smtp")
    right = ask_smtp(f"{scheme}://{CREDENTIALS}@{place}", client_tls)
    assert (right.status, right.message) == (OK, "ready for mail")
    wrong = ask_smtp(f"{scheme}://me%40example.org:hunter2@{place}", client_tls)
    assert (wrong.status, wrong.message) == (UNKNOWN, "the credentials are refused (535)")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_server_with_a_certificate_that_is_not_accepted(
    serve: Serve, server_tls: ssl.SSLContext, scheme: str
) -> None:
    def behave(connection: socket.socket) -> None:
        if scheme == "smtp":
            connection.sendall(b"220 hello\r\n")
            connection.recv(1000)
            connection.sendall(b"250-hello\r\n250 STARTTLS\r\n")
            connection.recv(1000)
            connection.sendall(b"220 go on\r\n")
        server_tls.wrap_socket(connection, server_side=True)

    result = ask_smtp(f"{scheme}://127.0.0.1:{serve(behave).port}")
    assert (result.status, "certificate" in result.message) == (DOWN, True), result


def test_no_password_goes_out_in_the_clear(mail: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def note(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=True)

    place = mail(authenticator=note, auth_require_tls=False)
    assert ask_smtp(f"smtp://me:hunter2@{place}").status is OK  # To this very machine it may.
    assert seen == [b"hunter2"]
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named))
    result = ask_smtp(f"smtp://me:hunter2@mail.example.org:{place.rpartition(':')[2]}")
    assert (result.status, result.message) == (UNKNOWN, "it offers no encryption, so the password was not sent")
    assert seen == [b"hunter2"]


def test_a_mail_server_without_passwords(mail: Callable[..., str]) -> None:
    result = ask_smtp(f"smtp://me:hunter2@{mail()}")
    assert (result.status, "no way of signing in" in result.message) == (UNKNOWN, True)


def test_ways_of_a_mail_server_to_be_away(serve: Serve, hang: Behaviour) -> None:
    def say(text: bytes) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            connection.sendall(text)
            connection.recv(1000)

        return behave

    cases = [
        (f"127.0.0.1:{unused_port()}", DOWN, "refuses connections"),
        ("no-such-host.invalid", UNKNOWN, "its name is not found"),
        (f"127.0.0.1:{serve(hang).port}", DOWN, "does not answer"),
        (f"127.0.0.1:{serve(say(b'554 no mail today' + bytes([13, 10]))).port}", DOWN, "it answers 554"),
        (f"127.0.0.1:{serve(say(b'421 too busy' + bytes([13, 10]))).port}", DOWN, "it answers 421"),
        (f"127.0.0.1:{serve(say(b'220 hello' + bytes([13, 10]))).port}", DOWN, "breaks the connection off"),
    ]
    for place, status, message in cases:
        result = ask_smtp(f"smtp://me:hunter2@{place}", deadline_s=DEADLINE_S)
        assert (result.status, message in result.message) == (status, True), (place, result)
        assert "hunter2" not in result.message


def test_all_are_asked_at_once_and_none_holds_up_the_others() -> None:
    fine, end = ExternalResult(OK, "fine", 1), threading.Event()

    def take(pause_s: float) -> ExternalResult:
        time.sleep(pause_s)
        return fine

    def fail() -> ExternalResult:
        raise LookupError("a secret")

    def hang() -> ExternalResult:
        end.wait(10)
        return fine

    quick = [Target(f"s{number}", partial(take, 0.2)) for number in range(8)]
    targets = [*quick, Target("bad", fail), Target("stuck", hang)]
    started = time.monotonic()
    found = ask_all(targets, deadline_s=DEADLINE_S)
    took_s = time.monotonic() - started
    end.set()
    assert took_s < DEADLINE_S + 0.3
    assert list(found) == [target.name for target in targets]
    assert all(found[target.name] == fine for target in quick)
    assert found["bad"] == ExternalResult(UNKNOWN, "it could not be asked (LookupError)")
    assert found["stuck"].status is UNKNOWN


def test_a_server_that_drips_its_head_is_given_up(serve: Serve, drip: Answers) -> None:
    server = serve(drip(b"HTTP/1.1 200 OK\r\nX: "))
    started = time.monotonic()
    found = ask_all([Target("Hub", partial(ask_statuspage, server.address))], deadline_s=DEADLINE_S)
    assert time.monotonic() - started < DEADLINE_S + 0.3
    assert found["Hub"] == ExternalResult(UNKNOWN, "nothing certain within 1 s")


def test_each_kind_is_asked_when_it_is_configured_and_only_then() -> None:
    given: dict[str, Any] = {
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
        "africastalking_username": "shop",
        "africastalking_api_key": "k3y",
        "smtp_url": "smtp://mail.example.org",
        "statuspages": ("https://www.githubstatus.com", "https://status.example.org/eu"),
    }
    names = [target.name for service in REGISTRY for target in service.targets(given)]
    assert names == [
        "Twilio", "Africa's Talking", "E-mail (SMTP)", "www.githubstatus.com", "status.example.org/eu",
    ]  # fmt: skip
    assert {option for service in REGISTRY for option in service.options} == set(given)
    nothing = {**dict.fromkeys(given), "statuspages": ()}
    assert [target for service in REGISTRY for target in service.targets(nothing)] == []
