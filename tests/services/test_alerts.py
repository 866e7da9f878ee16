"""Alerts as stories: who is told, once, of what; and who is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statusapp.clock import utcnow
from statusapp.database import write_connection, write_transaction
from statusapp.domain.alert_life import Step
from statusapp.domain.alert_rules import Case, Judgement, RuleValues
from statusapp.domain.enums import AlertKind, Outcome, Severity, Status, Transition
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.models import MetricHost, NotificationChannel, StatusPageSettings, SystemMetric
from statusapp.services import alerts, rules
from statusapp.services.alert_sweep import evaluate_all
from statusapp.services.alerting import sweep
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE


@pytest.fixture(autouse=True)
def channel(world: World) -> None:
    """A page with one channel, which wants everything."""
    with write_transaction(db.session) as session:
        if session.get(StatusPageSettings, 1) is None:
            session.add(StatusPageSettings(id=1))
        session.add(
            NotificationChannel(
                name="Ops",
                kind="webhook",
                target="http://***",
                created_at=utcnow(),
                updated_at=utcnow(),
                groups=[],
                tags=[],
            )
        )
    rules.ensure_defaults()
    # In these stories nobody makes the checks that fall due, and nobody sends; that is not what most of them are about.
    rules.mute_rule(AlertKind.MONITOR, muted=True)


def fail_until(world: World, until: int, outcome: Outcome = Outcome.FAILED) -> int:
    """Make every check that falls due, of all services, up to an instant; the instant of the last."""
    last = 0
    while True:
        due = world.scalar("SELECT MIN(due_at) FROM endpoint_state")
        if due is None or due > until:
            return last
        for claimed in world.claim(due):
            last = max(due, claimed[0].slot) + 10_000
            world.apply(claimed, last, outcome)


def told(world: World) -> list[tuple[Transition, str]]:
    """What is in the outbox, in its order."""
    rows = world.rows("SELECT transition, data FROM alert_delivery ORDER BY id")
    return [(Transition(row.transition), data_of(row)["name"]) for row in rows]


def data_of(row: Any) -> dict[str, Any]:
    """The frozen data of a message."""
    found: dict[str, Any] = row.data if isinstance(row.data, dict) else json.loads(row.data)
    return found


def test_down_for_ten_minutes_is_told_once_and_its_end_once(world: World) -> None:
    world.add("Shop", at=T0)
    fail_until(world, T0 + 9 * MINUTE)
    assert told(world) == []
    fail_until(world, T0 + 30 * MINUTE)
    sweep(from_us(T0 + 30 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop")]
    fail_until(world, T0 + 34 * MINUTE, Outcome.OK)
    sweep(from_us(T0 + 35 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop"), (Transition.RESOLVED, "Shop")]
    fired, resolved = (data_of(row) for row in world.rows("SELECT data FROM alert_delivery ORDER BY id"))
    began = world.scalar("SELECT started_at FROM status_change WHERE status = 4")
    assert (fired["since"], fired["found"], fired["status"]) == (began, "connection refused", "major_outage")
    assert resolved["resolved_at"] == world.scalar("SELECT status_since FROM endpoint_state")
    assert resolved["lasted_us"] == resolved["resolved_at"] - began


def test_without_a_delay_the_confirming_check_itself_tells(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 2 * MINUTE)
    (alert,) = world.rows("SELECT fired_at, since FROM alert")
    (change,) = world.rows("SELECT recorded_at, started_at FROM status_change WHERE status = 4")
    assert (alert.fired_at, alert.since) == (change.recorded_at, change.started_at)


def test_two_evaluators_tell_of_it_once(world: World) -> None:
    world.add("Shop", at=T0)
    fail_until(world, T0 + 9 * MINUTE)
    world.execute("DELETE FROM alert_delivery")
    for _ in range(3):
        evaluate_all(T0 + 20 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop")]
    assert world.scalar("SELECT COUNT(*) FROM alert") == 1


def test_a_reminder_comes_at_its_interval_until_somebody_is_at_it(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "repeat_s": 3600})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 3 * HOUR)
    assert [transition for transition, _ in told(world)] == [Transition.FIRED, Transition.REMINDED, Transition.REMINDED]
    alert_id = world.scalar("SELECT id FROM alert")
    alerts.acknowledge(alert_id, "ann@example.org", "Looking at it", T0 + 3 * HOUR)
    fail_until(world, T0 + 6 * HOUR)
    assert len(told(world)) == 3
    fail_until(world, T0 + 6 * HOUR + 4 * MINUTE, Outcome.OK)
    assert told(world)[-1] == (Transition.RESOLVED, "Shop")
    with pytest.raises(NotFound):
        alerts.acknowledge(alert_id, "ann@example.org", "", T0 + 7 * HOUR)


def test_a_child_of_what_is_down_is_not_told_of_but_named(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    parent = world.add("Database", at=T0)
    child = world.add("Shop", at=T0)
    world.execute("INSERT INTO endpoint_dependency VALUES (:child, :parent)", child=child, parent=parent)
    fail_until(world, T0 + 10 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Database")]
    assert data_of(world.rows("SELECT data FROM alert_delivery")[0])["affected"] == ["Shop"]


def test_a_muted_service_alerts_nobody_until_its_time_is_over(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    endpoint_id = world.add("Shop", at=T0)
    rules.mute_endpoint(endpoint_id, muted=True, until=T0 + HOUR)
    fail_until(world, T0 + HOUR - SECOND)
    assert told(world) == []
    fail_until(world, T0 + HOUR + 3 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop")]


def test_a_muted_rule_raises_nothing(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    rules.mute_rule(AlertKind.DOWN, muted=True)
    world.add("Shop", at=T0)
    fail_until(world, T0 + 10 * MINUTE)
    assert told(world) == []
    rules.mute_rule(AlertKind.DOWN, muted=False)
    sweep(from_us(T0 + 11 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop")]


def test_a_rule_can_be_muted_for_one_service_alone(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    quiet = world.add("Quiet", at=T0)
    world.add("Loud", at=T0)
    rules.mute_rule(AlertKind.DOWN, muted=True, endpoint_id=quiet)
    fail_until(world, T0 + 5 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Loud")]
    rules.mute_rule(AlertKind.DOWN, muted=False, endpoint_id=quiet)
    sweep(from_us(T0 + 6 * MINUTE))
    assert told(world)[-1] == (Transition.FIRED, "Quiet")


def test_the_rule_of_a_service_goes_before_the_one_for_everything(world: World) -> None:
    quick, slow = world.add("Quick", at=T0), world.add("Slow", at=T0)
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "severity": Severity.WARNING}, endpoint_id=quick)
    fail_until(world, T0 + 5 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Quick")]
    assert world.scalar("SELECT severity FROM alert") == Severity.WARNING
    rules.reset_rule(AlertKind.DOWN, endpoint_id=quick)
    with pytest.raises(NotFound):
        rules.reset_rule(AlertKind.DOWN, endpoint_id=slow)


def test_silence_and_maintenance_neither_fire_nor_resolve(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    endpoint_id = world.add("Shop", at=T0)
    last = fail_until(world, T0 + 5 * MINUTE)
    sweep(from_us(last + HOUR))  # Nothing has been checked since.
    assert world.state(endpoint_id).status == Status.UNKNOWN
    assert told(world) == [(Transition.FIRED, "Shop")]
    assert world.scalar("SELECT resolved_at FROM alert") is None


def test_what_comes_and_goes_is_said_once(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0, retries=0, successes_to_confirm=1)
    now = T0
    for number in range(40):
        due = world.scalar("SELECT MIN(due_at) FROM endpoint_state")
        now = max(now, due)
        (claimed,) = world.claim(now)
        world.apply(claimed, max(now, claimed[0].slot) + 10_000, Outcome.FAILED if number % 2 else Outcome.OK)
    transitions = [transition for transition, _ in told(world)]
    assert Transition.FLAPPING in transitions
    assert len(transitions) <= 4
    fail_until(world, now + 40 * MINUTE, Outcome.OK)
    sweep(from_us(now + 41 * MINUTE))
    assert told(world)[-1] == (Transition.RESOLVED, "Shop")
    assert world.scalar("SELECT COUNT(*) FROM alert WHERE resolved_at IS NULL") == 0


def test_a_heartbeat_that_is_late_is_told_at_once_by_its_own_rule(world: World) -> None:
    endpoint_id = world.add("Backup", at=T0, url="heartbeat:")
    with write_connection(db.engine) as connection:
        connection.exec_driver_sql(
            f"UPDATE endpoint_state SET status = 4, status_since = {T0} WHERE endpoint_id = {endpoint_id}"
        )
        alerts.on_results(connection, [endpoint_id], T0 + SECOND)
    assert world.scalar("SELECT kind FROM alert") == AlertKind.HEARTBEAT_LATE


def test_slow_answers_and_failing_checks_are_found_by_the_sweep(world: World) -> None:
    slow, failing = world.add("Slow", at=T0, slow_ms=500), world.add("Failing", at=T0)
    world.store_checks(
        slow, [(T0 + number * MINUTE, Outcome.OK, 900_000 if number % 4 == 0 else 9_000) for number in range(15)]
    )
    world.store_checks(
        failing, [(T0 + number * MINUTE, Outcome.FAILED if number % 3 else Outcome.OK, 9_000) for number in range(15)]
    )
    world.execute("UPDATE endpoint_state SET status = 1, silent_after = NULL, status_since = :at", at=T0)
    evaluate_all(T0 + 15 * MINUTE)
    found = {row.name: (AlertKind(row.kind), row.found) for row in world.rows("SELECT kind, name, found FROM alert")}
    assert found == {
        "Slow": (AlertKind.SLOW, "4 of 15 answers in 15 min took longer than 0.5 s, the slowest 0.90 s"),
        "Failing": (AlertKind.CHECK_ERRORS, "10 of 15 checks in 60 min failed"),
    }
    evaluate_all(T0 + 3 * HOUR)
    assert world.scalar("SELECT COUNT(*) FROM alert WHERE resolved_at IS NULL") == 0


def add_reading(minutes: int = 0, cpu_percent: float = 97, disk_percent: float = 91, **values: Any) -> None:
    """A reading of web-1, so many minutes before T0."""
    figures = dict.fromkeys(
        ("load_1m", "load_5m", "load_15m", "memory_percent", "memory_used_mb", "memory_total_mb", "disk_free_mb",
         "network_sent_bytes", "network_received_bytes"), 1,
    )  # fmt: skip
    with write_transaction(db.session) as session:
        session.merge(MetricHost(host="web-1", next_at=from_us(T0 + 10 * MINUTE)))
        session.add(
            SystemMetric(
                taken_at=from_us(T0 - minutes * MINUTE),
                host="web-1",
                cpu_percent=cpu_percent,
                disk_percent=disk_percent,
                **figures,
                **values,
            )
        )


def test_a_host_that_is_busy_for_long_is_told_of(world: World) -> None:
    for minutes in (0, 10, 20):
        add_reading(minutes, details={"cpu_cores_percent": [1, 2]})
    evaluate_all(T0)
    found = {AlertKind(row.kind): row.found for row in world.rows("SELECT kind, found FROM alert")}
    assert found == {
        AlertKind.CPU: "CPU is at 97.0 %, above 90 % for 10 min",
        AlertKind.DISK: "the disk is at 91.0 %, above 90 %",
    }


def test_a_certificate_is_told_of_at_each_step(world: World) -> None:
    world.add("Shop", at=T0)
    day = 24 * HOUR
    world.execute(
        "UPDATE endpoint_state SET status = 1, silent_after = NULL, certificate_expires_at = :at", at=T0 + 31 * day
    )
    for days in (0, 2, 3, 18, 19, 25, 30):
        evaluate_all(T0 + days * day + HOUR)
    assert [transition for transition, _ in told(world)] == [Transition.FIRED, *[Transition.REMINDED] * 3]
    assert world.scalar("SELECT severity FROM alert WHERE kind = 10") == Severity.CRITICAL
    world.execute("UPDATE endpoint_state SET certificate_expires_at = :at", at=T0 + 400 * day)
    evaluate_all(T0 + 31 * day)
    assert told(world)[-1] == (Transition.RESOLVED, "Shop")


def test_the_monitor_tells_of_its_own_trouble(world: World) -> None:
    world.add("Shop", at=T0)
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    evaluate_all(T0 + 30 * MINUTE)  # A check has been due for half an hour.
    (alert,) = world.rows("SELECT kind, subject, name FROM alert")
    assert (AlertKind(alert.kind), alert.subject, alert.name) == (AlertKind.MONITOR, "monitor:checks", "Checks")


def test_a_job_that_nobody_takes_is_told_of(world: World) -> None:
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    add_reading(cpu_percent=1, disk_percent=1, details={"oldest_job_s": 660})
    evaluate_all(T0)
    (alert,) = world.rows("SELECT subject, found FROM alert")
    assert tuple(alert) == ("monitor:queue", "a job has waited for 11 min for a worker")


def test_what_is_paused_is_over(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 5 * MINUTE)
    world.execute("UPDATE service_endpoint SET is_enabled = false")
    evaluate_all(T0 + 6 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop"), (Transition.RESOLVED, "Shop")]


def test_a_thousand_at_once_cost_a_number_of_statements_that_does_not_grow_with_them(world: World) -> None:
    from sqlalchemy import event

    counts = []
    for size in (10, 1000):
        rule = RuleValues(AlertKind.MONITOR, Severity.CRITICAL)
        cases = [
            Case(rule, f"monitor:{size}-{number}", f"Part {number}", Judgement.WRONG, severity=Severity.CRITICAL)
            for number in range(size)
        ]
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            with write_connection(db.engine) as connection:
                assert alerts.settle(connection, cases, T0) == {Step.FIRE: size}
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 6
    assert world.scalar("SELECT COUNT(*) FROM alert_delivery") == 1010
