"""The worker: runs our tasks and no others, and makes up for wake-ups that nobody sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from config import Settings
from statusapp.clock import now_us, utcnow
from statusapp.database import write_connection, write_transaction
from statusapp.extensions import db
from statusapp.jobs.context import set_worker_app
from statusapp.jobs.queues import CHECKS, HOUSEKEEPING, TASKS_MODULE, TaskJob, job_connection
from statusapp.jobs.worker import StatusWorker, make_up_for_lost_ticks
from statusapp.models import PeriodicTask
from statusapp.services import check_windows, periodic

METRICS = "collect_system_metrics_task"


@pytest.fixture(autouse=True)
def prepared(app: Flask, settings: Settings) -> None:
    """The rows of the tasks are there, none is due, and jobs use this application."""
    set_worker_app(app)
    periodic.ensure_tasks(settings, utcnow())
    with write_transaction(db.session) as session:
        for task in session.query(PeriodicTask):
            task.next_run_at = utcnow() + timedelta(hours=1)


def make_due(name: str) -> None:
    """The task was due half a minute ago."""
    with write_transaction(db.session) as session:
        session.get_one(PeriodicTask, name).next_run_at = utcnow() - timedelta(seconds=30)


def runs(name: str) -> int:
    """How often a task has run."""
    db.session.rollback()
    return db.session.get_one(PeriodicTask, name, populate_existing=True).run_count


def burst(settings: Settings) -> None:
    """Work until the queues are empty."""
    worker = StatusWorker([CHECKS, HOUSEKEEPING], connection=job_connection(settings), name="test-worker")
    worker.work(burst=True, logging_level="ERROR")
    worker.connection.close()


def enqueue(settings: Settings, function: str) -> TaskJob:
    """Put a call into the queue as the scheduler does."""
    queue = Queue(HOUSEKEEPING, connection=job_connection(settings), job_class=TaskJob, serializer=JSONSerializer)
    job = queue.enqueue(function, job_id="one")
    assert isinstance(job, TaskJob)
    return job


def test_a_task_that_is_woken_runs(settings: Settings, redis: Redis) -> None:
    make_due(METRICS)
    enqueue(settings, TASKS_MODULE + METRICS)
    burst(settings)
    assert runs(METRICS) == 1


def test_a_task_that_is_woken_too_early_does_not_run(settings: Settings, redis: Redis) -> None:
    enqueue(settings, TASKS_MODULE + METRICS)
    burst(settings)
    assert runs(METRICS) == 0


def test_a_job_that_is_no_task_fails_without_being_run(settings: Settings, redis: Redis) -> None:
    job = enqueue(settings, "os.abort")
    burst(settings)
    assert job.get_status(refresh=True) == "failed"


def test_a_wake_up_that_did_not_come_is_made_up_for(redis: Redis) -> None:
    make_due(METRICS)
    make_up_for_lost_ticks()
    assert runs(METRICS) == 1
    make_up_for_lost_ticks()
    assert runs(METRICS) == 1


def test_a_task_that_is_not_ours_is_left_alone(redis: Redis) -> None:
    with write_transaction(db.session) as session:
        session.add(PeriodicTask(name="abort_task", next_run_at=utcnow() - timedelta(days=1)))
    make_up_for_lost_ticks()
    assert runs("abort_task") == 0


def test_checks_are_not_begun_while_somebody_makes_them(redis: Redis) -> None:
    make_due("run_health_checks_task")
    with write_connection(db.engine) as connection:
        check_windows.begin(connection, now_us(), 15_000_000)
    make_up_for_lost_ticks()
    assert runs("run_health_checks_task") == 0


def test_a_database_that_is_away_is_one_line(
    settings: Settings, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    db.session.remove()
    db.engine.dispose()
    (settings.instance_path / "statusapp.sqlite3").unlink()
    make_up_for_lost_ticks()
    assert "cannot be read from the database" in caplog.text
