"""What is asked of the metrics: newest readings, rates, series, peaks, external services; and what asking costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from statusapp.database import write_connection, write_transaction
from statusapp.domain.enums import ExternalStatus
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import ExternalReading, MetricHost, SystemMetric
from statusapp.queries.external import LOOK_BACK, list_external
from statusapp.queries.metric_series import load_metric_series
from statusapp.queries.metrics import list_hosts, load_peaks, rate
from statusapp.services.metric_rollups import roll_up_metrics
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR


def row(at: int, host: str = "a", cpu: float = 10.0, **values: Any) -> dict[str, Any]:
    """A made-up reading."""
    return {
        "taken_at": from_us(at), "host": host, "cpu_percent": cpu, "load_1m": cpu / 10, "load_5m": 0.0, "load_15m": 0.0,
        "memory_percent": 40.0, "memory_used_mb": 400, "memory_total_mb": 1000, "disk_percent": 60.0,
        "disk_free_mb": 4000, "network_sent_bytes": 0, "network_received_bytes": 0, "database_connect_us": 300,
        "database_query_us": 100, "details": None, **values,
    }  # fmt: skip


def store(*rows: dict[str, Any]) -> None:
    """Write readings, and that their hosts report."""
    with write_connection(db.engine) as connection:
        connection.execute(insert(SystemMetric), list(rows))
    with write_transaction(db.session) as session:
        for host in {values["host"] for values in rows}:
            session.merge(MetricHost(host=host, next_at=from_us(T0 + 10 * MINUTE)))


@contextmanager
def noted() -> Iterator[list[tuple[str, Any]]]:
    """The statements made meanwhile, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


# The newest readings


def test_the_newest_reading_of_each_host_with_rates(world: World) -> None:
    counted = {"disk_read_bytes": 1000, "disk_written_bytes": 0, "database_transactions": 50}
    later = {"disk_read_bytes": 7000, "disk_written_bytes": 600, "database_transactions": 350, "processes": 7}
    store(
        row(T0 - HOUR, cpu=99.0),
        row(T0 - 10 * MINUTE, network_sent_bytes=6_000_000_000, network_received_bytes=5, details=counted),
        row(T0, network_sent_bytes=6_000_060_000, network_received_bytes=605, details=later),
        row(T0 - MINUTE, "b", cpu=50.0),
    )
    first, second = list_hosts()
    assert (first.host, first.taken_at, first.cpu_percent) == ("a", from_us(T0), 10.0)
    assert first.next_at == from_us(T0 + 10 * MINUTE)
    assert first.rates == {
        "network_sent_per_s": 100.0,
        "network_received_per_s": 1.0,
        "disk_read_per_s": 10.0,
        "disk_written_per_s": 1.0,
        "transactions_per_s": 0.5,
    }
    assert first.details["processes"] == 7
    assert (second.host, second.cpu_percent, second.rates, second.details) == ("b", 50.0, {}, {})


def test_what_was_not_read_is_not_known(world: World) -> None:
    unread = ["cpu_percent", "network_sent_bytes", "memory_used_mb"]
    store(row(T0 - MINUTE), row(T0, cpu=0.0, details={"unread": unread}))
    (host,) = list_hosts()
    assert (host.cpu_percent, host.memory_used_mb, host.memory_percent) == (None, None, 40.0)
    assert "network_sent_per_s" not in host.rates
    assert "network_received_per_s" in host.rates
    assert "unread" not in host.details


def test_a_counter_that_fell_is_a_restart() -> None:
    assert rate(10, 70, 60) == 1.0
    assert rate(70, 10, 60) is None
    assert rate(None, 10, 60) is None
    assert rate(10, 20, 0) is None


def test_a_host_that_is_forgotten_is_not_there(world: World) -> None:
    store(row(T0))
    world.execute("DELETE FROM metric_host")
    assert list_hosts() == []


# Series


