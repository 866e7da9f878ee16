"""Whoever sends may be killed at any moment: nothing is lost, and what arrives twice carries the same key."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from statusapp.domain.enums import DeliveryState
from statusapp.extensions import db
from statusapp.notifiers.sending import send
from statusapp.services import delivery
from statusapp.services.delivery import Send, deliver, find_due
from tests.instance import wait_for
from tests.receivers import Hook, running_hook
from tests.services.delivering import Post
from tests.world import World

SENT = DeliveryState.SENT


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes everything."""
    with running_hook() as hook:
        yield hook


@pytest.fixture
def post(world: World) -> Post:
    """Verbs on the outbox."""
    return Post(world)


def before_send(*_given: Any) -> str:
    """Killed when everything is ready."""
    raise Killed


def after_yes(*given: Any) -> str:
    """Killed between the receiver's yes and the mark."""
    send(*given)
    raise Killed


@pytest.mark.parametrize(("sender", "arrivals"), [(before_send, 1), (after_yes, 2)])
def test_killed_around_the_sending(post: Post, hook: Hook, sender: Send, arrivals: int) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A", "B")
    post.after(0.5)
    post.now += 500_000
    with pytest.raises(Killed):
        deliver(replace(post.outfit, send=sender), channel_id)
    post.fire("C")  # Comes after the attempt, and must not change it.
    assert post.after(59) == []  # The lease of the dead.
    post.after(2)
    post.after(31)
    assert set(post.states()) == {SENT}
    attempts = hook.requests[:arrivals]
    assert len(hook.requests) == arrivals + 1
    assert len({tuple(request.keys) for request in attempts}) == 1
    assert len({request.headers["Idempotency-Key"] for request in attempts}) == 1
    assert len(attempts[0].keys) == 2


def test_killed_before_the_mark(post: Post, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A")
    post.now += 1_000_000

    def killed(*_given: Any, **_more: Any) -> None:
        raise Killed

    monkeypatch.setattr(delivery, "mark_sent", killed)
    with pytest.raises(Killed):
        deliver(post.outfit, channel_id)
    monkeypatch.undo()
    post.after(61)
    assert post.states() == [SENT]
    assert hook.requests[0].keys == hook.requests[1].keys


def test_killed_after_the_commit_it_is_found_by_whoever_looks(post: Post, hook: Hook) -> None:
    post.channel(hook.address)
    post.fire("A")
    post.after(3600)
    assert post.states() == [SENT]


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a process of its own, with connections of its own."""
    child = os.fork()
    if child == 0:
        try:
            db.engine.dispose(close=False)
            work()
        finally:
            os._exit(0)
    return child


def test_a_real_process_is_killed_while_the_receiver_thinks(post: Post, hook: Hook) -> None:
    channel_id = post.channel(hook.address)
    post.fire("A")
    post.now += 1_000_000
    children: list[int] = []
    # The receiver has it and has not answered yet: the sender dies at this very moment.
    hook.arrived = lambda: os.kill(children[0], signal.SIGKILL) if len(hook.requests) == 1 else None
    children.append(in_child(lambda: time.sleep(0.2) or deliver(post.outfit, channel_id)))
    os.waitpid(children[0], 0)
    assert post.states() == [DeliveryState.QUEUED]
    post.after(61)
    assert post.states() == [SENT]
    assert hook.requests[0].headers["Idempotency-Key"] == hook.requests[1].headers["Idempotency-Key"]


def test_killed_at_random_moments_everything_arrives(post: Post, hook: Hook) -> None:
    """Ups and downs while sender after sender is killed; the clock leaps over their leases."""
    channel_id = post.channel(hook.address)
    luck = random.Random(6)
    expected: list[str] = []
    for step in range(20):
        (number,) = post.fire(f"Service {step}")
        post.resolve(number)
        expected += [f"alert-{number}-fired-{channel_id}", f"alert-{number}-resolved-{channel_id}"]
        post.now += 91_000_000
        child = in_child(lambda: [deliver(post.outfit, due) for due in find_due(post.outfit)])
        time.sleep(luck.random() * 0.08)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    while post.state().due_at is not None:
        post.after(91)
    wait_for(lambda: set(post.states()) == {SENT}, 15)
    arrived = [key for request in hook.requests for key in request.keys]
    assert list(dict.fromkeys(arrived)) == expected
    numbers: dict[str, set[str]] = {}
    for request in hook.requests:
        for key in request.keys:
            numbers.setdefault(key, set()).add(request.headers["Idempotency-Key"])
    assert {len(found) for found in numbers.values()} == {1}
