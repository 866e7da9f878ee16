"""A worker has its host read when that is due, in a process of its own, and goes on meanwhile."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.jobs import host_readings
from statusapp.jobs.context import set_worker_app
from statusapp.jobs.host_readings import HostReadings
from statusapp.jobs.queues import QUEUES, job_connection
from statusapp.jobs.worker import StatusWorker
from statusapp.models import MetricHost, SystemMetric
from statusapp.probes.system import host_name


@pytest.fixture(autouse=True)
def prepared(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs use this application, and a worker has been there for long."""
    set_worker_app(app)
    monkeypatch.setattr(host_readings, "FIRST_WAIT", timedelta(0))


def due_in(seconds: float) -> None:
    """This host is to be read then."""
    with write_transaction(db.session) as session:
        session.merge(MetricHost(host=host_name(), next_at=utcnow() + timedelta(seconds=seconds)))


def count() -> int:
    """How many readings there are."""
    db.session.rollback()
    return db.session.query(SystemMetric).count()


def wait_for_end(readings: HostReadings) -> None:
    """Until the process that reads has ended."""
    deadline = time.monotonic() + 20
    while readings._is_at_work():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_host_that_is_due_is_read_without_waiting_for_it(redis: Redis) -> None:
    due_in(-1)
    readings = HostReadings()
    readings.look()
    readings.look()
    assert count() == 0
    wait_for_end(readings)
    assert count() == 1
    readings.look()
    assert readings._child is None


def test_a_host_that_is_not_due_is_left_alone(redis: Redis) -> None:
    due_in(60)
    readings = HostReadings()
    readings.look()
    assert readings._child is None
    # What was seen is believed for a while, and the database not asked.
    due_in(-1)
    readings.look()
    assert readings._child is None
    readings._asked_at = utcnow() - timedelta(seconds=61)
    readings.look()
    wait_for_end(readings)
    assert count() == 1


def test_a_new_worker_lets_the_periodic_task_go_first(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_readings, "FIRST_WAIT", timedelta(seconds=30))
    due_in(-1)
    readings = HostReadings()
    readings.look()
    assert readings._child is None


def test_a_reading_that_hangs_is_ended(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due_in(-1)
    readings = HostReadings()
    readings.look()
    assert readings._child is not None
    os.kill(readings._child, signal.SIGSTOP)
    readings.look()
    assert readings._child is not None
    monkeypatch.setattr(host_readings, "LONGEST_S", 0.0)
    readings.look()
    wait_for_end(readings)
    assert "takes longer than" in caplog.text


def test_a_database_that_is_away_is_one_line(
    settings: Settings, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    db.session.remove()
    db.engine.dispose()
    (settings.instance_path / "statusapp.sqlite3").unlink()
    readings = HostReadings()
    readings.look()
    assert readings._child is None
    assert "cannot be seen in the database: OperationalError" in caplog.text


def test_a_worker_looks_between_two_jobs(settings: Settings, redis: Redis) -> None:
    due_in(-1)
    worker = StatusWorker(list(QUEUES), connection=job_connection(settings), name="test-worker")
    worker.host_readings = HostReadings()
    worker.work(burst=True, logging_level="ERROR")
    wait_for_end(worker.host_readings)
    worker.connection.close()
    assert count() == 1