def test_a_day_of_readings_every_ten_minutes_has_no_gaps_but_real_ones(world: World) -> None:
    now = T0 + 3 * MINUTE
    store(
        *(
            row(
                at, cpu=float(number % 7), network_sent_bytes=60_000 * number, details={"disk_read_bytes": 600 * number}
            )
            for number, at in enumerate(range(T0 - 26 * HOUR, T0 + 1, 10 * MINUTE))
            # For two hours nobody reads.
            if not T0 - 8 * HOUR < at < T0 - 6 * HOUR
        )
    )
    series = load_metric_series("a", "24h", from_us(now))
    assert (series.step_s, len(series.starts)) == (600, 144)
    gaps = [start for start, mean in zip(series.starts, series.cpu.mean, strict=True) if mean is None]
    assert len(gaps) == 11
    assert gaps[-1] - gaps[0] == timedelta(minutes=100)
    assert all(from_us(T0 - 8 * HOUR) <= start < from_us(T0 - 6 * HOUR) for start in gaps)
    known = {value for value in series.network_sent_per_s if value is not None}
    assert known == {100.0}
    # The first reading after the gap has nothing that it could be compared with.
    assert series.network_sent_per_s.count(None) == 12
    assert {value for value in series.disk_read_per_s if value is not None} == {1.0}
    assert set(series.disk_written_per_s) == {None}
    assert series.memory.mean[-1] == series.memory.peak[-1] == 40.0
    assert series.database_query_us.mean[-1] == 100.0


def test_readings_every_ten_seconds_become_means_and_peaks_of_five_minutes(world: World) -> None:
    start = T0 - T0 % (5 * MINUTE)
    store(*(row(start + number * 10 * SECOND, cpu=float(number)) for number in range(60)))
    series = load_metric_series("a", "24h", from_us(start + 10 * MINUTE - 1))
    assert (series.step_s, len(series.starts)) == (300, 288)
    assert series.starts[-2:] == [from_us(start), from_us(start + 5 * MINUTE)]
    assert (series.cpu.mean[-2:], series.cpu.peak[-2:]) == ([14.5, 44.5], [29.0, 59.0])
    assert series.cpu.mean[:-2] == [None] * 286


def test_a_restart_is_a_gap_in_the_rates_and_nowhere_else(world: World) -> None:
    sent = [100, 700, 1300, 50, 650, 1250]
    store(*(row(T0 + n * 10 * MINUTE, network_sent_bytes=value) for n, value in enumerate(sent)))
    series = load_metric_series("a", "24h", from_us(T0 + 51 * MINUTE))
    assert series.network_sent_per_s[-6:] == [None, 1.0, 1.0, None, 1.0, 1.0]
    assert None not in series.cpu.mean[-6:]


def test_long_spans_are_means_of_all_readings_and_peaks(world: World) -> None:
    day = T0 - T0 % DAY
    # Two readings in one hour, four in the next: each counts the same.
    at = [day + 2 * MINUTE, day + 9 * MINUTE, *(day + HOUR + n * MINUTE for n in range(4))]
    store(*(row(instant, cpu=cpu) for instant, cpu in zip(at, (80.0, 90.0, 10.0, 10.0, 20.0, 30.0), strict=True)))
    store(row(day + 2 * HOUR, database_query_us=None), row(day, "b", cpu=1.0))
    now = from_us(day + 2 * HOUR + 5 * MINUTE)
    roll_up_metrics(now)
    for name, points, step_s in (("7d", 168, 3600), ("30d", 240, 10800), ("90d", 90, 86400)):
        series = load_metric_series("a", name, now)
        assert (series.step_s, len(series.starts), len(series.cpu.mean)) == (step_s, points, points)
        assert series.network_sent_per_s == []
    week, quarter = load_metric_series("a", "7d", now), load_metric_series("a", "90d", now)
    assert week.cpu.mean[-4:] == [None, 85.0, 17.5, 10.0]
    assert week.cpu.peak[-4:] == [None, 90.0, 30.0, 10.0]
    assert week.database_query_us.mean[-2:] == [100.0, None]
    assert quarter.cpu.mean[-1] == pytest.approx((80 + 90 + 10 + 10 + 20 + 30 + 10) / 7)
    assert quarter.cpu.peak[-1] == 90.0


def test_series_of_nothing_are_gaps(world: World) -> None:
    for name in ("24h", "7d", "30d", "90d"):
        series = load_metric_series("nobody", name, from_us(T0))
        assert set(series.cpu.mean) == {None}
        assert len(series.starts) <= 300


