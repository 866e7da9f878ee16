"""A table of hostile and broken servers, all probed at once beside good ones: each gets its verdict, in time."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import Expectations, ProbeResult, Target
from statusapp.probes.dns import DnsOptions
from statusapp.probes.engine import Probes
from statusapp.probes.http_options import HttpOptions
from statusapp.probes.tcp import TcpOptions
from statusapp.probes.tls import TlsOptions
from tests.probes.certificates import DAY, Authority
from tests.probes.conftest import Server, read_request

TIMEOUT_MS = 1500
GOOD_CHECKS = 60
K = ErrorKind

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Case:
    """One server: what it does, how it is asked, and which verdicts are right. Ok when there is no error kind."""

    name: str
    behaviour: Callable[[socket.socket], None] | None
    kinds: tuple[ErrorKind, ...] = ()
    url: str = "http://127.0.0.1:{port}/"
    options: Any = None
    status_codes: str = "200-299"


def say(data: bytes) -> Callable[[socket.socket], None]:
    """Read the request, send this, close."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)

    return behave


def say_and_wait(data: bytes) -> Callable[[socket.socket], None]:
    """Read the request, send this, and keep the connection open."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        time.sleep(3)

    return behave


def say_and_reset(data: bytes, *, reads: bool = True) -> Callable[[socket.socket], None]:
    """Send this and break the connection off with a reset."""

    def behave(connection: socket.socket) -> None:
        if reads:
            read_request(connection)
        connection.sendall(data)
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def repeat(start: bytes, part: bytes, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    """Send this, and then that again and again."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            connection.sendall(part)
            time.sleep(pause_s)

    return behave


def wait(connection: socket.socket) -> None:
    """Never answer."""
    while connection.recv(65536):
        pass


def ignore(_connection: socket.socket) -> None:
    """Never even read."""
    time.sleep(3)


def speak_first(connection: socket.socket) -> None:
    """Answer before being asked."""
    connection.sendall(EMPTY)
    read_request(connection)


def half_close(connection: socket.socket) -> None:
    """Send without a length, then close this direction only."""
    read_request(connection)
    connection.sendall(OK + b"\r\nhello")
    connection.shutdown(socket.SHUT_WR)
    time.sleep(1)


def in_pieces(connection: socket.socket) -> None:
    """A good answer, a few bytes at a time."""
    read_request(connection)
    for piece in (b"HTTP/1.", b"1 200 OK\r", b"\nContent-Le", b"ngth: 2\r\n\r", b"\no", b"k"):
        connection.sendall(piece)
        time.sleep(0.05)


def redirect(location: bytes, code: bytes = b"302 Found") -> Callable[[socket.socket], None]:
    """A redirect."""
    return say(b"HTTP/1.1 " + code + b"\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")


BOMB = gzip.compress(b"\0" * 50_000_000)
FOLLOW = HttpOptions(follow_redirects=5)

HTTPS, TLS, TCP = "https://127.0.0.1:{port}/", "tls://127.0.0.1:{port}", "tcp://127.0.0.1:{port}"
REDIRECT = b"HTTP/1.1 302 F\r\nContent-Length: 0\r\n\r\n"
RESET = say_and_reset(b"", reads=False)
SMTP = TcpOptions(send="\\r\\n\\r\\n", expect="220")

