"""Channels are told of maintenance: once of each step, those that it concerns."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from statusapp.domain.enums import Severity
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.services import maintenance_plans as plans
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.maintenance import keep_maintenance
from statusapp.services.maintenance_plans import MaintenanceDraft
from tests.receivers import running_hook
from tests.services.delivering import Post
from tests.services.planting import HOUR, NOON, Plant
from tests.world import MINUTE, T0, World


@pytest.fixture
def plant(world: World) -> Plant:
    """A world with one channel, in which work can be planned."""
    channel("Ops")
    return Plant(world)


def channel(name: str, **values: Any) -> int:
    destination = {"url": "http://127.0.0.1:1/", "secret": "x" * 16}
    return add_channel(ChannelDraft(name, "webhook", destination, **values), from_us(T0))


def told(world: World, channel_id: int | None = None) -> list[tuple[str, int]]:
    """The steps in the outbox, each with its beginning by the plan in minutes since noon."""
    rows = world.rows("SELECT channel_id, data FROM alert_delivery ORDER BY id")
    found = [row.data if isinstance(row.data, dict) else json.loads(row.data) for row in rows
             if channel_id in (None, row.channel_id)]  # fmt: skip
    return [(data["phase"], (data["starts_at"] - NOON) // MINUTE) for data in found]


def test_each_step_is_told_once(world: World, plant: Plant) -> None:
    world.add("Shop", at=T0)
    plant.plan(announce_s=1800)
    for now in (NOON - 31 * MINUTE, NOON - 30 * MINUTE, NOON - 29 * MINUTE):
        plant.keep(now)
    assert told(world) == [("announced", 0)]
    for now in (NOON, NOON + MINUTE, NOON + HOUR, NOON + HOUR + MINUTE):
        plant.keep(now)
    assert told(world) == [("announced", 0), ("started", 0), ("ended", 0)]


def test_what_begins_at_once_or_was_missed_is_not_announced_afterwards(world: World, plant: Plant) -> None:
    world.add("Shop", at=T0)
    plant.plan(NOON - 30 * MINUTE, now=NOON)
    assert told(world) == [("started", -30)]
    plant.plan(NOON + 2 * HOUR, announce_s=0, now=NOON)
    plant.keep(NOON + 10 * HOUR)
    assert told(world) == [("started", -30), ("ended", -30)]


@pytest.mark.parametrize("ended_by", ["window", "occurrence"])
def test_whoever_knows_of_it_is_told_that_it_was_called_off(world: World, plant: Plant, ended_by: str) -> None:
    world.add("Shop", at=T0)
    window = plant.plan(rule="FREQ=DAILY;COUNT=3")
    day_after = NOON + 24 * HOUR
    if ended_by == "window":
        plant.keep(NOON)
        plans.cancel_maintenance(window, from_us(NOON + MINUTE))
        assert told(world) == [("announced", 0), ("announced", 1440), ("started", 0), ("cancelled", 0),
                               ("cancelled", 1440)]  # fmt: skip
    else:
        plans.cancel_occurrence(window, day_after, from_us(T0))
        assert told(world) == [("announced", 0)]
        plans.cancel_occurrence(window, NOON, from_us(T0 + MINUTE))
        assert told(world) == [("announced", 0), ("cancelled", 0)]


def test_what_is_moved_is_called_off_and_announced_anew_even_when_it_comes_back(world: World, plant: Plant) -> None:
    world.add("Shop", at=T0)
    window = plant.plan()
    draft = MaintenanceDraft("Updates", f"{from_us(NOON + HOUR):%Y-%m-%dT%H:%M}", 3600, zone="UTC", covers_all=True)
    plans.change_maintenance(window, draft, from_us(T0 + MINUTE))
    plans.change_maintenance(window, replace(draft, starts=f"{from_us(NOON):%Y-%m-%dT%H:%M}"), from_us(T0 + 2 * MINUTE))
    assert sorted(told(world)) == [("announced", 0), ("announced", 0), ("announced", 60), ("cancelled", 0),
                                   ("cancelled", 60)]  # fmt: skip


def test_channels_hear_of_it_by_their_severities_groups_and_tags(world: World, plant: Plant) -> None:
    shop = world.add("Shop", group="Front", tags=("money",))
    login = world.add("Login", group="Back")
    channels = {
        "pager": channel("Pager", severities=(Severity.CRITICAL,)),
        "reports": channel("Reports", sends_alerts=False, sends_reports=True),
        "front": channel("Front", groups=("Front",)),
        "money": channel("Money", tags=("money",)),
        "back": channel("Back", groups=("Back",)),
    }
    expected = {"pager": 0, "reports": 0, "front": 2, "money": 2, "back": 2}
    plant.plan(endpoint_ids=[shop])
    plant.plan(endpoint_ids=[login])
    plant.plan()
    assert {name: len(told(world, key)) for name, key in channels.items()} == expected


def test_of_several_keepers_one_tells(world: World, plant: Plant, app: Flask) -> None:
    world.add("Shop", at=T0)
    plant.plan(announce_s=1800)

    def work() -> None:
        with app.app_context():
            for now in (NOON - 30 * MINUTE, NOON, NOON + HOUR):
                keep_maintenance(from_us(now))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(world) == [("announced", 0), ("started", 0), ("ended", 0)]


def test_it_arrives_in_words_and_as_data(world: World) -> None:
    shop = world.add("Shop", group="Front")
    post = Post(world)
    with running_hook() as hook:
        post.channel(hook.address)
        Plant(world).plan(endpoint_ids=[shop], title="Update of the database", body="Orders **wait** meanwhile.")
        assert post.after(1)
        content = json.loads(hook.requests[0].body)
    (event,) = content["events"]
    assert content["title"] == (
        f"[Maintenance] Update of the database is planned from {from_us(NOON):%Y-%m-%d %H:%M} UTC to "
        f"{from_us(NOON + HOUR):%H:%M}"
    )
    assert (event["transition"], event["phase"], event["severity"]) == ("maintenance", "announced", "info")
    assert (event["affected"], event["note"]) == (["Shop"], "Orders **wait** meanwhile.")
    assert event["starts_at"] == f"{from_us(NOON):%Y-%m-%dT%H:%M:%SZ}"
