"""The verdict on the monitor's own health."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from statusapp.domain.monitor import DatabaseFacts, Finding, Level, MonitorFacts, TaskFacts, Verdict, judge_health

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=15)
TASK = TaskFacts("run_health_checks_task", next_run_at=NOW + timedelta(seconds=9), last_duration_ms=12)
DATABASE = DatabaseFacts(
    heartbeat_at=NOW - timedelta(seconds=1), oldest_due_at=NOW + timedelta(seconds=2), tasks=(TASK,)
)
HEALTHY = MonitorFacts(started_at=NOW - timedelta(hours=1), check_window=WINDOW, database=DATABASE, workers=2)


def found(verdict: Verdict, name: str) -> Finding:
    return next(finding for finding in verdict.findings if finding.name == name)


def with_database(**changes: object) -> MonitorFacts:
    return replace(HEALTHY, database=replace(DATABASE, **changes))  # type: ignore[arg-type]


def with_task(**changes: object) -> MonitorFacts:
    return with_database(tasks=(replace(TASK, **changes),))  # type: ignore[arg-type]


def test_all_well_is_a_pass() -> None:
    verdict = judge_health(HEALTHY, NOW)
    assert verdict.level is Level.PASS
    assert {finding.level for finding in verdict.findings} == {Level.PASS}


def test_no_database_fails() -> None:
    verdict = judge_health(replace(HEALTHY, database=None, database_error="OperationalError"), NOW)
    assert not verdict.is_usable
    assert found(verdict, "database:responseTime").output == "OperationalError"


@pytest.mark.parametrize(("windows", "level"), [(3.0, Level.PASS), (3.1, Level.FAIL)])
def test_nothing_checked_for_three_windows_fails(windows: float, level: Level) -> None:
    verdict = judge_health(with_database(heartbeat_at=NOW - windows * WINDOW), NOW)
    assert verdict.level is level


@pytest.mark.parametrize(("age_s", "level"), [(60, Level.WARN), (61, Level.FAIL)])
@pytest.mark.parametrize("heartbeat_at", [None, NOW - timedelta(days=1)])
def test_a_process_that_has_just_started_only_warns(age_s: int, level: Level, heartbeat_at: datetime | None) -> None:
    facts = replace(with_database(heartbeat_at=heartbeat_at), started_at=NOW - timedelta(seconds=age_s))
    assert judge_health(facts, NOW).level is level


@pytest.mark.parametrize(
    "facts",
    [
        replace(HEALTHY, workers=None, redis_error="ConnectionError: Redis does not answer."),
        replace(HEALTHY, workers=0),
        with_database(oldest_due_at=NOW - timedelta(seconds=6)),
        with_task(next_run_at=NOW - timedelta(minutes=4)),
        with_task(last_error="ValueError: broken", last_error_at=NOW, last_started_at=NOW - timedelta(seconds=1)),
    ],
    ids=["redis away", "no workers", "checks late", "task late", "task failed"],
)
def test_what_is_late_or_missing_is_a_warning(facts: MonitorFacts) -> None:
    verdict = judge_health(facts, NOW)
    assert verdict.level is Level.WARN
    assert verdict.is_usable


def test_a_task_that_is_running_is_not_late() -> None:
    facts = with_task(next_run_at=NOW - timedelta(minutes=9), running_until=NOW + timedelta(minutes=1))
    assert judge_health(facts, NOW).level is Level.PASS


def test_an_error_of_an_earlier_run_is_forgiven() -> None:
    facts = with_task(last_error="ValueError: broken", last_error_at=NOW - timedelta(hours=2), last_started_at=NOW)
    assert judge_health(facts, NOW).level is Level.PASS


def test_a_task_s_error_is_told_by_its_class_alone() -> None:
    facts = with_task(last_error="psycopg.OperationalError: host db.internal password=x", last_error_at=NOW)
    output = found(judge_health(facts, NOW), "periodicTask:lastDuration").output
    assert output == "The last run failed: psycopg.OperationalError."


def test_a_clock_that_went_back_makes_nothing_negative() -> None:
    verdict = judge_health(with_database(heartbeat_at=NOW + timedelta(hours=1)), NOW)
    assert found(verdict, "checks:sinceHeartbeat").value == 0


@pytest.mark.parametrize(
    ("changes", "level", "output"),
    [
        ({}, Level.PASS, None),
        ({"message_due_at": NOW + timedelta(hours=8)}, Level.PASS, None),
        ({"message_due_at": NOW - timedelta(seconds=100)}, Level.PASS, None),
        ({"message_due_at": NOW - timedelta(minutes=3)}, Level.WARN, "A message has not been delivered."),
        ({"failing_message_at": NOW - timedelta(minutes=3)}, Level.WARN, "A message has not been delivered."),
        ({"broken_channels": 2}, Level.WARN, "Channels that cannot be used: 2."),
    ],
)
def test_messages_that_nobody_takes_are_a_warning(changes: dict[str, object], level: Level, output: str | None) -> None:
    finding = found(judge_health(with_database(**changes), NOW), "messages:oldestUndelivered")
    assert (finding.level, finding.output) == (level, output)
    assert isinstance(finding.value, float)
    assert finding.value >= 0
