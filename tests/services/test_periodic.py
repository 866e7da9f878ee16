"""Periodic tasks: the row decides, once, whoever woke it; what happened is on record."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import PeriodicTask, StatusPageSettings
from statusapp.services import periodic
from tests.world import World

ALERTING = "check_endpoint_alerting_task"


def row(name: str) -> PeriodicTask:
    db.session.rollback()
    found = db.session.get(PeriodicTask, name, populate_existing=True)
    assert found is not None
    return found


def make_due(world: World, name: str) -> None:
    with write_transaction(db.session) as session:
        session.get_one(PeriodicTask, name).next_run_at = utcnow() - timedelta(seconds=1)


def test_the_tasks_are_those_of_the_specification(world: World, settings: Settings) -> None:
    cadences = {cadence.name: cadence for cadence in periodic.cadences(settings)}
    assert cadences["collect_system_metrics_task"].every == timedelta(minutes=10)
    assert cadences["cleanup_old_health_data_task"].every == timedelta(days=1)
    assert cadences[ALERTING].every == timedelta(minutes=3)
    assert cadences["update_endpoint_uptime_task"].every == timedelta(hours=1)
    report = cadences["generate_daily_report_task"].at
    assert report is not None
    assert (report.hour, report.minute) == (0, 30)
    periodic.ensure_tasks(settings, utcnow())
    assert {name for (name,) in world.rows("SELECT name FROM periodic_task")} == set(cadences)


def test_the_report_is_due_at_half_past_midnight_in_the_pages_zone(world: World, settings: Settings) -> None:
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, time_zone="America/New_York"))
    periodic.ensure_tasks(settings, datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    assert row("generate_daily_report_task").next_run_at == datetime(2026, 7, 2, 4, 30, tzinfo=UTC)


def test_setting_up_twice_keeps_the_times_and_a_shorter_interval_pulls_them_in(
    world: World, settings: Settings
) -> None:
    now = utcnow()
    periodic.ensure_tasks(settings, now)
    world.execute("INSERT INTO periodic_task (name, next_run_at, run_count) VALUES ('gone_task', :now, 0)", now=now)
    with write_transaction(db.session) as session:
        session.get_one(PeriodicTask, ALERTING).next_run_at = now + timedelta(seconds=170)
    periodic.ensure_tasks(settings, now + timedelta(seconds=5))
    assert row(ALERTING).next_run_at == now + timedelta(seconds=170)
    assert world.rows("SELECT 1 FROM periodic_task WHERE name = 'gone_task'") == []
    periodic.ensure_tasks(replace(settings, alerting_interval=20), now)
    assert row(ALERTING).next_run_at == now + timedelta(seconds=20)


def test_a_run_is_on_record_and_the_next_wake_up_comes_too_early(world: World, settings: Settings) -> None:
    periodic.ensure_tasks(settings, utcnow())
    make_due(world, ALERTING)
    assert periodic.run_task(settings, ALERTING, lambda _now: "looked around")
    found = row(ALERTING)
    assert (found.last_result, found.last_error, found.running_until, found.run_count) == (
        "looked around",
        None,
        None,
        1,
    )
    assert found.last_duration_ms is not None
    assert timedelta(seconds=170) < found.next_run_at - utcnow() <= timedelta(seconds=180)
    assert not periodic.run_task(settings, ALERTING, lambda _now: pytest.fail("it is not due"))


def test_a_failure_is_on_record_raised_and_tried_again_within_a_minute(world: World, settings: Settings) -> None:
    periodic.ensure_tasks(settings, utcnow())
    make_due(world, ALERTING)

    def fail(_now: datetime) -> str:
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        periodic.run_task(settings, ALERTING, fail)
    found = row(ALERTING)
    assert found.last_error == "LookupError: no such thing"
    assert found.last_error_at is not None
    assert found.running_until is None
    assert found.next_run_at - utcnow() <= timedelta(minutes=1)


def test_a_failure_in_the_middle_of_a_transaction_is_on_record_too(world: World, settings: Settings) -> None:
    periodic.ensure_tasks(settings, utcnow())
    make_due(world, ALERTING)

    def fail(_now: datetime) -> str:
        with write_transaction(db.session) as session:
            session.add(PeriodicTask(name=ALERTING + "_too", next_run_at=None))
        return "never"

    with pytest.raises(IntegrityError):
        periodic.run_task(settings, ALERTING, fail)
    assert row(ALERTING).last_error


def test_of_many_wake_ups_at_once_one_runs(app: Flask, world: World, settings: Settings) -> None:
    periodic.ensure_tasks(settings, utcnow())
    make_due(world, ALERTING)
    runs: list[datetime] = []
    start = threading.Barrier(5)

    def work(now: datetime) -> str:
        runs.append(now)
        return ""

    def wake() -> None:
        with app.app_context():
            start.wait()
            periodic.run_task(settings, ALERTING, work)

    threads = [threading.Thread(target=wake) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1


def test_a_run_that_was_never_heard_of_again_is_overdue_after_its_lease(world: World, settings: Settings) -> None:
    now = utcnow()
    periodic.ensure_tasks(settings, now)
    with write_transaction(db.session) as session:
        lost = session.get_one(PeriodicTask, ALERTING)
        lost.next_run_at, lost.running_until = now - timedelta(minutes=5), now + timedelta(minutes=1)
    grace = timedelta(seconds=10)
    assert ALERTING not in periodic.overdue_tasks(now, grace)
    assert ALERTING in periodic.overdue_tasks(now + timedelta(minutes=2), grace)


def test_due_times_are_those_of_the_rows(world: World, settings: Settings) -> None:
    now = utcnow()
    periodic.ensure_tasks(settings, now)
    due: dict[str, Any] = periodic.due_times()
    assert due["run_health_checks_task"] == now
    assert due["cleanup_old_health_data_task"] == now + timedelta(minutes=10)