def test_peaks_are_of_the_first_highest_hour(world: World) -> None:
    hour = T0 - T0 % HOUR
    for number, cpu in enumerate((20.0, 70.0, 70.0, 5.0)):
        store(row(hour + number * HOUR, cpu=cpu, database_query_us=None))
    roll_up_metrics(from_us(hour + 4 * HOUR))
    peaks = load_peaks("a", from_us(hour + MINUTE), from_us(hour + 4 * HOUR))
    assert peaks.cpu_percent is not None
    assert (peaks.cpu_percent.value, peaks.cpu_percent.hour) == (70.0, from_us(hour + HOUR))
    assert peaks.database_query_us is None
    assert load_peaks("a", from_us(hour + 5 * HOUR), from_us(hour + 6 * HOUR)).load_1m is None


# External services


def found(name: str, at: int, status: ExternalStatus, message: str = "") -> dict[str, Any]:
    """A made-up reading of a service."""
    return {"name": name, "taken_at": from_us(at), "status": status, "duration_us": 5, "message": message}


def store_external(*rows: dict[str, Any]) -> None:
    """Write readings of services."""
    with write_connection(db.engine) as connection:
        connection.execute(insert(ExternalReading), list(rows))


def test_how_services_do_and_since_when(world: World) -> None:
    ok, down = ExternalStatus.OK, ExternalStatus.DOWN
    store_external(
        *(found("Hub", T0 + n * MINUTE, status) for n, status in enumerate((ok, down, ok, down, down, down))),
        found("Mail", T0, ok, "ready"),
        found("Mail", T0 + MINUTE, ok, "ready for mail"),
        found("Gone", T0 - 10 * DAY, ok),
    )
    hub, mail = list_external(from_us(T0 - DAY))
    assert (hub.name, hub.status, hub.since, hub.is_longer) == ("Hub", down, from_us(T0 + 3 * MINUTE), False)
    assert hub.taken_at == from_us(T0 + 5 * MINUTE)
    assert (mail.status, mail.since, mail.is_longer, mail.message) == (ok, from_us(T0), False, "ready for mail")
    assert mail.duration_us == 5
    assert list_external(from_us(T0 + DAY)) == []


def test_what_has_been_so_for_very_long_has_been_so_for_longer(world: World) -> None:
    store_external(*(found("Hub", T0 + n * MINUTE, ExternalStatus.OK) for n in range(LOOK_BACK + 50)))
    (hub,) = list_external(from_us(T0))
    assert (hub.since, hub.is_longer) == (from_us(T0 + 50 * MINUTE), True)


# What it costs

ASKED: list[Callable[[], object]] = [
    list_hosts,
    *(lambda name=name: load_metric_series("a", name, from_us(T0)) for name in ("24h", "7d", "30d", "90d")),
    lambda: load_peaks("a", from_us(T0 - DAY), from_us(T0)),
    lambda: list_external(from_us(T0 - DAY)),
]
LARGE = ("system_metric", "system_metric_hour", "external_reading")


@pytest.mark.parametrize("database", ["sqlite"])
def test_nothing_reads_a_whole_table_of_history(world: World) -> None:
    store(*(row(T0 - n * MINUTE) for n in range(50)))
    store_external(*(found("Hub", T0 - n * MINUTE, ExternalStatus.OK) for n in range(50)))
    db.session.rollback()
    with noted() as statements:
        for ask in ASKED:
            ask()
    for statement, parameters in statements:
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        scanned = [line[3] for line in plan if line[3].startswith("SCAN")]
        assert not any(table in line for table in LARGE for line in scanned), (statement, scanned)


@pytest.mark.parametrize("database", ["postgresql"])
def test_everything_has_its_index_on_postgresql(world: World) -> None:
    store(*(row(T0 - n * MINUTE) for n in range(50)))
    store_external(*(found("Hub", T0 - n * MINUTE, ExternalStatus.OK) for n in range(50)))
    db.session.rollback()
    with noted() as statements:
        for ask in ASKED:
            ask()
    connection = db.session.connection()
    # A table that is so small is scanned because it may be; this is to see whether it has to be.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    for statement, parameters in statements:
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
        scanned = [line for line in plan if "Seq Scan" in line]
        assert not any(table in line for table in LARGE for line in scanned), (statement, plan)


def test_the_newest_readings_cost_two_statements_however_many_hosts(world: World) -> None:
    store(*(row(T0 - n * MINUTE, f"host-{number}") for number in range(20) for n in range(3)))
    db.session.rollback()
    with noted() as statements:
        assert len(list_hosts()) == 20
    assert len(statements) == 2
    assert to_us(list_hosts()[0].taken_at) == T0
