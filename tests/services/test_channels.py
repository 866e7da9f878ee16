"""Channels: sealed, masked, tried; and the words for messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import from_us
from statusapp.queries.deliveries import list_channels, list_deliveries, load_delivery_health
from statusapp.services.channels import (
    ChannelDraft,
    UnknownChannel,
    add_channel,
    change_channel,
    delete_channel,
    find_channel,
    try_channel,
)
from statusapp.services.message_texts import reset_text, set_text, texts_in_use
from tests.receivers import Answer, Hook, running_hook, running_mail_server
from tests.services.delivering import SECRET, Post
from tests.world import T0, World

NOW = from_us(T0)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes everything."""
    with running_hook() as hook:
        yield hook


@pytest.fixture
def post(world: World) -> Post:
    """Verbs on the outbox."""
    return Post(world)


def draft(**values: Any) -> ChannelDraft:
    usual: dict[str, Any] = {"url": "https://u:p4ssword@hooks.example.org/T0kenOfMine", "secret": SECRET}
    return replace(ChannelDraft("Hook", "webhook", usual), **values)


def test_where_it_leads_is_sealed_and_shown_without_secrets(world: World) -> None:
    add_channel(draft(), NOW)
    dump = str(world.rows("SELECT * FROM notification_channel"))
    for secret in ("T0kenOfMine", "p4ssword", SECRET):
        assert secret not in dump
    (row,) = list_channels()
    assert row.target == "https://hooks.example.org/***"
    assert row.severities == tuple(Severity)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 201}, "name"), ({"kind": "pigeon"}, "kind"),
        ({"destination": None}, "destination"), ({"destination": {"url": "ftp://x"}}, "destination"),
        ({"severities": ()}, "severities"), ({"groups": ("Nowhere",)}, "groups"), ({"tags": ("",)}, "tags"),
        ({"quiet": "22:00"}, "quiet"), ({"quiet": "22:00-25:00"}, "quiet"), ({"quiet": "22:00-22:00"}, "quiet"),
        ({"kind": "apprise", "destination": {"url": "nonsense://x"}}, "destination"),
        ({"kind": "email", "destination": {"to": "nobody"}}, "destination"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_by_field(world: World, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_channel(draft(**values), NOW)
    assert caught.value.field == field
    assert world.scalar("SELECT COUNT(*) FROM notification_channel") == 0


def test_a_name_is_given_once(world: World) -> None:
    channel_id = add_channel(draft(), NOW)
    with pytest.raises(InvalidInput, match="already"):
        add_channel(draft(), NOW)
    change_channel(channel_id, draft(), NOW)  # Its own name is free for it.


def test_a_change_keeps_what_the_form_did_not_show(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    change_channel(channel_id, draft(name="Other", destination=None, quiet="22:00-07:00"), NOW)
    assert try_channel(channel_id, NOW, post.outfit).taken
    change_channel(channel_id, draft(name="Other", destination={"url": hook.address + "/new", "secret": None}), NOW)
    assert try_channel(channel_id, NOW, post.outfit).taken
    assert [request.path for request in hook.requests] == ["/", "/new"]
    (row,) = list_channels()
    assert (row.name, row.quiet) == ("Other", None)


def test_another_kind_needs_another_destination(world: World) -> None:
    channel_id = add_channel(draft(), NOW)
    with pytest.raises(InvalidInput, match="where the channel leads"):
        change_channel(channel_id, draft(kind="email", destination=None), NOW)


def test_deleting_takes_its_messages_along(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A")
    delete_channel(channel_id)
    assert post.states() == []
    for act in (lambda: delete_channel(channel_id), lambda: find_channel("Hook"), lambda: try_channel(channel_id, NOW)):
        with pytest.raises(UnknownChannel):
            act()


def test_a_test_shows_the_real_answer(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    hook.answers = [Answer(201, body=b"thank you"), Answer(403, body=f"not with {SECRET}".encode())]
    tested = try_channel(channel_id, NOW, post.outfit)
    assert (tested.taken, tested.answer) == (True, "201 Created: thank you")
    tested = try_channel(channel_id, NOW, post.outfit)
    assert (tested.taken, tested.answer) == (False, "403 Forbidden: not with ***")
    assert post.state().last_answer == "403 Forbidden: not with ***"
    assert b'"transition":"test"' in hook.requests[0].body
    assert post.states() == []


def test_a_test_by_mail(post: Post) -> None:
    with running_mail_server() as (mailbox, port):
        destination = {"to": "ops@example.org", "url": f"smtp://127.0.0.1:{port}", "sender": "m@example.org"}
        channel_id = add_channel(ChannelDraft("Mail", "email", destination), NOW)
        assert try_channel(channel_id, NOW, post.outfit).answer == "accepted by the mail server"
        assert mailbox.mails[0]["Subject"] == "[Test] Mail: messages of this channel arrive"


def test_a_test_that_succeeds_mends_the_channel_and_what_waits_goes_at_once(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    hook.answers = [Answer(500), Answer(200)]
    post.fire("A")
    post.after(1)
    assert post.state().failures == 1
    health = load_delivery_health()
    assert (health.oldest_failing_at, health.broken) == (T0, 0)
    post.now += 1_000_000
    assert try_channel(channel_id, from_us(post.now), post.outfit).taken
    assert (post.state().failures, post.state().failing_since) == (0, None)
    assert post.after(0) == [channel_id]
    assert post.states() == [DeliveryState.SENT]


def test_deliveries_can_be_looked_at(post: Post, hook: Hook) -> None:
    good, bad = post.channel(hook.address, "Good"), post.channel("http://127.0.0.1:1/", "Bad")
    post.fire("A")
    post.after(1)
    assert len(list_deliveries()) == 2
    (failed,) = list_deliveries(failed=True)
    assert (failed.channel, failed.name, failed.answer) == ("Bad", "A", "it refuses connections")
    assert [row.channel for row in list_deliveries(channel_id=good)] == ["Good"]
    assert {row.name: row.waiting for row in list_channels()} == {"Bad": 1, "Good": 0}
    assert bad


def test_own_words_are_kept_until_they_are_taken_back(world: World) -> None:
    usual = texts_in_use()[Transition.FIRED]
    set_text(Transition.FIRED, "{name} is down", "{found}\n{link}")
    set_text(Transition.FIRED, "{name} is down!", "{found}")
    assert texts_in_use()[Transition.FIRED].title == "{name} is down!"
    reset_text(Transition.FIRED)
    assert texts_in_use()[Transition.FIRED] == usual


@pytest.mark.parametrize(
    ("title", "body", "field"),
    [
        ("{nmae}", "x", "title"),
        ("x", "{who} did it", "body"),
        ("", "x", "title"),
        ("x", " ", "body"),
        ("a\nb", "x", "title"),
    ],
)
def test_texts_with_unknown_placeholders_are_refused(world: World, title: str, body: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_text(Transition.FIRED, title, body)
    assert caught.value.field == field
    if "{" in title + body:
        assert "There are {name}, {status}" in caught.value.message