CASES = [
    Case("never answers", wait, (K.TIMEOUT,)),
    Case("never reads", ignore, (K.TIMEOUT,)),
    Case("closed port", None, (K.CONNECT,)),
    Case("resets at once", RESET, (K.PROTOCOL, K.CONNECT)),
    Case("resets after the request", say_and_reset(b""), (K.PROTOCOL,)),
    Case("resets in the head", say_and_reset(OK + b"Content-"), (K.PROTOCOL,)),
    Case("resets in the body", say_and_reset(OK + b"Content-Length: 100\r\n\r\nabc"), (K.PROTOCOL,)),
    Case("closes without a byte", say(b""), (K.PROTOCOL,)),
    Case("drips its head", repeat(OK + b"X: ", b"x", 0.02), (K.TIMEOUT,)),
    Case("drips its body", repeat(OK + b"Content-Length: 99999\r\n\r\n", b"x", 0.02), (K.TIMEOUT,)),
    Case("drips chunks", repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02), (K.TIMEOUT,)),
    Case("endless headers", repeat(OK, b"X-A: b\r\n" * 100), (K.TIMEOUT, K.PROTOCOL)),
    Case("giant header", say(OK + b"X: " + b"x" * 2_000_000 + b"\r\n\r\n"), (K.PROTOCOL,)),
    Case("endless body", repeat(OK + b"\r\n", b"x" * 65536)),
    Case("endless chunks", repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n")),
    Case("inflating body", say(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)),
    Case("inflates rubbish", say(OK + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!"), (K.PROTOCOL,)),
    Case(
        "inflates half",
        say(OK + b"Content-Encoding: deflate\r\nContent-Length: 9000\r\n\r\n" + zlib.compress(b"a" * 999)[:9]),
        (K.PROTOCOL,),
    ),
    Case("unknown encoding", say(OK + b"Content-Encoding: nonsense\r\nContent-Length: 2\r\n\r\nok"), (K.PROTOCOL,)),
    Case("body too short", say(OK + b"Content-Length: 9\r\n\r\nshort"), (K.PROTOCOL,)),
    Case("body too long", say(OK + b"Content-Length: 2\r\n\r\nok and more")),
    Case("negative length", say(OK + b"Content-Length: -1\r\n\r\nok"), (K.PROTOCOL,)),
    Case("length is no number", say(OK + b"Content-Length: many\r\n\r\nok"), (K.PROTOCOL,)),
    Case("bad chunk", say(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n"), (K.PROTOCOL,)),
    Case("chunks without an end", say(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), (K.PROTOCOL,)),
    Case("NUL in a header", say(OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n"), (K.PROTOCOL,)),
    Case("header without a colon", say(OK + b"nonsense\r\nContent-Length: 0\r\n\r\n"), (K.PROTOCOL,)),
    Case("bytes that are no text", say(OK + b"X: \xff\xfe\r\nContent-Length: 2\r\n\r\n\xff\xfe")),
    Case("HTTP/0.9", say(b"<html>hello</html>"), (K.PROTOCOL,)),
    Case("another protocol", say(b"SSH-2.0-OpenSSH_9.6\r\n"), (K.PROTOCOL,)),
    Case("status is no number", say(b"HTTP/1.1 abc\r\n\r\n"), (K.PROTOCOL,)),
    Case("status 999", say(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), (K.STATUS_CODE,)),
    Case("status 500", say(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), (K.STATUS_CODE,)),
    Case("early hints", say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + EMPTY)),
    Case("endless hints", repeat(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.001), (K.TIMEOUT, K.PROTOCOL)),
    Case("no content with content", say(b"HTTP/1.1 204 No Content\r\n\r\nbut here it is")),
    Case("speaks first", speak_first, (K.PROTOCOL, K.NONE)),
    Case("half-close", half_close),
    Case("in pieces", in_pieces),
    Case("stays open", say_and_wait(OK + b"Content-Length: 2\r\n\r\nok")),
    Case("stays open without a length", say_and_wait(OK + b"\r\nok"), (K.TIMEOUT,)),
    Case("redirect, not followed", redirect(b"http://127.0.0.1:1/"), (K.STATUS_CODE,)),
    Case("endless redirects", redirect(b"/again"), (K.PROTOCOL,), options=FOLLOW),
    Case("redirect to a file", redirect(b"file:///etc/passwd"), (K.REFUSED,), options=FOLLOW),
    Case("redirect to gopher", redirect(b"gopher://127.0.0.1/1"), (K.REFUSED,), options=FOLLOW),
    Case("redirect to metadata", redirect(b"http://169.254.169.254/latest"), (K.REFUSED,), options=FOLLOW),
    Case("redirect to metadata in hex", redirect(b"http://0xa9fea9fe/"), (K.REFUSED,), options=FOLLOW),
    Case("redirect to nowhere", redirect(b"http://127.0.0.1:1/", b"307 T"), (K.CONNECT,), options=FOLLOW),
    Case("redirect to no address", redirect(b"http://[::1"), (K.PROTOCOL, K.REFUSED, K.STATUS_CODE), options=FOLLOW),
    Case("redirect without a place", say(REDIRECT), (K.STATUS_CODE,), options=FOLLOW),
    Case("metadata", None, (K.REFUSED,), "http://169.254.169.254/"),
    Case("metadata as a number", None, (K.REFUSED,), "http://2852039166/"),
    Case("metadata in IPv6", None, (K.REFUSED,), "http://[::ffff:169.254.169.254]/"),
    Case("link-local", None, (K.REFUSED,), "tcp://169.254.1.1:80"),
    Case("no such name", None, (K.DNS, K.TIMEOUT), "http://nowhere.invalid/"),
    Case("no such name for TCP", None, (K.DNS, K.TIMEOUT), "tcp://nowhere.invalid:80"),
    Case("no address of that family", say(EMPTY), (K.DNS, K.CONNECT), "http://localhost:{port}/",
         HttpOptions(ip_version="6")),
    Case("TLS: plain", speak_first, (K.TLS,), HTTPS),
    Case("TLS: never shakes hands", wait, (K.TIMEOUT,), HTTPS),
    Case("TLS: resets", RESET, (K.TLS, K.PROTOCOL, K.CONNECT), HTTPS),
    Case("TLS: rubbish", repeat(b"", b"\x16\x03\x01\xff\xff" * 100, 0.1), (K.TLS, K.TIMEOUT), HTTPS),
    Case("certificate of a plain server", wait, (K.TIMEOUT,), TLS, TlsOptions()),
    Case("certificate of one that resets", RESET, (K.TLS, K.CONNECT), TLS, TlsOptions()),
    Case("TCP closed", None, (K.CONNECT,), TCP, TcpOptions()),
    Case("TCP silent", wait, (K.TIMEOUT,), TCP, TcpOptions(expect="220")),
    Case("TCP says something else", say(b"554 no\r\n"), (K.CONDITION,), TCP,
         SMTP),
    Case("TCP resets", RESET, (K.PROTOCOL, K.CONDITION, K.CONNECT), TCP, TcpOptions(expect="220")),
    Case("TCP floods", repeat(b"", b"x" * 65536), (K.CONDITION,), TCP,
         SMTP),
]  # fmt: skip


def encrypted(context: Any) -> Callable[[socket.socket], None]:
    """A server that shakes hands and answers."""

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(EMPTY)

    return behave


def certificate_cases(folder: Path) -> list[Case]:
    """Certificates that are wrong in one way each, for both kinds of check that look at them."""
    authority = Authority()
    cases = []
    for name, certificate, kinds in (
        ("good", authority.issue(), ()),
        ("expired", authority.issue(begins=-9 * DAY, ends=-DAY), (K.CERTIFICATE,)),
        ("not yet valid", authority.issue(begins=DAY), (K.CERTIFICATE,)),
        ("wrong host", authority.issue(host="127.0.0.2"), (K.CERTIFICATE,)),
        ("self-signed", authority.issue(own=True), (K.CERTIFICATE,)),
    ):
        behaviour = encrypted(certificate.context(folder, name))
        for url, options in (
            (HTTPS, HttpOptions(ca_certificate=authority.pem)),
            (TLS, TlsOptions(ca_certificate=authority.pem)),
        ):
            cases.append(Case(f"{name} certificate, {url[:5]}", behaviour, kinds, url, options))
    untrusted = authority.issue().context(folder, "untrusted")
    return [*cases, Case("unknown authority", encrypted(untrusted), (K.CERTIFICATE,), HTTPS)]


class Resolver:
    """A DNS server over UDP; `answer` turns the query into bytes, or None for silence."""

    def __init__(self, answer: Callable[[dns.message.Message], bytes | None]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._answer = answer
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(4096)
            if data == b"stop":
                return
            answer = self._answer(dns.message.from_wire(data))
            if answer is not None:
                self._socket.sendto(answer, peer)

    def stop(self) -> None:
        """End it."""
        host, port = self.address.split(":")
        self._socket.sendto(b"stop", (host, int(port)))
        self._thread.join()
        self._socket.close()


def with_rcode(rcode: dns.rcode.Rcode) -> Callable[[dns.message.Message], bytes]:
    """An answer without records."""

    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response.to_wire()

    return answer


RESOLVERS: list[tuple[str, Callable[[dns.message.Message], bytes | None], tuple[ErrorKind, ...]]] = [
    ("silent resolver", lambda _query: None, (K.TIMEOUT,)),
    ("resolver of rubbish", lambda _query: b"\0\1rubbish", (K.TIMEOUT,)),
    ("resolver with another's answer", lambda query: with_rcode(dns.rcode.NOERROR)(dns.message.make_query("a.b", "A")),
     (K.TIMEOUT,)),
    ("name that is not there", with_rcode(dns.rcode.NXDOMAIN), (K.DNS,)),
    ("resolver that fails", with_rcode(dns.rcode.SERVFAIL), (K.DNS,)),
    ("resolver without records", with_rcode(dns.rcode.NOERROR), (K.DNS,)),
]  # fmt: skip


@pytest.fixture
def servers() -> Iterator[list[Any]]:
    """Whatever is put in is stopped after the test."""
    running: list[Any] = []
    yield running
    for server in running:
        server.stop()


def is_right(result: ProbeResult, kinds: tuple[ErrorKind, ...]) -> bool:
    """Whether a verdict is one of those that are right, with words, and in time."""
    in_time = result.total_us <= (TIMEOUT_MS + 700) * 1000
    if result.outcome is Outcome.OK:
        return in_time and (not kinds or K.NONE in kinds)
    return in_time and result.outcome is Outcome.FAILED and result.error_kind in kinds and bool(result.error)


class ClosedPort:
    """A port that is taken, so that nobody else gets it, and that nobody listens on."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    def stop(self) -> None:
        """Give it free."""
        self._socket.close()


def test_each_server_gets_its_verdict_and_holds_up_nobody(servers: list[Any], tmp_path: Path) -> None:
    cases = CASES + certificate_cases(tmp_path)
    assert len(cases) + len(RESOLVERS) >= 80
    targets: dict[str, Target] = {}
    for case in cases:
        server = ClosedPort() if case.behaviour is None else Server(case.behaviour)
        servers.append(server)
        targets[case.name] = Target(
            case.url.format(port=server.port), TIMEOUT_MS, expected=Expectations(case.status_codes),
            options=case.options or (TcpOptions() if case.url.startswith("tcp") else None),
        )  # fmt: skip
    for name, answer, _ in RESOLVERS:
        resolver = Resolver(answer)
        servers.append(resolver)
        targets[name] = Target("dns://example.org", TIMEOUT_MS, options=DnsOptions(resolver=resolver.address))
    good = Server(say(EMPTY))
    servers.append(good)

    results: dict[str, ProbeResult] = {}
    lateness: list[float] = []
    probes: Probes[str] = Probes("test", lambda key, result: results.update({key: result}))
    began = time.monotonic()
    for name, target in targets.items():
        probes.start(name, target)
    planned = [began + number * 0.03 for number in range(GOOD_CHECKS)]
    while probes.in_flight or planned:
        while planned and time.monotonic() >= planned[0]:
            lateness.append(time.monotonic() - planned.pop(0))
            probes.start(f"good {len(lateness)}", Target(f"http://127.0.0.1:{good.port}/", TIMEOUT_MS))
        probes.poll(min(0.1, max(planned[0] - time.monotonic(), 0)) if planned else 0.1)
        assert time.monotonic() - began < 2 * TIMEOUT_MS / 1000 + 2, "something outlasts its deadline"
    probes.close()

    expected = {case.name: case.kinds for case in cases} | {name: kinds for name, _, kinds in RESOLVERS}
    wrong = [(name, results[name]) for name, kinds in expected.items() if not is_right(results[name], kinds)]
    assert wrong == []
    assert all(results[f"good {number + 1}"].outcome is Outcome.OK for number in range(GOOD_CHECKS))
    # Whoever waited for a hostile one would be late by all its time.
    assert sorted(lateness)[GOOD_CHECKS // 2] < 0.3
    assert max(lateness) < TIMEOUT_MS / 1000
