"""What a daily report says: of services, incidents, requests, hosts, certificates, alerts and of the monitor itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from statusapp.database import write_transaction
from statusapp.domain import report_texts
from statusapp.domain.enums import (
    AlertKind,
    Impact,
    IncidentStatus,
    Outcome,
    Severity,
    Status,
)
from statusapp.domain.histogram import bucket_of, encode
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    Incident,
    IncidentEndpoint,
    MetricHost,
    PeriodicTask,
    RequestLoss,
    RequestRollup,
    SystemMetricHour,
    TrackedRoute,
)
from statusapp.services import reports, rollups
from tests.services.reporting import DAY, HOUR, MIDNIGHT, NIGHT, THE_DAY, channel, report_of, set_zone
from tests.world import MINUTE, T0, World


def test_a_service_is_told_by_its_ledger_and_its_hours(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 30 * MINUTE, took_us=5000)
    world.run_for(endpoint_id, T0 + 40 * MINUTE, Outcome.FAILED)
    world.run_for(endpoint_id, T0 + 60 * MINUTE, took_us=5000)
    rollups.roll_up_checks(from_us(T0 + 61 * MINUTE))
    reports.generate_reports(NIGHT)
    (service,) = report_of()["services"]
    made = world.scalar("SELECT COUNT(*) FROM health_check")
    failed = world.scalar("SELECT COUNT(*) FROM health_check WHERE outcome = 2")
    assert (service["name"], service["checks"], service["failures"]) == ("Shop", made, failed)
    assert service["error_percent"] == pytest.approx(100 * failed / made)
    assert (service["outages"], service["mean_response_s"]) == (1, pytest.approx(0.005))
    assert service["p95_s"] == pytest.approx(0.005, rel=0.05)
    (down,) = world.rows("SELECT * FROM status_change WHERE status = 4 AND NOT superseded")
    assert service["downtime_s"] == pytest.approx((down.ended_at - down.started_at) / SECOND)
    assert 8 * 60 <= service["downtime_s"] <= 13 * 60


def test_what_nobody_has_seen_is_unknown_even_before_the_sweep_says_so(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 30 * MINUTE)
    last = world.state(endpoint_id).last_checked_at
    assert world.scalar("SELECT COUNT(*) FROM status_change WHERE status = 0 AND started_at > :at", at=T0) == 0
    reports.generate_reports(NIGHT)
    (service,) = report_of()["services"]
    assert service["uptime_percent"] == 100
    assert service["unknown_s"] >= (MIDNIGHT + DAY - last) / SECOND
    assert report_of()["monitor"]["unknown_s"] == service["unknown_s"]
    assert report_of()["monitor"]["unknown_services"] == 1


def test_the_response_time_is_set_against_the_seven_days_before(world: World) -> None:
    endpoint_id = world.add("Shop", at=MIDNIGHT - 9 * DAY)
    for day, took in ((-8, 900_000), (-7, 100_000), (-1, 100_000), (0, 200_000)):
        start = MIDNIGHT + day * DAY + 10 * HOUR
        world.store_checks(endpoint_id, [(start + n * MINUTE, Outcome.OK, took) for n in range(30)])
    world.pull_back("latency", MIDNIGHT - 9 * DAY)
    reports.generate_reports(NIGHT)
    (service,) = report_of()["services"]
    assert service["p95_s"] == pytest.approx(0.2, rel=0.05)
    assert service["week_p95_s"] == pytest.approx(0.1, rel=0.05)
    assert "+100 %" in report_texts.text(report_of())


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 25), 25), (date(2026, 3, 29), 23)])
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(world: World, day: date, hours: int) -> None:
    set_zone("Europe/Berlin")
    noon = to_us(datetime.fromisoformat(f"{day}T12:00:00+00:00"))
    endpoint_id = world.add("Shop", at=noon - 3 * DAY)
    world.change(endpoint_id, Status.OPERATIONAL, noon - 2 * DAY)
    world.store_checks(endpoint_id, [(noon - 30 * HOUR + n * 30 * MINUTE, Outcome.OK, 5000) for n in range(120)])
    world.pull_back("latency", noon - 3 * DAY)
    reports.generate_reports(from_us(noon + DAY))
    (service,) = report_of(day)["services"]
    up = hours * 3600 - service["unknown_s"]
    assert service["checks"] == 2 * hours
    assert up + service["unknown_s"] == hours * 3600
    begin, end = (datetime.fromisoformat(report_of(day)[name]) for name in ("start", "end"))
    assert end - begin == timedelta(hours=hours)


def test_a_zone_at_half_past_has_a_day_of_24_hours_of_checks(world: World) -> None:
    set_zone("Asia/Kolkata")
    endpoint_id = world.add("Shop", at=MIDNIGHT - 3 * DAY)
    world.store_checks(
        endpoint_id, [(MIDNIGHT - 2 * DAY + n * 30 * MINUTE, Outcome.OK, 5000) for n in range(2 * 24 * 4)]
    )
    world.pull_back("latency", MIDNIGHT - 3 * DAY)
    reports.generate_reports(from_us(MIDNIGHT + DAY))
    assert report_of()["services"][0]["checks"] == 48
    assert report_of()["start"] == "2026-11-23T18:30:00Z"


def test_a_deleted_service_leaves_the_next_report_and_stays_in_the_old_one(world: World) -> None:
    shop, _ = world.add("Shop", at=T0), world.add("Till", at=T0)
    reports.generate_reports(NIGHT)
    world.execute("DELETE FROM service_endpoint WHERE id = :id", id=shop)
    reports.generate_reports(NIGHT + timedelta(days=1))
    assert [service["name"] for service in report_of()["services"]] == ["Shop", "Till"]
    assert [service["name"] for service in report_of(date(2026, 11, 25))["services"]] == ["Till"]


def test_a_service_that_was_made_later_is_not_in_it(world: World) -> None:
    world.add("Shop", at=T0)
    world.add("Till", at=MIDNIGHT + DAY)
    reports.generate_reports(NIGHT)
    assert [service["name"] for service in report_of()["services"]] == ["Shop"]


def test_incidents_of_the_day_are_told_with_what_they_affect(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)

    def incident(title: str, started_at: int, resolved_at: int | None, **more: Any) -> None:
        with write_transaction(db.session) as session:
            row = Incident(
                title=title, status=IncidentStatus.INVESTIGATING, impact=Impact.MAJOR, is_public=True,
                started_at=started_at, resolved_at=resolved_at, created_at=started_at, updated_at=started_at, **more,
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add(IncidentEndpoint(incident_id=row.id, endpoint_id=endpoint_id, status=Status.MAJOR_OUTAGE))

    incident("over before", MIDNIGHT - 2 * HOUR, MIDNIGHT - HOUR)
    incident("since yesterday", MIDNIGHT - HOUR, MIDNIGHT + HOUR, impact_override=Impact.MINOR)
    incident("goes on", MIDNIGHT + 23 * HOUR, None)
    incident("next day", MIDNIGHT + DAY, None)
    reports.generate_reports(NIGHT)
    found = report_of()["incidents"]
    assert [(row["title"], row["impact"], row["lasted_s"]) for row in found] == [
        ("since yesterday", "minor", 7200.0),
        ("goes on", "major", 3600.0),
    ]
    assert found[1]["resolved_at"] is None
    assert found[0]["services"] == ["Shop"]


def test_requests_are_told_by_application_and_route(world: World) -> None:
    world.add("Shop", at=T0)
    with write_transaction(db.session) as session:
        for number, (service, route, took, failures) in enumerate(
            [("shop", "/slow", 900_000, 0), ("shop", "/quick", 1000, 5), ("till", "/rare", 2_000_000, 0)], 1
        ):
            count = 2 if route == "/rare" else 100
            session.add(TrackedRoute(id=number, service=service, method="GET", route=route))
            for start, factor in ((MIDNIGHT + 9 * HOUR, 1), (MIDNIGHT - HOUR, 50)):
                session.add(
                    RequestRollup(
                        route_id=number, step_s=300, start=start, count=count * factor, failures=failures * factor,
                        client_errors=1, slow=0, went_away=0, sum_us=count * factor * took, min_us=took, max_us=took,
                        histogram=encode({bucket_of(took): count * factor}),
                    )
                )  # fmt: skip
    reports.generate_reports(NIGHT)
    requests = report_of()["requests"]
    assert (requests["count"], requests["failures"]) == (202, 5)
    assert [(row["name"], row["count"], row["error_percent"]) for row in requests["services"]] == [
        ("shop", 200, 2.5), ("till", 2, 0.0),
    ]  # fmt: skip
    # Two requests make no p95.
    assert [row["route"] for row in requests["slowest"]] == ["/slow", "/quick"]
    assert [row["route"] for row in requests["failing"]] == ["/quick"]


def test_hosts_are_told_with_means_and_peaks(world: World) -> None:
    world.add("Shop", at=T0)
    with write_transaction(db.session) as session:
        session.add(MetricHost(host="web-1", next_at=from_us(T0)))
        for hour, count, cpu in ((9, 6, 10.0), (10, 2, 90.0), (-1, 6, 100.0), (24, 6, 100.0)):
            figures = {f"{name}_{what}": cpu / 10 for name in ("load", "memory", "disk") for what in ("mean", "max")}
            session.add(
                SystemMetricHour(
                    host="web-1", hour=MIDNIGHT + hour * HOUR, count=count, cpu_mean=cpu, cpu_max=cpu + 5, **figures
                )
            )
    reports.generate_reports(NIGHT)
    (host,) = report_of()["hosts"]
    assert host["cpu_percent"] == {"mean": 30.0, "peak": 95.0, "peak_hour": "2026-11-24T10:00:00Z"}
    assert host["load"]["peak"] == 9.0


def test_certificates_that_end_within_thirty_days_are_told(world: World) -> None:
    here = to_us(NIGHT)
    for name, left in (("Far", 31 * DAY), ("Near", 29 * DAY + HOUR), ("Gone", -HOUR), ("None", None)):
        number = world.add(name, at=T0)
        world.execute(
            "UPDATE endpoint_state SET certificate_expires_at = :at WHERE endpoint_id = :id",
            at=None if left is None else here + left, id=number,
        )  # fmt: skip
    reports.generate_reports(NIGHT)
    assert [(row["name"], row["days_left"]) for row in report_of()["certificates"]] == [("Gone", -1), ("Near", 29)]


def test_alerts_of_the_day_that_nobody_acknowledged(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    for number, (fired_at, severity, acknowledged_at, resolved_at) in enumerate(
        [
            (MIDNIGHT - 1, Severity.CRITICAL, None, None),
            (MIDNIGHT, Severity.WARNING, None, None),
            (MIDNIGHT + HOUR, Severity.CRITICAL, None, MIDNIGHT + 2 * HOUR),
            (MIDNIGHT + HOUR, Severity.CRITICAL, MIDNIGHT + 2 * HOUR, None),
            (MIDNIGHT + DAY, Severity.CRITICAL, None, None),
        ]
    ):
        with write_transaction(db.session) as session:
            session.add(
                Alert(
                    kind=AlertKind.DOWN, subject=f"endpoint:{number}", name=f"A{number}", endpoint_id=endpoint_id,
                    severity=severity, since=fired_at - MINUTE, fired_at=fired_at, found="HTTP 502",
                    acknowledged_at=acknowledged_at, resolved_at=resolved_at,
                )
            )  # fmt: skip
    reports.generate_reports(NIGHT)
    alerts = report_of()["alerts"]
    assert alerts["fired"] == {"info": 0, "warning": 1, "critical": 2}
    assert alerts["unacknowledged"] == 2
    assert [(row["name"], row["lasted_s"]) for row in alerts["shown"]] == [("A2", 3660.0), ("A1", None)]


def test_the_monitor_tells_of_itself(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.store_checks(endpoint_id, [(MIDNIGHT + n * HOUR, Outcome.OK, 5000) for n in range(-1, 25)])
    world.execute("UPDATE health_check SET late_us = 7000000 WHERE slot = :slot", slot=MIDNIGHT + 3 * HOUR)
    world.execute("UPDATE health_check SET outcome = 3 WHERE slot = :slot", slot=MIDNIGHT + 4 * HOUR)
    number = channel("Mail")
    for key, state, at in (("a", 1, 0), ("b", 1, HOUR), ("c", 3, HOUR), ("d", 2, DAY - 1), ("e", 3, DAY)):
        world.execute(
            "INSERT INTO alert_delivery (channel_id, transition, severity, key, created_at, state, attempts, data) "
            "VALUES (:channel, 0, 2, :key, :at, :state, 0, '{}')",
            channel=number, key=key, at=MIDNIGHT + at, state=state,
        )  # fmt: skip
    with write_transaction(db.session) as session:
        for name, at in (("a_task", MIDNIGHT + HOUR), ("b_task", MIDNIGHT - 1)):
            session.add(
                PeriodicTask(name=name, next_run_at=NIGHT, last_error="ValueError: no", last_error_at=from_us(at))
            )
    reports.generate_reports(NIGHT)
    monitor = report_of()["monitor"]
    assert (monitor["checks"], monitor["late_checks"], monitor["worst_late_s"]) == (24, 1, 7.0)
    assert monitor["own_errors"] == 1
    assert monitor["deliveries"] == {"sent": 2, "waiting": 0, "failed": 1, "gave_up": 1}
    assert monitor["task_errors"] == [{"name": "a_task", "error": "ValueError: no", "at": "2026-11-24T01:00:00Z"}]


def test_what_single_checks_no_longer_say_is_not_known(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 10 * MINUTE)
    rollups.roll_up_checks(from_us(T0 + 11 * MINUTE))
    made = world.scalar("SELECT COUNT(*) FROM health_check")
    world.execute("DELETE FROM health_check")
    monitor = reports.show_report(THE_DAY, NIGHT).data["monitor"]
    assert (monitor["checks"], monitor["late_checks"], monitor["own_errors"]) == (made, None, None)


def test_lost_requests_are_those_since_the_report_before(world: World) -> None:
    def lost(total: int) -> None:
        with write_transaction(db.session) as session:
            session.merge(RequestLoss(id=1, dropped=total, unreadable=0, last_at=T0))

    world.add("Shop", at=T0)
    lost(7)
    reports.generate_reports(NIGHT)
    lost(10)
    reports.generate_reports(NIGHT + timedelta(days=3))
    days = [THE_DAY + timedelta(days=number) for number in range(4)]
    assert [report_of(day)["monitor"]["requests_lost"] for day in days] == [7, None, None, 3]


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_report_of_many_services_takes_no_more_statements(world: World) -> None:
    counts = []
    for amount in (1, 30):
        for number in range(amount):
            world.add(f"S{amount}-{number}", at=T0)
        with statements() as seen:
            reports.show_report(THE_DAY, NIGHT)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 40
