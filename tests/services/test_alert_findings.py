"""What the rules find: late heartbeats, slow and failing checks, busy hosts, certificates, the monitor itself."""

from __future__ import annotations

from typing import Any

import pytest

from statusapp.database import write_connection, write_transaction
from statusapp.domain.enums import AlertKind, Outcome, Severity, Transition
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.models import MetricHost, PeriodicTask, SystemMetric
from statusapp.services import alerts, rules
from statusapp.services.alert_monitor import evaluate_monitor
from statusapp.services.alert_sweep import evaluate_all
from statusapp.services.alerting import TASK, sweep
from tests.services.alert_story import HOUR, fail_until, make_page, told
from tests.world import MINUTE, T0, World


@pytest.fixture(autouse=True)
def page(world: World) -> None:
    """A page with one channel."""
    make_page()


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


def test_requests_that_fail_are_found_when_there_are_enough_and_over_when_they_stop(world: World) -> None:
    start = T0 // (5 * MINUTE) * 5 * MINUTE
    for number, (route, count, failures) in enumerate((("/pay", 40, 10), ("/few", 10, 10), ("/fine", 400, 2)), 1):
        world.execute(
            "INSERT INTO tracked_route (id, service, method, route) VALUES (:id, 'shop', 'POST', :route)",
            id=number, route=route,
        )  # fmt: skip
        world.execute(
            "INSERT INTO request_rollup (route_id, step_s, start, count, failures, client_errors, slow, went_away,"
            " sum_us, min_us, max_us, histogram) VALUES (:id, 300, :start, :count, :failures, 0, 0, 0, 1, 1, 1, :none)",
            id=number, start=start, count=count, failures=failures, none=b"",
        )  # fmt: skip
    evaluate_all(start + 5 * MINUTE - SECOND)
    assert told(world) == [(Transition.FIRED, "shop POST /pay")]
    assert "25" in world.scalar("SELECT found FROM alert")
    # While the rule is muted nothing is said either way.
    rules.mute_rule(AlertKind.REQUEST_ERRORS, muted=True)
    evaluate_all(start + 5 * MINUTE)
    assert len(told(world)) == 1
    rules.mute_rule(AlertKind.REQUEST_ERRORS, muted=False)
    evaluate_all(start + HOUR)
    assert told(world)[1:] == [(Transition.RESOLVED, "shop POST /pay")]


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


def test_whoever_judges_the_monitor_it_is_told_of_once(world: World) -> None:
    world.add("Shop", at=T0)
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    evaluate_monitor(T0 + 30 * MINUTE)
    evaluate_all(T0 + 31 * MINUTE)
    evaluate_monitor(T0 + 32 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Checks")]
    fail_until(world, T0 + 33 * MINUTE, Outcome.OK)
    evaluate_monitor(T0 + 33 * MINUTE)
    evaluate_all(T0 + 33 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Checks"), (Transition.RESOLVED, "Checks")]


def test_what_is_late_because_the_system_was_down_is_told_of_only_if_it_stays_so(world: World) -> None:
    world.add("Shop", at=T0)
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    with write_transaction(db.session) as session:
        session.add(PeriodicTask(name=TASK, next_run_at=from_us(T0 + HOUR), last_finished_at=from_us(T0)))
    sweep(from_us(T0 + HOUR))
    assert told(world) == []
    world.execute("UPDATE periodic_task SET last_finished_at = :at", at=str(from_us(T0 + HOUR)))
    sweep(from_us(T0 + HOUR + 3 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Checks")]
    # Who comes back then does not take it for mended either.
    sweep(from_us(T0 + 2 * HOUR))
    assert len(told(world)) == 1


@pytest.mark.parametrize(
    ("subject", "trouble", "found"),
    [
        ("tasks", "INSERT INTO periodic_task (name, next_run_at, run_count) VALUES ('x_task', :late, 0)",
         "x_task has not run"),
        ("tasks", "INSERT INTO periodic_task (name, next_run_at, run_count, last_error, last_error_at) "
         "VALUES ('x_task', :soon, 1, 'OSError: disk full', :late)", "x_task failed: OSError: disk full"),
        ("deliveries", "UPDATE channel_state SET due_at = :us", "messages wait that no receiver takes"),
        ("deliveries", "UPDATE channel_state SET broken_since = :us", "1 channels refuse every message"),
        ("network", "INSERT INTO check_window (host, process_id, checks, started_at, heartbeat_at, cut_off_since) "
         "VALUES ('a', 1, 0, :us, :us, :us)",
         "canary targets cannot be reached"),
    ],
)  # fmt: skip
def test_each_trouble_of_the_monitor_is_a_subject_of_its_own(
    world: World, subject: str, trouble: str, found: str
) -> None:
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    world.execute("INSERT INTO channel_state (channel_id, fence, failures) SELECT id, 0, 0 FROM notification_channel")
    values = {"late": str(from_us(T0 - HOUR)), "soon": str(from_us(T0 + MINUTE)), "us": T0 - HOUR}
    world.execute(trouble, **{name: value for name, value in values.items() if f":{name}" in trouble})
    evaluate_monitor(T0)
    (alert,) = world.rows("SELECT subject, found FROM alert")
    assert alert.subject == f"monitor:{subject}"
    assert found in alert.found


def test_a_job_that_nobody_takes_is_told_of(world: World) -> None:
    rules.mute_rule(AlertKind.MONITOR, muted=False)
    add_reading(cpu_percent=1, disk_percent=1, details={"oldest_job_s": 660})
    evaluate_all(T0)
    (alert,) = world.rows("SELECT subject, found FROM alert")
    assert tuple(alert) == ("monitor:queue", "a job has waited for 11 min for a worker")
