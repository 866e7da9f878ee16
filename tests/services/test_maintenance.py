"""Maintenance keeps itself, whatever was down meanwhile, and its time counts for nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from statusapp.domain.enums import Outcome, Rule
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.queries.maintenance import (
    EVERYTHING,
    list_occurrences,
    list_windows,
    load_in_progress,
    load_past_maintenance,
    load_public_maintenance,
    load_upcoming,
)
from statusapp.queries.uptime import load_uptimes
from statusapp.services import maintenance_plans as plans
from statusapp.services.maintenance import keep_maintenance
from statusapp.services.maintenance_plans import MaintenanceDraft
from statusapp.services.uptime import update_uptime
from tests.services.planting import DOWN, HOUR, NOON, UNKNOWN, UP, WORK, Plant
from tests.world import MINUTE, T0, World


@pytest.fixture
def plant(world: World) -> Plant:
    """An empty world in which work can be planned."""
    return Plant(world)


def test_it_is_announced_started_and_ended_by_itself(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.check_until(T0 + 5 * MINUTE)
    plant.plan(announce_s=1800)
    assert plant.occurrences() == []
    plant.keep(NOON - 30 * MINUTE - SECOND)
    assert plant.occurrences() == []
    plant.keep(NOON - 30 * MINUTE)
    (row,) = plant.occurrences()
    assert (row.starts_at, row.ends_at, row.announced_at) == (NOON, NOON + HOUR, NOON - 30 * MINUTE)
    assert (row.started_at, row.ended_at) == (None, None)
    plant.check_until(NOON)
    plant.keep(NOON + 4 * SECOND)
    (row,) = plant.occurrences()
    assert row.started_at == NOON + 4 * SECOND
    state = world.state(shop)
    assert (state.status, state.status_since, state.maintenance_until) == (WORK, NOON, NOON + HOUR)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 0)]
    plant.check_until(NOON + HOUR)
    plant.keep(NOON + HOUR + SECOND)
    assert plant.occurrences()[0].ended_at == NOON + HOUR + SECOND
    assert world.state(shop).due_at == NOON + HOUR + SECOND
    world.check(NOON + HOUR + SECOND)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 0), (UP, 60)]
    plant.keep(NOON + HOUR + 10 * SECOND)
    assert world.state(shop).maintenance_until is None
    assert plant.said() == ["The maintenance has begun.", "The maintenance is over."]
    assert plant.keep(NOON + 2 * HOUR).startswith("0 announced, 0 started, 0 ended")


def test_checks_go_on_and_what_they_see_changes_nothing(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.keep(NOON)
    plant.check_until(NOON + 30 * MINUTE, Outcome.FAILED)
    plant.check_until(NOON + HOUR - MINUTE)
    assert world.scalar("SELECT COUNT(*) FROM health_check WHERE slot >= :noon", noon=NOON) >= 58
    assert plant.statuses(shop)[-1] == (WORK, 0)
    assert world.state(shop).status == WORK


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_is_still_broken_at_the_end_has_been_down_since_the_end(world: World, plant: Plant, is_kept: bool) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.keep(NOON)
    plant.check_until(NOON + HOUR, Outcome.FAILED)
    assert plant.statuses(shop)[-1] == (WORK, 0)
    if is_kept:  # Even without the task that ends it, the next result knows.
        plant.keep(NOON + HOUR + SECOND)
    plant.check_until(NOON + HOUR + 2 * MINUTE, Outcome.FAILED)
    row = plant.ledger(shop)[-1]
    assert (row.status, row.started_at, row.rule) == (DOWN, NOON + HOUR, Rule.FAILED_IN_A_ROW)
    assert world.state(shop).status_since == NOON + HOUR


def test_one_failure_before_the_end_does_not_date_an_outage_into_it(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.keep(NOON)
    plant.check_until(NOON + HOUR - 2 * MINUTE)
    slot = world.state(shop).due_at
    assert slot < NOON + HOUR
    world.check(slot, Outcome.FAILED)
    plant.keep(NOON + HOUR)
    plant.check_until(NOON + HOUR + 3 * MINUTE, Outcome.FAILED)
    assert [(row.status, row.started_at) for row in plant.ledger(shop)][-2:] == [(WORK, NOON), (DOWN, NOON + HOUR)]


def test_an_outage_before_is_one_and_ends_where_the_work_begins(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.check_until(NOON - 20 * MINUTE)
    plant.check_until(NOON, Outcome.FAILED)
    plant.plan(now=NOON - MINUTE)
    plant.keep(NOON)
    assert [status for status, _ in plant.statuses(shop)] == [UP, DOWN, WORK]
    plant.check_until(NOON + HOUR)
    plant.keep(NOON + HOUR)
    plant.check_until(NOON + HOUR + MINUTE)
    assert plant.statuses(shop)[2:] == [(WORK, 0), (UP, 60)]


def test_what_was_seen_before_a_late_start_belongs_to_the_plan(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.check_until(NOON + 5 * MINUTE, Outcome.FAILED)
    assert plant.statuses(shop)[-1][0] is DOWN
    plant.keep(NOON + 6 * MINUTE)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 0)]


def test_the_time_leaves_the_uptime(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.keep(NOON)
    plant.check_until(NOON + HOUR, Outcome.FAILED)
    plant.keep(NOON + HOUR)
    plant.check_until(NOON + HOUR + MINUTE // 2)
    plant.check_until(NOON + 2 * HOUR)
    end = from_us(NOON + 2 * HOUR)
    update_uptime(end)
    uptime = load_uptimes(shop, end, 0.3)["24h"]
    assert uptime.percent == 100.0
    assert uptime.seconds[WORK] == pytest.approx(3600, abs=1)
    assert uptime.seconds[UP] == pytest.approx(7200, abs=60)
    assert uptime.seconds.get(DOWN, 0) == 0
    day = world.rows("SELECT * FROM uptime_day")[0]
    assert day.maintenance_s == pytest.approx(3600, abs=1)


def test_what_should_have_begun_while_the_system_was_down_begins_late_and_is_dated_to_its_plan(
    world: World, plant: Plant
) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON - 10 * MINUTE)
    plant.keep(NOON + 40 * MINUTE)
    (row,) = plant.occurrences()
    assert (row.started_at, row.ended_at) == (NOON + 40 * MINUTE, None)
    assert plant.statuses(shop)[-1] == (WORK, 0)
    assert world.state(shop).maintenance_until == NOON + HOUR


def test_what_passed_wholly_while_the_system_was_down_is_maintenance_where_nothing_else_is_known(
    world: World, plant: Plant
) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON - 10 * MINUTE)
    plant.keep(NOON + 3 * HOUR)
    (row,) = plant.occurrences()
    assert (row.announced_at is None, row.started_at, row.ended_at) == (False, None, NOON + 3 * HOUR)
    assert plant.said() == ["This maintenance passed while the monitor was not running."]
    assert plant.statuses(shop) == [(UP, -60), (UNKNOWN, -11), (WORK, 0), (UNKNOWN, 60)]
    assert world.state(shop).status_since == NOON + HOUR
    plant.keep(NOON + 3 * HOUR + SECOND)
    world.check(NOON + 3 * HOUR + MINUTE)
    assert plant.statuses(shop)[3:] == [(UNKNOWN, 60), (UP, 181)]


def test_an_outage_that_was_seen_stays_one_though_its_maintenance_was_missed(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON)
    plant.check_until(NOON + 90 * MINUTE, Outcome.FAILED)
    before = plant.statuses(shop)
    plant.keep(NOON + 90 * MINUTE)
    assert plant.occurrences()[0].started_at is None
    assert plant.statuses(shop) == before
    assert before[-1][0] is DOWN


def test_a_gap_that_is_over_keeps_its_beginning_and_its_end(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan()
    plant.check_until(NOON + 20 * MINUTE)
    world.check(NOON + 100 * MINUTE)  # It says first that nothing was known meanwhile.
    known = plant.statuses(shop)
    assert [status for status, _ in known] == [UP, UNKNOWN, UP]
    plant.keep(NOON + 100 * MINUTE + SECOND)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 19), (UNKNOWN, 60), (UP, 100)]
    superseded = world.rows("SELECT * FROM status_change WHERE superseded")
    assert [(row.status, row.rule) for row in superseded] == [(UNKNOWN, Rule.NOT_CHECKED)]


def test_down_through_many_nights_each_is_noted_once(world: World, plant: Plant) -> None:
    world.add("Shop", at=T0)
    plant.plan(rule="FREQ=DAILY")
    plant.keep(NOON + 5 * 24 * HOUR + 30 * MINUTE)
    rows = plant.occurrences()
    assert [row.started_at is None for row in rows] == [True] * 5 + [False, True]
    assert [row.ended_at is None for row in rows] == [False] * 5 + [True, True]
    plant.keep(NOON + 5 * 24 * HOUR + 31 * MINUTE)
    assert plant.occurrences() == rows


def test_two_windows_end_with_the_later_one(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.check_until(NOON)
    plant.plan(minutes=60)
    plant.plan(NOON + 30 * MINUTE, minutes=60)
    plant.keep(NOON)
    assert world.state(shop).maintenance_until == NOON + HOUR
    plant.keep(NOON + 30 * MINUTE)
    assert world.state(shop).maintenance_until == NOON + 90 * MINUTE
    plant.check_until(NOON + 80 * MINUTE)
    plant.keep(NOON + 80 * MINUTE)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 0)]
    plant.check_until(NOON + 90 * MINUTE)
    plant.keep(NOON + 90 * MINUTE)
    plant.check_until(NOON + 92 * MINUTE)
    assert plant.statuses(shop) == [(UP, -60), (WORK, 0), (UP, 90)]


def test_it_is_for_services_groups_and_what_is_added_to_them_meanwhile(world: World, plant: Plant) -> None:
    shop, login, mail = world.add("Shop", group="Front"), world.add("Login"), world.add("Mail")
    group = world.scalar("SELECT id FROM service_group")
    plant.plan(group_ids=[group], endpoint_ids=[login])
    plant.check_until(NOON)
    plant.keep(NOON)
    assert [world.state(key).status for key in (shop, login, mail)] == [WORK, WORK, UP]
    late = world.add("Late", at=NOON + MINUTE, group="Front")
    plant.keep(NOON + 10 * MINUTE)
    row = plant.ledger(late)[-1]
    assert (row.status, row.started_at) == (WORK, NOON + 10 * MINUTE)
    world.execute("UPDATE service_endpoint SET group_id = NULL WHERE id = :id", id=shop)
    plant.keep(NOON + 11 * MINUTE)
    assert world.state(shop).maintenance_until == NOON + 11 * MINUTE
    world.execute("UPDATE service_endpoint SET is_enabled = false WHERE id = :id", id=mail)
    plant.plan(NOON + 12 * MINUTE, now=NOON + 12 * MINUTE)
    assert world.state(mail).maintenance_until is None


def test_what_should_be_going_on_begins_when_it_is_planned_and_not_before(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.check_until(NOON)
    plant.check_until(NOON + 20 * MINUTE, Outcome.FAILED)
    plant.plan(NOON, now=NOON + 20 * MINUTE)
    rows = plant.ledger(shop)
    assert [(row.status, row.started_at >= NOON + 20 * MINUTE) for row in rows[-2:]] == [(DOWN, False), (WORK, True)]
    with pytest.raises(InvalidInput, match="over already"):
        plant.plan(NOON - 2 * HOUR, now=NOON)


def test_called_off_it_ends_at_once_and_there_is_no_more(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    window = plant.plan(rule="FREQ=DAILY")
    plant.check_until(NOON)
    plant.keep(NOON)
    plant.check_until(NOON + 10 * MINUTE)
    plans.cancel_maintenance(window, from_us(NOON + 10 * MINUTE), "ann@example.org")
    assert world.state(shop).maintenance_until == NOON + 10 * MINUTE
    assert world.state(shop).due_at == NOON + 10 * MINUTE
    plant.check_until(NOON + 12 * MINUTE)
    assert plant.statuses(shop)[-2:] == [(WORK, 0), (UP, 10)]
    plant.keep(NOON + 24 * HOUR)
    assert [row.cancelled_at for row in plant.occurrences()] == [NOON + 10 * MINUTE] * len(plant.occurrences())
    assert load_upcoming(from_us(NOON + 10 * MINUTE)) == []
    with pytest.raises(NotFound):
        plans.cancel_maintenance(window, from_us(NOON))


def test_one_night_can_be_called_off_long_before(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    window = plant.plan(rule="FREQ=DAILY")
    night = NOON + 2 * 24 * HOUR
    plans.cancel_occurrence(window, night, from_us(T0))
    with pytest.raises(NotFound, match="does not begin"):
        plans.cancel_occurrence(window, night + MINUTE, from_us(T0))
    with pytest.raises(NotFound, match="over"):
        plans.cancel_occurrence(window, night, from_us(T0))
    plant.keep(NOON + 24 * HOUR)
    assert world.state(shop).status == WORK
    plant.keep(night + 10 * MINUTE)
    assert world.state(shop).maintenance_until <= night
    assert night not in [to_us(item.starts_at) for item in load_public_maintenance(from_us(T0), from_us(night))]
    plant.keep(night + 24 * HOUR)
    assert world.state(shop).maintenance_until == night + 25 * HOUR


def test_a_longer_one_ends_later_and_a_moved_one_begins_when_it_says(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    window = plant.plan()
    draft = MaintenanceDraft("Updates", f"{from_us(NOON):%Y-%m-%dT%H:%M}", 7200, zone="UTC", covers_all=True)
    plant.keep(NOON)
    plans.change_maintenance(window, draft, from_us(NOON + 30 * MINUTE))
    assert world.state(shop).maintenance_until == NOON + 2 * HOUR
    assert plant.occurrences()[0].ends_at == NOON + 2 * HOUR
    other = plant.plan(NOON + 5 * HOUR, now=NOON)
    moved = replace(draft, title="Later", starts=f"{from_us(NOON + 6 * HOUR):%Y-%m-%dT%H:%M}")
    plans.change_maintenance(other, moved, from_us(NOON + HOUR))
    assert [row.starts_at for row in plant.occurrences()] == [NOON, NOON + 6 * HOUR]
    plant.keep(NOON + 2 * HOUR)
    with pytest.raises(InvalidInput, match="over"):
        plans.change_maintenance(window, draft, from_us(NOON + 2 * HOUR))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": ""}, "title"), ({"starts": "soon"}, "starts"), ({"zone": "Nowhere"}, "zone"),
        ({"duration_s": 0}, "duration_s"), ({"rule": "FREQ=SECONDLY"}, "rule"),
        ({"covers_all": False}, "endpoint_ids"), ({"announce_s": -1}, "announce_s"),
        ({"endpoint_ids": [99]}, "endpoint_ids"), ({"group_ids": [99]}, "endpoint_ids"),
        ({"body": "x" * 10_001}, "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_and_leaves_nothing(
    world: World, changed: dict[str, Any], field: str
) -> None:
    draft = MaintenanceDraft("T", "2027-01-01T00:00", 3600, covers_all=True)
    with pytest.raises(InvalidInput) as refused:
        plans.plan_maintenance(replace(draft, **changed), from_us(T0))
    assert refused.value.field == field
    assert world.scalar("SELECT COUNT(*) FROM maintenance_window") == 0


def test_the_public_reads_what_goes_on_what_comes_and_what_was(world: World, plant: Plant) -> None:
    shop = world.add("Shop", at=T0)
    plant.plan(endpoint_ids=[shop])
    (ahead,) = load_upcoming(from_us(NOON - MINUTE))
    assert (ahead.title, ahead.affects, to_us(ahead.starts_at)) == ("Updates", ("Shop",), NOON)
    # By the plan, whatever the task does.
    assert [item.is_going_on(from_us(NOON)) for item in load_in_progress(from_us(NOON))] == [True]
    plant.keep(NOON)
    window = world.scalar("SELECT id FROM maintenance_window")
    plans.add_maintenance_update(window, NOON, "Half **done**.", "ann@example.org", from_us(NOON + MINUTE))
    (now,) = load_in_progress(from_us(NOON + MINUTE))
    assert [entry.body for entry in now.updates] == ["Half **done**.", "The maintenance has begun."]
    plant.keep(NOON + HOUR)
    assert load_in_progress(from_us(NOON + HOUR)) == load_upcoming(from_us(NOON + HOUR)) == []
    (past,) = load_past_maintenance(from_us(NOON + HOUR), 14)
    assert (past.is_over, past.is_cancelled, len(past.updates)) == (True, False, 3)
    assert [item.title for item in list_occurrences(window)] == ["Updates"]


def test_private_windows_and_private_services_are_not_named(world: World, plant: Plant) -> None:
    shop, vault = world.add("Shop"), world.add("Vault", group="Cellar", is_public=False)
    cellar = world.scalar("SELECT id FROM service_group")
    plant.plan(endpoint_ids=[shop, vault], group_ids=[cellar])
    plant.plan(endpoint_ids=[vault], title="Vault work")
    plant.plan(group_ids=[cellar], title="Cellar work")
    plant.plan(is_public=False, title="Quiet")
    found = load_upcoming(from_us(T0))
    assert [(item.title, item.affects) for item in found] == [("Updates", ("Shop",))]
    assert [window.title for window in list_windows(from_us(T0))] == ["Updates", "Vault work", "Cellar work", "Quiet"]
    assert list_windows(from_us(T0))[-1].affects == (EVERYTHING,)


def test_two_keepers_at_once_do_it_once(world: World, plant: Plant, app: Flask) -> None:
    world.add("Shop", at=T0)
    plant.plan()

    def work() -> None:
        with app.app_context():
            keep_maintenance(from_us(NOON))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plant.said() == ["The maintenance has begun."]
    assert world.scalar("SELECT COUNT(*) FROM status_change WHERE status = 5") == 1
