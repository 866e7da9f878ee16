"""Housekeeping: silence, sums per hour, uptime per day, retention, metrics, installation."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import Outcome, PingSignal, Rule, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import HeartbeatPing, StatusPageSettings, SystemMetric, UptimeDay
from statusapp.services import alerting, installation, metrics, partitions, retention, rollups, uptime
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR


def test_silence_becomes_unknown_from_the_last_check_on(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.run_for(endpoint_id, T0 + 2 * MINUTE)
    last = world.state(endpoint_id).last_checked_at
    assert "0 became unknown" in alerting.sweep(from_us(last + 3 * MINUTE))
    assert "1 became unknown" in alerting.sweep(from_us(last + 4 * MINUTE))
    assert "0 became unknown" in alerting.sweep(from_us(last + 9 * MINUTE))
    state = world.state(endpoint_id)
    assert (state.status, state.status_since) == (Status.UNKNOWN, last)
    newest = world.rows("SELECT * FROM status_change WHERE ended_at IS NULL")[0]
    assert (newest.status, newest.rule, newest.started_at) == (Status.UNKNOWN, Rule.NOT_CHECKED, last)


def test_the_sweep_names_what_is_down_for_ten_minutes(world: World, caplog: pytest.LogCaptureFixture) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 10 * MINUTE, Outcome.FAILED)
    assert "fire" not in alerting.sweep(from_us(T0 + 10 * MINUTE - SECOND))
    assert "1 fire" in alerting.sweep(from_us(T0 + 10 * MINUTE + SECOND))
    assert "alert fired: down name='Shop'" in caplog.text


def test_hours_are_summed_up_without_our_own_trouble(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.run_for(endpoint_id, T0 + 10 * MINUTE, took_us=4000)
    world.run_for(endpoint_id, T0 + 20 * MINUTE, Outcome.FAILED, took_us=9000)
    world.run_for(endpoint_id, T0 + 30 * MINUTE, Outcome.INTERNAL_ERROR)
    rollups.roll_up_checks(from_us(T0 + 31 * MINUTE))
    row = world.rows("SELECT * FROM latency_rollup")[0]
    good, bad = (world.scalar("SELECT COUNT(*) FROM health_check WHERE outcome = :o", o=o) for o in (0, 2))
    assert (row.count, row.failures, row.sum_us, row.min_us, row.max_us) == (good + bad, bad, good * 4000, 4000, 4000)
    assert (row.step_s, row.start) == (3600, T0 // HOUR * HOUR)


def test_a_second_run_counts_late_results_and_nothing_twice(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.run_for(endpoint_id, T0 + 55 * MINUTE)
    rollups.roll_up_checks(from_us(T0 + 55 * MINUTE))
    world.run_for(endpoint_id, T0 + 65 * MINUTE)
    for _ in range(2):
        rollups.roll_up_checks(from_us(T0 + 66 * MINUTE))
    assert world.scalar("SELECT SUM(count) FROM latency_rollup") == world.scalar("SELECT COUNT(*) FROM health_check")
    assert world.scalar("SELECT COUNT(*) FROM latency_rollup") == 2


def test_uptime_of_a_day_is_the_ledgers(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.run_for(endpoint_id, T0 + 10 * MINUTE)
    world.run_for(endpoint_id, T0 + 30 * MINUTE, Outcome.FAILED)
    uptime.update_uptime(from_us(T0 + HOUR))
    day = db.session.get_one(UptimeDay, (endpoint_id, date(2026, 11, 24)))
    (_, up, down) = world.rows("SELECT * FROM status_change WHERE NOT superseded ORDER BY started_at, id")
    assert day.operational_s == pytest.approx((up.ended_at - up.started_at) / SECOND)
    assert day.major_outage_s == pytest.approx((T0 + HOUR - down.started_at) / SECOND)
    total = day.operational_s + day.major_outage_s + day.unknown_s
    assert total == pytest.approx(3600)


def test_days_are_cut_in_the_pages_zone_and_are_whole(world: World) -> None:
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, time_zone="Europe/Berlin"))
    endpoint_id = world.add(at=to_us(datetime.fromisoformat("2026-10-24T10:00:00+00:00")))
    for day in (24, 25, 26):
        uptime.update_uptime(datetime.fromisoformat(f"2026-10-{day}T12:00:00+00:00"))
    uptime.update_uptime(datetime.fromisoformat("2026-10-27T12:00:00+00:00"))
    hours = {row.day: row.unknown_s / 3600 for row in db.session.query(UptimeDay).filter_by(endpoint_id=endpoint_id)}
    assert hours[date(2026, 10, 24)] == pytest.approx(12)
    assert hours[date(2026, 10, 25)] == pytest.approx(25)  # The day on which summer time ends.
    assert hours[date(2026, 10, 26)] == pytest.approx(24)
    assert hours[date(2026, 10, 27)] == pytest.approx(13)


def test_what_is_too_old_goes_and_the_rest_stays(world: World) -> None:
    now = utcnow()
    here = to_us(now)
    kept, gone = world.add("Kept", at=here - 40 * DAY), world.add("Gone", at=here)
    for endpoint_id, days in ((kept, (40, 31, 29, 1)), (gone, (1,))):
        for age in days:
            values = {"id": endpoint_id, "slot": here - age * DAY, "hour": here - 3 * age * DAY}
            world.execute(
                "INSERT INTO health_check (endpoint_id, location, slot, kind, outcome, error_kind, late_us, total_us) "
                "VALUES (:id, 0, :slot, 0, 0, 0, 0, 1)", id=values["id"], slot=values["slot"],
            )  # fmt: skip
            world.execute("INSERT INTO check_detail (endpoint_id, location, slot) VALUES (:id, 0, :slot)",
                          id=values["id"], slot=values["slot"])  # fmt: skip
            world.execute(
                "INSERT INTO latency_rollup (endpoint_id, step_s, start, count, failures, sum_us, histogram) "
                "VALUES (:id, 3600, :hour, 1, 0, 1, :histogram)",
                id=values["id"], hour=values["hour"], histogram=b"",
            )  # fmt: skip
    with write_transaction(db.session) as session:
        for age in (40, 1):
            metrics_row = dict.fromkeys(
                ("cpu_percent", "load_1m", "load_5m", "load_15m", "memory_percent", "memory_used_mb",
                 "memory_total_mb", "disk_percent", "disk_free_mb", "network_sent_bytes", "network_received_bytes"), 1,
            )  # fmt: skip
            session.add(SystemMetric(taken_at=now - timedelta(days=age), host="here", **metrics_row))
            session.add(HeartbeatPing(endpoint_id=kept, received_at=here - age * DAY, signal=PingSignal.SUCCESS))
    world.execute("DELETE FROM service_endpoint WHERE id = :id", id=gone)
    report = retention.clean_up(now)
    assert world.scalar("SELECT COUNT(*) FROM heartbeat_ping") == 1
    ages = [round((here - row.slot) / DAY) for row in world.rows("SELECT slot FROM health_check ORDER BY slot")]
    assert ages == [29, 1]
    assert world.scalar("SELECT COUNT(*) FROM check_detail") == 2
    assert world.scalar("SELECT COUNT(*) FROM latency_rollup") == 2
    assert world.scalar("SELECT COUNT(*) FROM system_metric") == 1
    assert report.startswith("removed 3 checks, 3 details, 3 sums, 1 pings, 1 metrics (")


@pytest.mark.parametrize("database", ["postgresql"])
def test_on_postgresql_days_are_partitions_and_old_ones_are_dropped(world: World) -> None:
    old = from_us(T0 - 60 * DAY)
    partitions.ensure_partitions(old)
    partitions.ensure_partitions(old)
    endpoint_id = world.add(at=to_us(old))
    world.check(to_us(old))
    assert world.scalar("SELECT tableoid::regclass::text FROM health_check") == old.strftime(partitions.PARTITION)
    assert "removed 14 days of checks" in retention.clean_up(from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM health_check WHERE endpoint_id = :id", id=endpoint_id) == 0
    names = {row[0] for row in world.rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE "
                                          "inhparent = 'health_check'::regclass")}  # fmt: skip
    assert from_us(T0).strftime(partitions.PARTITION) in names


def test_metrics_are_read_and_stored(world: World) -> None:
    now = utcnow()
    line = metrics.collect_metrics(now)
    row = db.session.query(SystemMetric).one()
    assert (row.taken_at, row.memory_total_mb > 0, row.database_query_us is not None) == (now, True, True)
    assert "CPU" in line


def test_the_defaults_are_made_once_and_an_operators_changes_stay(world: World) -> None:
    first = installation.set_up("http://127.0.0.1:8000", from_us(T0))
    assert len(first.created) == 8
    world.execute("UPDATE service_endpoint SET interval_s = 77, name = 'Root' WHERE name = 'API Root'")
    world.execute("DELETE FROM service_endpoint WHERE name = 'Admin Panel'")
    before = world.rows("SELECT * FROM service_endpoint ORDER BY id")
    second = installation.set_up("http://elsewhere:9000", from_us(T0 + DAY))
    assert (second.created, len(second.kept)) == ([], 6)
    assert world.rows("SELECT * FROM service_endpoint ORDER BY id") == before


def test_the_defaults_are_those_of_the_specification(world: World) -> None:
    installation.set_up("https://app.example.org", from_us(T0))
    rows = world.rows("SELECT url, method, interval_s FROM service_endpoint ORDER BY position")
    assert [tuple(row) for row in rows] == [
        ("https://app.example.org/", "GET", 120),
        ("https://app.example.org/health/", "GET", 60),
        ("https://app.example.org/api/v1/auth/register/", "POST", 300),
        ("https://app.example.org/api/v1/auth/login/", "POST", 300),
        ("https://app.example.org/api/v1/auth/oauth/applications/", "GET", 600),
        ("https://app.example.org/health/api/overview/", "GET", 300),
        ("https://app.example.org/health/status-page/", "GET", 300),
        ("https://app.example.org/admin/", "GET", 600),
    ]
