"""System metrics: what is read is stored, once per host and turn; hours are the readings' sums."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import ExternalStatus
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.jobs.queues import CHECKS, HOUSEKEEPING, TASKS_MODULE, TaskJob
from statusapp.models import ExternalReading, MetricHost, SystemMetric, SystemMetricHour
from statusapp.probes.system import HostDetails, HostReading, host_name
from statusapp.queries.watermarks import METRICS
from statusapp.services import external, metric_rollups, metrics, retention, watermarks
from statusapp.services.database_reading import DatabaseReading, read_database
from statusapp.services.redis_reading import read_redis
from tests.probes.conftest import Behaviour, Server, answer, serve
from tests.redis_process import run_redis
from tests.world import MINUTE, T0, World

__all__ = ["answer", "serve"]

HOUR = 60 * MINUTE
DAY = 24 * HOUR
INTERVAL = timedelta(minutes=10)
Serve = Callable[..., Server]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a Redis that runs."""
    with run_redis(tmp_path) as url:
        yield replace(settings, redis_url=url)


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """A client of it."""
    with Redis.from_url(settings.redis_url or "") as client:
        yield client


def statuspage(indicator: str) -> bytes:
    """What a status page answers."""
    body = json.dumps({"status": {"indicator": indicator, "description": "As it is"}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def newest() -> SystemMetric:
    """The last reading."""
    row = db.session.query(SystemMetric).order_by(SystemMetric.id.desc()).first()
    assert row is not None
    return row


# What is read


def test_a_reading_is_stored_with_what_all_share(world: World, settings: Settings, redis: Redis) -> None:
    now = utcnow()
    line = metrics.collect_metrics(now)
    row = newest()
    assert (row.host, row.taken_at) == (host_name(), now)
    assert line.startswith(f"CPU {row.cpu_percent:.1f} %, memory {row.memory_percent:.1f} % ({row.memory_used_mb} MB)")
    assert row.database_connect_us is not None
    assert row.database_connect_us > 0
    found = row.details
    assert found is not None
    assert len(json.dumps(found)) < 3000
    assert found["database_size_bytes"] > 100_000  # type: ignore[operator]
    of_the_kind = {
        "sqlite": {"database_wal_bytes"},
        "postgresql": {
            "database_connections",
            "database_connections_max",
            "database_active",
            "database_locks_waiting",
            "database_transactions",
        },
    }
    own = of_the_kind.pop(db.engine.dialect.name)
    assert own <= found.keys()
    assert not next(iter(of_the_kind.values())) & found.keys()
    assert found.keys() >= {
        "cpu_cores_percent", "memory_available_mb", "disks", "processes", "uptime_s", "database_pool_size",
        "redis_ping_us", "redis_memory_bytes", "redis_clients", "queues", "workers",
    }  # fmt: skip
    assert (found["queues"], found["workers"]) == ({CHECKS: 0, HOUSEKEEPING: 0}, 0)
    assert not {"oldest_job_s", "redis_error", "unread"} & found.keys()


def test_redis_being_away_is_a_note(world: World, app: Flask, settings: Settings, tmp_path: Path) -> None:
    app.config["SETTINGS"] = replace(settings, redis_url=f"unix://{tmp_path}/nobody.sock")
    metrics.collect_metrics(utcnow())
    found = newest().details or {}
    assert found["redis_error"] == "ConnectionError"
    assert not {"queues", "workers", "redis_ping_us"} & found.keys()


def test_queues_and_their_oldest_job(world: World, settings: Settings, redis: Redis) -> None:
    queue = Queue(HOUSEKEEPING, connection=redis, job_class=TaskJob, serializer=JSONSerializer)
    for number in range(3):
        queue.enqueue(TASKS_MODULE + "roll_up_checks_task", job_id=f"job-{number}")
    reading = read_redis(utcnow() + timedelta(seconds=90))
    assert reading.queues == {CHECKS: 0, HOUSEKEEPING: 3}
    assert reading.oldest_job_s == pytest.approx(90, abs=5)
    # A job whose record is spoiled, or gone, has no age.
    redis.delete("rq:job:job-0")
    assert read_redis(utcnow()).oldest_job_s is None


@pytest.mark.parametrize("database", ["postgresql"])
def test_sessions_that_wait_for_a_lock_are_counted(world: World, settings: Settings) -> None:
    lock, begun = "SELECT pg_advisory_xact_lock(42)", threading.Event()
    with db.engine.connect() as holder:
        holder.exec_driver_sql(lock)

        def wait(engine: Any) -> None:
            with engine.connect() as waiting:
                begun.set()
                waiting.exec_driver_sql(lock)

        thread = threading.Thread(target=wait, args=(db.engine,))
        thread.start()
        begun.wait()
        counts = []
        for _ in range(100):
            counts.append(read_database().locks_waiting)
            if counts[-1]:
                break
        holder.rollback()
        thread.join()
    assert counts[-1] == 1


def test_what_could_not_be_read_is_named(world: World, settings: Settings) -> None:
    blind = HostReading("here", *([None] * 11), details=HostDetails())  # type: ignore[arg-type]
    with write_transaction(db.session) as session:
        metrics._store(session, utcnow(), blind, DatabaseReading(1, 2), None)
    row = newest()
    assert (row.cpu_percent, row.disk_free_mb) == (0, 0)
    assert "cpu_percent" in (row.details or {})["unread"]  # type: ignore[operator]


# Who reads, and when


def test_a_host_that_the_task_has_read_is_left_to_it(world: World, settings: Settings) -> None:
    now = utcnow()
    metrics.collect_metrics(now)
    assert not metrics.read_this_host_when_due(now + INTERVAL + timedelta(seconds=20))
    assert metrics.read_this_host_when_due(now + INTERVAL + timedelta(seconds=31))
    assert world.scalar("SELECT COUNT(*) FROM system_metric") == 2
    assert "queues" not in (newest().details or {})
    assert newest().database_query_us is not None


def test_of_many_workers_on_a_host_one_reads(world: World, app: Flask, settings: Settings) -> None:
    now, start, done = utcnow(), threading.Barrier(4), []

    def look() -> None:
        with app.app_context():
            start.wait()
            done.append(metrics.read_this_host_when_due(now))
            db.session.remove()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert world.scalar("SELECT COUNT(*) FROM system_metric") == 1


def test_a_hosts_readings_keep_their_grid_and_long_pauses_are_not_made_up_for(world: World, settings: Settings) -> None:
    now = utcnow()
    assert metrics.next_reading_at() is None
    assert metrics.read_this_host_when_due(now)
    assert metrics.next_reading_at() == now + INTERVAL
    # A worker looks only every few seconds.
    assert metrics.read_this_host_when_due(now + INTERVAL + timedelta(seconds=4))
    assert metrics.next_reading_at() == now + 2 * INTERVAL
    assert metrics.read_this_host_when_due(now + timedelta(hours=9))
    assert metrics.next_reading_at() == now + timedelta(hours=9) + INTERVAL
    assert metrics.next_reading_at("elsewhere") is None


# External services


def test_services_are_asked_and_stored_at_most_once_a_minute(
    world: World, app: Flask, settings: Settings, serve: Serve, answer: Callable[..., Behaviour]
) -> None:
    asked: list[bytes] = []
    fine, ill = serve(answer(statuspage("none"), asked)), serve(answer(statuspage("major"), asked))
    closed = socket.create_server(("127.0.0.1", 0))
    place = f"127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    app.config["SETTINGS"] = replace(
        settings, statuspages=(fine.address, ill.address), smtp_url=f"smtp://me:hunter2@{place}"
    )
    now = utcnow()
    assert metrics.collect_metrics(now).endswith("; 1 of 3 external services are well")
    rows = {row.name: row for row in db.session.query(ExternalReading)}
    assert rows[fine.address.removeprefix("http://")].status is ExternalStatus.OK
    assert rows[ill.address.removeprefix("http://")].status is ExternalStatus.DOWN
    mail = rows["E-mail (SMTP)"]
    assert (mail.status, mail.message, mail.duration_us) == (ExternalStatus.DOWN, "it refuses connections", None)
    assert len(asked) == 2
    assert external.read_external_when_due(now + timedelta(seconds=40)) == {}
    assert len(external.read_external_when_due(now + timedelta(seconds=58))) == 3
    assert len(metrics.collect_now(now + timedelta(seconds=60)).external) == 3
    assert len(asked) == 6
    everything = str([tuple(row) for row in world.rows("SELECT * FROM external_reading")])
    assert "hunter2" not in everything


def test_without_settings_nobody_is_asked(world: World, settings: Settings) -> None:
    assert external.list_targets(settings) == []
    assert "external" not in metrics.collect_metrics(utcnow())
    assert world.scalar("SELECT COUNT(*) FROM external_reading") == 0


# Sums of hours


def reading(host: str, at: int, cpu: float, query_us: int | None = 100) -> SystemMetric:
    """A made-up reading."""
    return SystemMetric(
        taken_at=from_us(at), host=host, cpu_percent=cpu, load_1m=cpu / 10, load_5m=0, load_15m=0,
        memory_percent=cpu / 2, memory_used_mb=1, memory_total_mb=2, disk_percent=cpu / 4, disk_free_mb=1,
        network_sent_bytes=0, network_received_bytes=0, database_query_us=query_us,
    )  # fmt: skip


def store(rows: list[SystemMetric]) -> None:
    """Store readings as their host does."""
    with write_transaction(db.session) as session:
        session.add_all(rows)
        for row in rows:
            watermarks.pull_back(session.connection(), METRICS, to_us(row.taken_at))


def assert_hours_are_those_of_the_readings() -> None:
    expected: dict[tuple[str, int], list[SystemMetric]] = {}
    for row in db.session.query(SystemMetric):
        expected.setdefault((row.host, floor_to(to_us(row.taken_at), HOUR_S)), []).append(row)
    found = {(row.host, row.hour): row for row in db.session.query(SystemMetricHour)}
    assert found.keys() == expected.keys()
    for key, hour in found.items():
        rows = expected[key]
        assert hour.count == len(rows)
        assert hour.cpu_mean == pytest.approx(fmean(row.cpu_percent for row in rows))
        assert hour.cpu_max == max(row.cpu_percent for row in rows)
        assert (hour.load_max, hour.disk_max) == (max(r.load_1m for r in rows), max(r.disk_percent for r in rows))
        assert hour.memory_mean == pytest.approx(fmean(row.memory_percent for row in rows))
        timed = [row.database_query_us for row in rows if row.database_query_us is not None]
        assert hour.database_query_us_mean == (pytest.approx(fmean(timed)) if timed else None)
        assert hour.database_query_us_max == max(timed, default=None)


def test_hours_are_the_sums_of_the_readings_late_ones_included(world: World, settings: Settings) -> None:
    chance, now = random.Random(7), T0 - DAY
    waiting = [
        reading(host, at + chance.randrange(MINUTE), chance.uniform(0, 100), chance.choice([None, 50, 900]))
        for host, every in (("a", 4 * MINUTE), ("b", 17 * MINUTE))
        for at in range(T0 - DAY, T0, every)
    ]
    while now < T0:
        now = min(now + chance.randrange(5 * MINUTE, 5 * HOUR), T0)
        # Some are stored only hours later, by a host that could not reach the database.
        ready = [row for row in waiting if to_us(row.taken_at) < now and (now == T0 or chance.random() < 0.8)]
        waiting = [row for row in waiting if row not in ready]
        store(ready)
        metric_rollups.roll_up_metrics(from_us(now))
    metric_rollups.roll_up_metrics(from_us(T0 + MINUTE))
    assert_hours_are_those_of_the_readings()
    # A second run does one hour or two again, whatever there is.
    assert metric_rollups.roll_up_metrics(from_us(T0 + 2 * MINUTE)) <= 4
    assert_hours_are_those_of_the_readings()


def test_an_hour_whose_readings_are_partly_gone_stays_as_it_was(world: World, settings: Settings) -> None:
    store([reading("a", T0 - 31 * DAY, 10), reading("a", T0 - 31 * DAY + MINUTE, 30), reading("a", T0, 1)])
    metric_rollups.roll_up_metrics(from_us(T0 - 31 * DAY + HOUR))
    world.execute("DELETE FROM system_metric WHERE cpu_percent = 10")
    store([reading("b", T0 - 31 * DAY + 2 * MINUTE, 5)])
    metric_rollups.roll_up_metrics(from_us(T0))
    old = db.session.get_one(SystemMetricHour, ("a", floor_to(T0 - 31 * DAY, HOUR_S)))
    assert (old.count, old.cpu_max) == (2, 30)


def test_a_clock_that_was_wrong_for_a_while_does_no_harm(world: World, settings: Settings) -> None:
    store([reading("a", 0, 10), reading("a", T0 + 400 * DAY, 10), reading("b", T0, 50)])
    metric_rollups.roll_up_metrics(from_us(T0 + 300 * DAY))
    store([reading("b", T0 + MINUTE, 70)])
    assert metric_rollups.roll_up_metrics(from_us(T0 + MINUTE)) == 1
    assert db.session.get_one(SystemMetricHour, ("b", floor_to(T0, HOUR_S))).count == 2


def test_what_is_too_old_goes(world: World, settings: Settings) -> None:
    now = utcnow()
    here = to_us(now)
    hour = {name: 1 for name in SystemMetricHour.__table__.c.keys() if name not in ("host", "hour")}  # noqa: SIM118
    with write_transaction(db.session) as session:
        for host in ("a", "b"):
            for days in (1, 364, 366, 500):
                session.add(SystemMetricHour(host=host, hour=floor_to(here - days * DAY, HOUR_S), **hour))
        for days in (1, 40):
            at = now - timedelta(days=days)
            session.add(MetricHost(host=f"host-{days}", next_at=at))
            session.add(ExternalReading(name="Hub", taken_at=at, status=ExternalStatus.OK, message=""))
    report = retention.clean_up(now)
    assert "4 hours of metrics, 1 external readings, 1 hosts" in report
    ages = [(row.host, round((here - row.hour) / DAY)) for row in world.rows("SELECT * FROM system_metric_hour")]
    assert sorted(ages) == [("a", 1), ("a", 364), ("b", 1), ("b", 364)]
    assert world.scalar("SELECT host FROM metric_host") == "host-1"
    assert world.scalar("SELECT COUNT(*) FROM external_reading") == 1


def test_a_first_run_after_an_upgrade_sums_up_what_is_there(world: World, settings: Settings) -> None:
    with write_transaction(db.session) as session:
        session.add_all(reading("a", T0 - hours * HOUR, float(hours)) for hours in range(0, 48, 3))
    assert metric_rollups.roll_up_metrics(from_us(T0)) == 16
    assert_hours_are_those_of_the_readings()
