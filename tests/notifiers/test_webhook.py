"""Our webhook: signed, numbered, guarded, and never kept waiting for longer than its deadline."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from typing import Any

import pytest

from statusapp.notifiers import passage, webhook
from statusapp.notifiers.kind import DeliveryError, InvalidDestination
from statusapp.notifiers.sending import send
from statusapp.probes.guard import Refused
from tests.notifiers.conftest import message, sending
from tests.receivers import Answer, Hook

SECRET = "a secret of the webhook's"


def to(hook: Hook, path: str = "/hooks/status") -> dict[str, Any]:
    return {"url": hook.address + path, "secret": SECRET}


def failure(hook: Hook, **circumstances: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(webhook.KIND, to(hook), message(), sending(**circumstances))
    return caught.value


def test_the_payload_is_signed_with_its_timestamp_and_carries_every_key(hook: Hook) -> None:
    assert send(webhook.KIND, to(hook), message(("Login", "Shop")), sending()).startswith("200 OK")
    (received,) = hook.requests
    signed = received.headers["X-Statusapp-Timestamp"].encode() + b"." + received.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert received.headers["X-Statusapp-Signature"] == f"sha256={expected}"
    assert received.headers["Idempotency-Key"] == "b" * 32
    payload = json.loads(received.body)
    assert (payload["version"], payload["batch"]) == (1, "b" * 32)
    assert received.keys == ["alert-1-fired-1", "alert-2-fired-1"]
    event = payload["events"][0]
    assert (event["name"], event["transition"], event["severity"]) == ("Login", "fired", "critical")
    assert (event["since"], event["lasted_s"]) == ("2026-11-24T09:57:00Z", 180)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [*((status, True) for status in (400, 401, 404, 410)), *((status, False) for status in (408, 425, 429, 500, 503))],
)
def test_a_refusal_is_for_good_or_for_now(hook: Hook, status: int, permanent: bool) -> None:
    hook.answers = [Answer(status, body=b"because I say so")]
    error = failure(hook)
    assert error.permanent is permanent
    assert str(status) in error.message
    assert "because I say so" in error.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("Tue, 24 Nov 2026 10:05:00 GMT", 300.0), ("Tue, 24 Nov 2026 09:00:00 GMT", 0.0), ("soon", None)],
)
def test_it_is_told_when_to_come_again(hook: Hook, value: str, seconds: float | None) -> None:
    hook.answers = [Answer(429, {"Retry-After": value})]
    assert failure(hook).retry_after == seconds


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.answers = [Answer(302, {"Location": "http://127.0.0.2:1/latest/meta-data"})]
    error = failure(hook)
    assert "302" in error.message
    assert "127.0.0.2" not in error.message
    assert len(hook.requests) == 1


def test_an_answer_that_drips_ends_at_the_deadline(hook: Hook) -> None:
    hook.answers = [Answer(drip=0.05)]
    before, started = threading.active_count(), time.monotonic()
    assert "no answer within 1 s" in failure(hook, deadline_s=1.0).message
    assert time.monotonic() - started < 6
    # The connection is cut, so the thread that waited for the answer ends as well.
    while threading.active_count() > before + 1 and time.monotonic() - started < 10:
        time.sleep(0.02)
    assert not [thread for thread in threading.enumerate() if thread.name == "sending"]


def test_nobody_listening_is_for_now(hook: Hook) -> None:
    hook.stop()
    with pytest.raises(DeliveryError, match="refuses connections") as caught:
        send(webhook.KIND, to(hook), message(), sending())
    assert not caught.value.permanent
    hook.stop = lambda: None  # type: ignore[method-assign]


def test_a_name_that_leads_to_a_private_address_is_judged_at_the_connection(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", hook.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: resolved)
    destination = {"url": f"http://good.example.org:{hook.port}/", "secret": SECRET}
    with pytest.raises(DeliveryError, match="private address") as caught:
        send(webhook.KIND, destination, message(), sending(allow_private=False))
    assert caught.value.permanent
    assert hook.requests == []


def test_link_local_addresses_are_refused_even_where_private_ones_are_not() -> None:
    with pytest.raises(DeliveryError, match="link-local") as caught:
        send(webhook.KIND, {"url": "http://169.254.7.7/", "secret": SECRET}, message(), sending())
    assert caught.value.permanent


def test_connections_outside_of_a_sending_are_nobodys_business(hook: Hook) -> None:
    with pytest.raises(Refused), passage.guarded(passage.Passage(sending(allow_private=False).guard)):
        socket.create_connection(("127.0.0.1", hook.port), 2)
    socket.create_connection(("127.0.0.1", hook.port), 2).close()


def test_the_environments_proxy_and_netrc_are_not_used(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:1/")
    send(webhook.KIND, to(hook), message(), sending())
    assert hook.requests[0].path == "/hooks/status"


def test_what_the_receiver_repeats_of_the_secret_is_taken_out(hook: Hook) -> None:
    hook.answers = [Answer(403, body=f"wrong: {SECRET} at /hooks/T0kenOfMine".encode())]
    with pytest.raises(DeliveryError) as caught:
        send(webhook.KIND, to(hook, "/hooks/T0kenOfMine"), message(), sending())
    assert caught.value.message == "403 Forbidden: wrong: *** at /hooks/***"


def test_it_is_shown_without_what_may_be_secret() -> None:
    destination = webhook.KIND.check({"url": "https://u:p@hooks.example.org:8443/a/b?token=c", "secret": SECRET})
    assert webhook.KIND.show(destination) == "https://hooks.example.org:8443/***"


@pytest.mark.parametrize("url", ["", "ftp://a/", "http://", "https://a b/", "http://a:99999/", "javascript:alert(1)"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidDestination, match="looks like https://"):
        webhook.KIND.check({"url": url, "secret": SECRET})


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidDestination, match="at least 16"):
        webhook.KIND.check({"url": "https://example.org/", "secret": "short"})
