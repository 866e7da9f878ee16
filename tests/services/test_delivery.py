"""Delivery: in order, gathered, tried again, given up, and never marked before the receiver's yes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.domain.instants import SECOND, from_us
from statusapp.services import delivery, message_texts
from statusapp.services.batches import Batches
from statusapp.services.delivery import deliver, find_due, sweep
from statusapp.services.delivery_retention import delete_deliveries
from statusapp.services.parcels import mark_sent
from tests.receivers import Answer, Hook, running_hook
from tests.services.delivering import Post
from tests.world import MINUTE, T0, World

QUEUED, SENT, FAILED, GAVE_UP, SKIPPED = DeliveryState
HOUR = 3600


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes everything."""
    with running_hook() as hook:
        yield hook


@pytest.fixture
def post(world: World) -> Post:
    """Verbs on the outbox."""
    return Post(world)


def titles(hook: Hook) -> list[str]:
    return [json.loads(request.body)["title"] for request in hook.requests]


def test_a_message_goes_out_a_second_after_it_was_written(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    post.fire("User Login")
    assert post.after(0.9) == []
    assert post.after(0.1) == [channel_id]
    assert titles(hook) == ["[Major Outage] User Login: HTTP 502, since 10:00 (0 s)"]
    assert hook.requests[0].keys == [f"alert-1-fired-{channel_id}"]
    assert post.states() == [SENT]
    state = post.state()
    assert (state.due_at, state.leased_until, state.last_sent_at) == (None, None, post.now)
    row = post.world.rows("SELECT attempts, sent_at, answer, batch FROM alert_delivery")[0]
    assert (row.attempts, row.sent_at, row.answer) == (1, post.now, "200 OK: ok")
    assert row.batch == hook.requests[0].headers["Idempotency-Key"]


def test_a_storm_is_three_messages_and_nobody_is_missing_from_them(post: Post, hook: Hook) -> None:
    """A thousand services go down within a minute."""
    post.channel(hook.address)
    sent_at = []
    for step in range(240):
        if step % 6 == 0 and step < 240:
            post.fire(*(f"Service {step // 6 * 25 + number:04}" for number in range(25)))
        if post.after(0.25):
            sent_at.append(post.now)
    last_fired = post.now
    while post.after(0.25) or find_due(post.outfit) or post.state().due_at is not None:
        sent_at += [post.now] if len(hook.requests) > len(sent_at) else []
    assert len(hook.requests) <= 3
    told = [event["name"] for request in hook.requests for event in json.loads(request.body)["events"]]
    assert told == [f"Service {number:04}" for number in range(1000)]
    assert post.now - last_fired <= 35 * SECOND
    assert set(post.states()) == {SENT}


def test_what_comes_soon_after_a_message_waits_for_the_pause_and_goes_together(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    post.fire("A")
    post.after(1)
    post.fire("B")
    assert post.after(10) == []
    post.fire("C")
    assert post.after(19.9) == []
    post.after(0.1)
    assert [len(request.keys) for request in hook.requests] == [1, 2]


def test_a_failure_is_tried_again_under_the_same_number_and_in_order(post: Post, hook: Hook) -> None:
    hook.answers = [Answer(500, body=b"oh no"), Answer(200)]
    post.channel(hook.address)
    (number,) = post.fire("A")
    post.after(1)
    assert post.states() == [FAILED]
    state = post.state()
    assert 8 * SECOND <= state.due_at - post.now <= 12 * SECOND
    assert (state.failures, state.failing_since, state.broken_since) == (1, post.now, None)
    assert state.last_answer == "500 Internal Server Error: oh no"
    post.resolve(number)
    assert post.after(7) == []  # What comes meanwhile does not hasten it.
    post.after(6)
    post.after(30)
    assert post.states() == [SENT, SENT]
    first, again, last = hook.requests
    assert first.keys == again.keys
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert "resolved" in last.keys[0]
    state = post.state()
    assert (state.failures, state.failing_since) == (0, None)


def test_the_pauses_double_up_to_ten_minutes_and_end_after_a_day(post: Post, hook: Hook) -> None:
    hook.answers = [Answer(503)]
    post.channel(hook.address)
    post.fire("A")
    pauses = []
    post.after(1)
    while post.states() == [FAILED]:
        pauses.append((post.state().due_at - post.now) / SECOND)
        post.after(pauses[-1])
    for pause, expected in zip(pauses, [10, 20, 40, 80, 160, 320, 600, 600], strict=False):
        assert expected * 0.8 <= pause <= min(expected * 1.2, 600)
    assert post.states() == [GAVE_UP]
    assert 24 * HOUR * SECOND <= post.now - T0 <= 24.2 * HOUR * SECOND
    assert post.state().due_at is None
    hook.answers = [Answer(200)]
    post.fire("B")
    post.after(1)
    assert post.states() == [GAVE_UP, SENT]


@pytest.mark.parametrize(("value", "seconds"), [("90", 90), ("86400", 3600)])
def test_the_receiver_may_say_when_to_come_again(post: Post, hook: Hook, value: str, seconds: int) -> None:
    hook.answers = [Answer(429, {"Retry-After": value}), Answer(200)]
    post.channel(hook.address)
    post.fire("A")
    post.after(1)
    assert post.state().due_at == post.now + seconds * SECOND
    post.after(seconds - 1)
    assert len(hook.requests) == 1
    post.after(1)
    assert post.states() == [SENT]


def test_a_refusal_for_good_ends_it_and_breaks_the_channel_until_a_success(post: Post, hook: Hook) -> None:
    hook.answers = [Answer(404), Answer(200)]
    post.channel(hook.address)
    post.fire("A")
    post.after(1)
    assert post.states() == [GAVE_UP]
    assert (post.state().broken_since, post.state().due_at) == (post.now, None)
    post.fire("B")
    post.after(1)
    assert post.states() == [GAVE_UP, SENT]
    assert post.state().broken_since is None


def test_a_dead_channel_delays_no_other(post: Post, hook: Hook) -> None:
    with running_hook() as dead:
        hold = threading.Event()
        dead.answers = [Answer(hold=hold)]
        first, second = post.channel(dead.address, "Dead"), post.channel(hook.address, "Alive")
        post.fire("A")
        post.now += SECOND
        threads = [threading.Thread(target=deliver, args=(post.outfit, number)) for number in (first, second)]
        for thread in threads:
            thread.start()
        threads[1].join(10)
        assert len(hook.requests) == 1
        assert threads[0].is_alive()
        hold.set()
        threads[0].join(10)


def test_of_two_senders_one_sends(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A")
    post.now += SECOND
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda: taken.append(deliver(post.outfit, channel_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, False, False, True]
    assert len(hook.requests) == 1


def test_a_sender_that_lost_its_lease_does_not_say_where_the_channel_stands(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A")

    def late(*given):  # type: ignore[no-untyped-def]
        post.world.execute("UPDATE channel_state SET fence = fence + 1, failures = 7")
        return post.outfit.send(*given)

    post.now += SECOND
    deliver(replace(post.outfit, send=late), channel_id)
    assert post.states() == [SENT]  # The receiver did say yes.
    assert post.state().failures == 7


NIGHT = {"quiet": "22:00-07:00"}


def at(post: Post, hour: int, minute: int = 0) -> None:
    """Move to a time of the day after, in UTC."""
    midnight = T0 - T0 % (24 * HOUR * SECOND)
    post.now = midnight + (24 + hour) * HOUR * SECOND + minute * MINUTE


def test_in_quiet_hours_only_what_is_critical_goes_out(post: Post, hook: Hook) -> None:
    post.channel(hook.address, **NIGHT)
    at(post, 23)
    post.fire("Slow", severity=Severity.WARNING)
    post.after(1)
    assert hook.requests == []
    assert from_us(post.state().due_at).strftime("%H:%M") == "07:00"
    post.fire("Down")
    post.after(1)
    assert [event["name"] for event in json.loads(hook.requests[0].body)["events"]] == ["Down"]
    assert post.states() == [QUEUED, SENT]
    post.after(30)
    assert len(hook.requests) == 1
    post.after(8 * HOUR)
    assert post.states() == [SENT, SENT]


def test_what_failed_before_the_quiet_hours_does_not_hold_up_what_is_critical(post: Post, hook: Hook) -> None:
    post.channel(hook.address, **NIGHT)
    at(post, 21, 59)
    hook.answers = [Answer(500), Answer(200)]
    post.fire("Slow", severity=Severity.WARNING)
    post.after(2)
    assert len(hook.requests) == 1
    post.after(10 * 60)
    assert len(hook.requests) == 1
    post.fire("Down")
    post.after(2)
    assert "Down" in hook.requests[-1].body.decode()
    assert len(hook.requests) == 2


def test_what_began_and_ended_in_quiet_hours_is_told_to_nobody(post: Post, hook: Hook) -> None:
    post.channel(hook.address, **NIGHT)
    at(post, 23)
    over, lasting = post.fire("Over", "Lasting", severity=Severity.WARNING)
    post.after(HOUR)
    post.resolve(over, severity=Severity.WARNING)
    post.after(7 * HOUR + 1)
    assert post.states() == [SKIPPED, SENT, SKIPPED]
    assert [event["name"] for event in json.loads(hook.requests[0].body)["events"]] == ["Lasting"]
    assert lasting


def test_what_was_told_before_the_quiet_hours_is_told_to_be_over_after_them(post: Post, hook: Hook) -> None:
    post.channel(hook.address, **NIGHT)
    at(post, 21)
    (number,) = post.fire("Slow", severity=Severity.WARNING)
    post.after(1)
    at(post, 23)
    post.resolve(number, severity=Severity.WARNING)
    post.after(1)
    assert post.states() == [SENT, QUEUED]
    post.after(8 * HOUR)
    assert post.states() == [SENT, SENT]


def test_the_sweep_sends_what_no_messenger_took_and_what_was_forgotten(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    post.fire("A")
    post.world.execute("UPDATE channel_state SET due_at = NULL")
    now = T0 + 3600 * SECOND
    assert sweep(from_us(now)) == "0 channels were overdue, 1 forgotten"
    assert sweep(from_us(now + 15 * SECOND)) == "1 channels were overdue, 0 forgotten"
    assert post.states() == [SENT]
    assert sweep(from_us(now + 60 * SECOND)) == "0 channels were overdue, 0 forgotten"


def test_operators_words_are_used_and_not_looked_at_again(post: Post, hook: Hook) -> None:
    message_texts.set_text(Transition.FIRED, "{name} {{7*7}} {0.__class__} is down", "{found}")
    post.channel(hook.address)
    post.fire("{link} {{config}}")
    post.after(1)
    assert titles(hook) == ["{link} {{config}} {{7*7}} {0.__class__} is down"]


def test_a_spoilt_row_holds_up_no_other(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    post.fire("A", "B")
    post.world.execute("UPDATE alert_delivery SET data = '[1]' WHERE alert_id = 1")
    post.after(1)
    assert post.states() == [SENT, SENT]


def test_secrets_that_cannot_be_read_break_the_channel(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    post.world.execute("UPDATE notification_channel SET secrets = 'x'")
    post.fire("A")
    post.after(1)
    assert post.states() == [GAVE_UP]
    assert "ENCRYPTION_KEY" in post.state().last_answer


def test_what_was_sent_long_ago_goes_but_not_who_was_told_of_what_is_not_over(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    over, lasting = post.fire("Over", "Lasting")
    post.after(1)
    post.world.execute("UPDATE alert SET resolved_at = 1 WHERE id = :id", id=over)
    later = T0 + 100 * SECOND
    assert delete_deliveries(Batches(), T0) == 0
    assert delete_deliveries(Batches(), later) == 1
    assert [row.alert_id for row in post.world.rows("SELECT alert_id FROM alert_delivery")] == [lasting]


def test_a_database_that_is_away_for_a_moment_does_not_make_a_double(
    post: Post, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.channel(hook.address)
    post.fire("A")
    marks: list[int] = []

    def mark(*given: Any) -> None:
        marks.append(1)
        if len(marks) == 1:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        mark_sent(*given)

    monkeypatch.setattr(delivery, "mark_sent", mark)
    post.after(1)
    assert post.states() == [SENT]
    assert len(hook.requests) == 1


def test_a_redirect_leads_nowhere(post: Post, hook: Hook) -> None:
    hook.answers = [Answer(307, {"Location": "http://169.254.7.7/latest/meta-data"})]
    post.channel(hook.address)
    post.fire("A")
    started = time.monotonic()
    post.after(1)
    assert time.monotonic() - started < 15
    assert post.states() == [FAILED]
