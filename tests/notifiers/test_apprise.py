"""Apprise: its answers are told apart, what it connects to is judged, and all that was to be told is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statusapp.notifiers import apprise_urls
from statusapp.notifiers.kind import DeliveryError, InvalidDestination
from statusapp.notifiers.sending import send
from tests.notifiers.conftest import message, sending
from tests.receivers import Answer, Hook


def to(hook: Hook, path: str = "/T0kenOfMine", scheme: str = "json") -> dict[str, Any]:
    return apprise_urls.KIND.check({"url": f"{scheme}://127.0.0.1:{hook.port}{path}"})


def test_title_and_text_arrive(hook: Hook) -> None:
    assert send(apprise_urls.KIND, to(hook), message(), sending()) == "accepted by JSON"
    payload = json.loads(hook.requests[0].body)
    assert payload["title"] == "[Major Outage] User Login: HTTP 502, since 09:57 (3 min)"
    assert "Found: HTTP 502" in payload["message"]
    assert payload["type"] == "failure"


@pytest.mark.parametrize(("status", "permanent"), [(401, True), (404, True), (429, False), (500, False)])
def test_refusals_are_told_apart(hook: Hook, status: int, permanent: bool) -> None:
    hook.answers = [Answer(status)]
    with pytest.raises(DeliveryError) as caught:
        send(apprise_urls.KIND, to(hook), message(), sending())
    assert caught.value.permanent is permanent
    assert f"error={status}" in caught.value.message
    assert "T0kenOfMine" not in caught.value.message


def test_a_thousand_names_go_out_in_parts_where_there_is_little_room(hook: Hook) -> None:
    names = tuple(f"Service {number:04}" for number in range(1000))
    long = message(names)
    assert len(long.text) > 32768  # What this service takes at once.
    send(apprise_urls.KIND, to(hook), long, sending(deadline_s=20))
    told = "".join(json.loads(request.body)["message"] for request in hook.requests)
    assert [name for name in names if name not in told] == []
    assert len(hook.requests) <= 3


@pytest.mark.parametrize("scheme", ["json", "form", "xml"])
@pytest.mark.parametrize("host", ["169.254.7.7", "100.100.100.200"])
def test_metadata_and_link_local_addresses_are_refused(scheme: str, host: str) -> None:
    destination = apprise_urls.KIND.check({"url": f"{scheme}://{host}/latest"})
    with pytest.raises(DeliveryError, match="never checked") as caught:
        send(apprise_urls.KIND, destination, message(), sending())
    assert caught.value.permanent


def test_a_redirect_to_such_an_address_is_refused_too(hook: Hook) -> None:
    hook.answers = [Answer(302, {"Location": "http://169.254.7.7/latest"})]
    with pytest.raises(DeliveryError, match="link-local") as caught:
        send(apprise_urls.KIND, to(hook), message(), sending())
    assert caught.value.permanent


@pytest.mark.parametrize("suffix", ["", "?timeout=3"])
def test_private_addresses_are_refused_where_checks_may_not_go_there(hook: Hook, suffix: str) -> None:
    with pytest.raises(DeliveryError, match="private address"):
        send(apprise_urls.KIND, to(hook, "/" + suffix), message(), sending(allow_private=False))
    assert hook.requests == []


def test_a_receiver_that_hangs_is_left_at_the_deadline(hook: Hook) -> None:
    hook.answers = [Answer(drip=0.05)]
    with pytest.raises(DeliveryError) as caught:
        send(apprise_urls.KIND, to(hook), message(), sending(deadline_s=2))
    assert not caught.value.permanent


@pytest.mark.parametrize("url", ["", "nonsense", "nonsense://x", "tgram://"])
def test_what_apprise_does_not_know_is_refused(url: str) -> None:
    with pytest.raises(InvalidDestination, match="Apprise knows no such address"):
        apprise_urls.KIND.check({"url": url})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "tgram://***"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord://***"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", "slack://***"),
        ("ntfys://user:secret1@ntfy.example.org/topic", "ntfys://ntfy.example.org/***"),
        ("jsons://example.org:8443/a?token=b", "jsons://example.org/***"),
    ],
)
def test_it_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    destination = apprise_urls.KIND.check({"url": url})
    assert apprise_urls.KIND.show(destination) == shown
    assert all(len(secret) >= 5 for secret in apprise_urls.KIND.secrets(destination))
