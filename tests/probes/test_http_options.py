"""What an operator can say about an HTTP check, seen from the server's side; and what no message repeats."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statusapp.domain.conditions import parse_condition
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.options import InvalidOption, read_options, split_secrets
from statusapp.domain.values import Expectations, ProbeResult, Target
from statusapp.probes.guard import Guard
from statusapp.probes.http import HttpProbes
from statusapp.probes.http_options import HttpOptions
from tests.probes.certificates import Authority
from tests.probes.conftest import read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[..., Any]


class Recorder:
    """Answers each path with its bytes, OK where there are none, and keeps what was asked."""

    def __init__(self, serve: Serve, **answers: bytes) -> None:
        self.requests: list[str] = []
        self._answers = answers
        self.server = serve(self._behave)
        self.address = self.server.address

    def _behave(self, connection: Any) -> None:
        data = read_request(connection)
        length = next(
            (int(line[15:]) for line in data.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(data.partition(b"\r\n\r\n")[2]) < length:
            data += connection.recv(65536)
        self.requests.append(data.decode())
        path = data.split(b" ")[1].decode().strip("/").partition("?")[0]
        connection.sendall(self._answers.get(path, OK))


DAY_US = 86_400_000_000


def probe(url: str, options: HttpOptions | None = None, *conditions: str, **values: Any) -> ProbeResult:
    """Make one probe."""
    return probe_twice(url, options, *conditions, times=1, **values)[0]


def probe_twice(
    url: str,
    options: HttpOptions | None = None,
    *conditions: str,
    times: int = 2,
    guard: Guard | None = None,
    **values: Any,
) -> list[ProbeResult]:
    """Make the probe, one after the other, with the same engine."""
    expected = Expectations(conditions=tuple((parse_condition(text), False) for text in conditions))
    results: list[ProbeResult] = []
    probes: HttpProbes[int] = HttpProbes("test", lambda _key, result: results.append(result), guard)
    for number in range(times):
        probes.start(number, Target(url, 3000, expected=expected, options=options, **values), "7-abc")
        while probes.in_flight:
            probes.poll(0.1)
    probes.close()
    return results


def json_answer(value: Any, code: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    """An answer with a JSON body."""
    body = json.dumps(value).encode()
    return b"HTTP/1.1 " + code + b"\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_each_request_says_who_asks(serve: Serve) -> None:
    recorder = Recorder(serve)
    probe(recorder.address)
    probe(recorder.address, HttpOptions(headers={"X-Own": "1"}))
    for request in recorder.requests:
        assert "User-Agent: test\r\n" in request
        assert "X-Probe-Id: 7-abc\r\n" in request


def test_headers_are_sent_as_they_are_said(serve: Serve) -> None:
    recorder = Recorder(serve)
    probe(
        recorder.address, HttpOptions(headers={"X-Key": "a: b", "Host": "shop.example", "User-Agent": "me", "X-E": ""})
    )
    (request,) = recorder.requests
    for line in ("X-Key: a: b", "Host: shop.example", "User-Agent: me", "X-E:"):
        assert f"\r\n{line}\r\n" in request


@pytest.mark.parametrize(
    ("kind", "body", "content_type"),
    [
        ("raw", "<a/>", "text/plain; charset=utf-8"),
        ("json", '{"a": 1}', "application/json"),
        ("form", "a=1&b=2", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
def test_bodies(serve: Serve, kind: str, body: str, content_type: str, method: str) -> None:
    recorder = Recorder(serve)
    assert probe(recorder.address, HttpOptions(body=body, body_type=kind), method=method).outcome is Outcome.OK
    head, _, sent = recorder.requests[0].partition("\r\n\r\n")
    assert head.startswith(f"{method} / ")
    assert f"Content-Type: {content_type}" in head
    assert sent == body


def test_basic_and_bearer(serve: Serve) -> None:
    recorder = Recorder(serve)
    probe(recorder.address, HttpOptions(username="üser", password="pass:word"))
    probe(recorder.address, HttpOptions(bearer_token="t0ken"))
    basic = base64.b64encode("üser:pass:word".encode()).decode()
    assert f"Authorization: Basic {basic}\r\n" in recorder.requests[0]
    assert "Authorization: Bearer t0ken\r\n" in recorder.requests[1]


def test_a_token_is_fetched_first_and_kept(serve: Serve) -> None:
    recorder = Recorder(serve, token=json_answer({"access_token": "abc", "expires_in": 3600}))
    options = HttpOptions(
        oauth_token_url=recorder.address + "/token",
        oauth_client_id="me&",
        oauth_client_secret="s/ecret",
        oauth_scope="r w",
    )
    results = probe_twice(recorder.address + "/api", options)
    assert [result.outcome for result in results] == [Outcome.OK, Outcome.OK]
    first, *others = recorder.requests
    assert first.startswith("POST /token ")
    assert f"Authorization: Basic {base64.b64encode(b'me%26:s%2Fecret').decode()}\r\n" in first
    assert first.endswith("grant_type=client_credentials&scope=r+w")
    assert [request.split(" ")[1] for request in others] == ["/api", "/api"]
    assert all("Authorization: Bearer abc\r\n" in request for request in others)


def test_a_token_that_is_refused_is_fetched_anew(serve: Serve) -> None:
    recorder = Recorder(
        serve, token=json_answer({"access_token": "abc"}), api=b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
    )
    options = HttpOptions(oauth_token_url=recorder.address + "/token", oauth_client_id="me")
    probe_twice(recorder.address + "/api", options)
    assert [request.split(" ")[1] for request in recorder.requests] == ["/token", "/api", "/token", "/api"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_answer({"error": "no"}, b"400 Bad"), "the token server: HTTP 400, expected 200"),
        (json_answer({"access_token": "abc", "expires_in": 10**400}), "the token server: the answer holds no"),
        (json_answer([]), "the token server: the answer holds no access_token"),
        (json_answer({"access_token": "a\nb"}), "the token server: the access_token cannot be sent in a header"),
        (b"", "the token server: "),
    ],
)
def test_no_token(serve: Serve, answer: bytes, error: str) -> None:
    recorder = Recorder(serve, token=answer)
    result = probe(recorder.address, HttpOptions(oauth_token_url=recorder.address + "/token", oauth_client_id="me"))
    assert result.outcome is Outcome.FAILED
    assert str(result.error).startswith(error)


def moved(location: str, code: str = "302 Found") -> bytes:
    """A redirect."""
    return f"HTTP/1.1 {code}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def test_redirects_are_followed_up_to_the_limit(serve: Serve) -> None:
    recorder = Recorder(serve, a=moved("/b"), b=moved("c"), c=OK)
    assert probe(recorder.address + "/a", HttpOptions(follow_redirects=2)).outcome is Outcome.OK
    assert [request.split(" ")[1] for request in recorder.requests] == ["/a", "/b", "/c"]
    result = probe(recorder.address + "/a", HttpOptions(follow_redirects=1))
    assert (result.outcome, result.error) == (Outcome.FAILED, "more than 1 redirects")


def test_a_redirect_that_cannot_be_read_is_about_its_service_alone(serve: Serve) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://\xff/\r\nContent-Length: 0\r\n\r\n"
    result = probe(Recorder(serve, a=answer).address + "/a", HttpOptions(follow_redirects=1))
    assert (result.outcome, result.error) == (Outcome.FAILED, "the answer cannot be read")


@pytest.mark.parametrize(
    ("code", "method", "then"),
    [
        ("301 M", "POST", "GET"),
        ("303 S", "PUT", "GET"),
        ("307 T", "POST", "POST"),
        ("302 F", "HEAD", "HEAD"),
        ("308 P", "PUT", "PUT"),
    ],
)
def test_the_method_after_a_redirect(serve: Serve, code: str, method: str, then: str) -> None:
    recorder = Recorder(serve, a=moved("/b", code))
    probe(recorder.address + "/a", HttpOptions(follow_redirects=1), method=method)
    assert recorder.requests[1].startswith(f"{then} /b ")


def test_another_origin_gets_no_secret(serve: Serve) -> None:
    other = Recorder(serve)
    recorder = Recorder(serve, a=moved(other.address + "/b", "307 T"), b=moved("/c"))
    options = HttpOptions(
        follow_redirects=3, headers={"X-Api-Key": "k3y", "Cookie": "c=1"}, username="u", password="p", body="secret"
    )
    assert probe(recorder.address + "/a", options, method="POST").outcome is Outcome.OK
    assert "k3y" in recorder.requests[0]
    (request,) = other.requests
    for text in ("k3y", "Cookie", "Authorization", "secret"):
        assert text not in request
    assert "X-Probe-Id: 7-abc" in request
    probe(recorder.address + "/b", options)
    assert "k3y" in recorder.requests[-1]


def test_conditions_see_body_headers_and_peer(serve: Serve) -> None:
    answer = json_answer({"items": [{"id": 7}], "ok": True}, headers=b"X-Version: 2\r\nSet-Cookie: a\r\n")
    address = Recorder(serve, api=answer).address + "/api"
    good = (
        "[STATUS] == any(200, 429)", "[BODY].items[0].id == 7", "len([BODY].items) == 1", "has([BODY].error) == false",
        "[HEADER].x-version == 2", "[IP] == 127.0.0.1", "[RESPONSE_TIME] < 3s", "[BODY] == pat(*ok*)",
        "[CONNECTED] == true",
    )  # fmt: skip
    assert probe(address, None, *good).outcome is Outcome.OK
    result = probe(address, None, "[BODY].items[0].id == 8", *good)
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.CONDITION)
    assert result.error == "[BODY].items[0].id == 8 (found 7)"
    assert result.detail is not None
    assert result.detail["conditions"][0] == {
        "condition": "[BODY].items[0].id == 8", "passed": False, "found": "7", "degrades": False,
    }  # fmt: skip


def test_a_condition_on_the_status_takes_the_place_of_the_codes(serve: Serve) -> None:
    address = Recorder(serve, busy=b"HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n").address + "/busy"
    assert probe(address).error_kind is ErrorKind.STATUS_CODE
    assert probe(address, None, "[STATUS] == any(200, 429)").outcome is Outcome.OK


def test_bodies_are_inflated_and_counted_afterwards(serve: Serve) -> None:
    body = gzip.compress(b'{"a": 1}' + b" " * 5000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    result = probe(Recorder(serve, z=answer).address + "/z", None, "[BODY].a == 1")
    assert (result.outcome, result.size) == (Outcome.OK, 5008)


def test_secrets_are_not_repeated(serve: Serve) -> None:
    recorder = Recorder(serve, echo=json_answer({"you_said": "s3cret-value"}))
    result = probe(
        recorder.address + "/echo",
        HttpOptions(bearer_token="s3cret-value"),
        "[BODY].you_said == x",
        secrets=("s3cret-value",),
    )
    assert result.error == "[BODY].you_said == x (found ***)"
    assert "s3cret-value" not in json.dumps(result.detail)


def test_certificates_of_the_client_and_of_an_authority_of_its_own(serve: Serve, tmp_path: Path) -> None:
    authority = Authority()
    client, context = authority.issue(), authority.issue().context(tmp_path, "server")
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_REQUIRED

    def behave(connection: Any) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(OK)

    address = serve(behave).address.replace("http:", "https:")
    shown = HttpOptions(ca_certificate=authority.pem, client_certificate=client.pem, client_key=client.key_pem)
    result = probe(address, shown, "[CERTIFICATE_EXPIRATION] > 48h")
    assert (result.outcome, result.error) == (Outcome.OK, None)
    assert result.tls_us
    # Its end is read at every handshake, whether a condition asks for it or not.
    assert 89 * DAY_US < (probe(address, shown).certificate_expires_at or 0) - result.started_at < 91 * DAY_US
    assert probe(address, shown, "[CERTIFICATE_EXPIRATION] > 365d").error_kind is ErrorKind.CONDITION
    assert probe(address, HttpOptions(ca_certificate=authority.pem)).outcome is Outcome.FAILED
    assert probe(address, HttpOptions()).error_kind is ErrorKind.CERTIFICATE
    assert probe(address, HttpOptions(verify_tls=False)).outcome is Outcome.FAILED


def test_a_proxy_is_asked(serve: Serve) -> None:
    recorder = Recorder(serve)
    result = probe("http://shop.invalid/x", HttpOptions(proxy=recorder.address.replace("//", "//u:p@")))
    assert result.outcome is Outcome.OK
    assert recorder.requests[0].startswith("GET http://shop.invalid/x ")
    assert "Proxy-Authorization: Basic" in recorder.requests[0]


def test_private_addresses_are_refused_before_a_connection(serve: Serve) -> None:
    recorder = Recorder(serve, a=moved("http://127.0.0.1:1/"))
    (result,) = probe_twice(recorder.address, None, times=1, guard=Guard(allow_private=False))
    assert (result.outcome, result.error_kind) == (Outcome.FAILED, ErrorKind.REFUSED)
    assert "ALLOW_PRIVATE_TARGETS" in str(result.error)
    localhost = recorder.address.replace("127.0.0.1", "localhost")
    assert probe_twice(localhost, times=1, guard=Guard(allow_private=False))[0].error_kind is ErrorKind.REFUSED
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"nonsense": "1"}, "no option of this kind of check"),
        ({"follow_redirects": "21"}, "whole number from 0 to 20"),
        ({"verify_tls": "perhaps"}, "true or false"),
        ({"ip_version": "5"}, "one of any, 4, 6"),
        ({"headers": {"X Y": "1"}}, "cannot be the name of a header"),
        ({"headers": {"X": "a\r\nY: b"}}, "line break"),
        ({"headers": "X: 1"}, "names with texts"),
        ({"body": "{", "body_type": "json"}, "not JSON"),
        ({"proxy": "nonsense"}, "proxy must look like"),
        ({"client_key": "x"}, "belong together"),
        ({"username": "a", "bearer_token": "b"}, "only one of"),
        ({"oauth_token_url": "file:///x"}, "http:// or https://"),
        ({"body": "a\0"}, "NUL"),
    ],
)
def test_options_that_cannot_be_used(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason):
        read_options(HttpOptions, values)


def test_secret_options_are_told_apart() -> None:
    shown, secret = split_secrets(HttpOptions, {"headers": {"X": "1"}, "password": "p", "username": "u", "body": "b"})
    assert (shown, secret) == ({"username": "u"}, {"headers": {"X": "1"}, "password": "p", "body": "b"})
