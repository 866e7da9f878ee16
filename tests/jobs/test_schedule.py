"""The schedule in Redis: whatever is lost, wrong or foreign there is put right, and nothing else is run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.exceptions import DeserializationError

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.jobs.queues import CHECKS, HOUSEKEEPING, TASKS_MODULE, TaskJob, job_connection
from statusapp.jobs.schedule import TASK_NAMES
from statusapp.jobs.scheduler import TickScheduler
from statusapp.models import PeriodicTask
from statusapp.services import periodic

KEY = "rq:scheduler:scheduled_jobs"
CHECK_TASK = "run_health_checks_task"
REPORT = "generate_daily_report_task"


@pytest.fixture
def scheduler(app: Flask, settings: Settings) -> Iterator[TickScheduler]:
    """A scheduler that has mended its schedule once."""
    scheduler = TickScheduler(app)
    scheduler.mend(utcnow())
    yield scheduler
    scheduler.connection.close()


def entries(redis: Redis) -> dict[str, float]:
    """The entries with their times."""
    return dict(redis.zrange(KEY, 0, -1, withscores=True))


def queued(redis: Redis, name: str) -> list[str]:
    """The tasks that wait in a queue."""
    return list(redis.lrange(f"rq:queue:{name}", 0, -1))


def test_there_is_one_entry_for_each_task(scheduler: TickScheduler, redis: Redis) -> None:
    assert set(entries(redis)) == TASK_NAMES
    for name in TASK_NAMES:
        job = TaskJob.fetch(name, connection=scheduler.connection)
        assert job.func_name == TASKS_MODULE + name
        assert callable(job.func)
        assert job.origin == (CHECKS if name == CHECK_TASK else HOUSEKEEPING)
        assert job.timeout == -1 or job.timeout >= 60


def test_the_entries_stand_at_the_times_of_the_rows(scheduler: TickScheduler, redis: Redis) -> None:
    with write_transaction(db.session) as session:
        session.get_one(PeriodicTask, REPORT).next_run_at = datetime(2031, 1, 1, tzinfo=UTC)
    scheduler.mend(utcnow())
    assert entries(redis)[REPORT] <= (utcnow() + timedelta(days=1)).timestamp()
    assert abs(entries(redis)[REPORT] - periodic.due_times()[REPORT].timestamp()) < 1


def test_mending_what_is_well_changes_nothing(scheduler: TickScheduler, redis: Redis) -> None:
    before = entries(redis)
    scheduler.mend(utcnow())
    assert entries(redis) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda redis: redis.flushall(),
        lambda redis: redis.zrem(KEY, CHECK_TASK),
        lambda redis: redis.delete(f"rq:job:{CHECK_TASK}"),
        lambda redis: redis.hset(f"rq:job:{CHECK_TASK}", "data", "rubbish"),
        lambda redis: [redis.delete(f"rq:job:{CHECK_TASK}"), redis.set(f"rq:job:{CHECK_TASK}", "rubbish")],
        lambda redis: redis.zadd(KEY, {"somebody else's": 1}),
        lambda redis: redis.zadd(KEY, {CHECK_TASK: 4_000_000_000}),
        lambda redis: redis.zadd(KEY, {REPORT: 4_000_000_000}),
    ],
    ids=["all gone", "entry gone", "job gone", "job unreadable", "key of another kind", "foreign", "far", "daily far"],
)
def test_what_is_lost_or_spoiled_is_put_right(scheduler: TickScheduler, redis: Redis, damage) -> None:  # type: ignore[no-untyped-def]
    damage(redis)
    scheduler.mend(utcnow())
    assert set(entries(redis)) == TASK_NAMES
    assert all(score < utcnow().timestamp() + 2 * 86_400 for score in entries(redis).values())
    assert TaskJob.fetch(CHECK_TASK, connection=scheduler.connection).func_name == TASKS_MODULE + CHECK_TASK


def test_what_is_due_goes_into_its_queue_once(scheduler: TickScheduler, redis: Redis) -> None:
    scheduler.enqueue_jobs()
    assert queued(redis, CHECKS) == [CHECK_TASK]
    assert CHECK_TASK in entries(redis)
    scheduler.enqueue_jobs()
    assert queued(redis, CHECKS) == [CHECK_TASK]


def test_an_entry_that_cannot_be_read_does_not_stop_the_others(scheduler: TickScheduler, redis: Redis) -> None:
    redis.hset("rq:job:rubbish", mapping={"data": "rubbish", "created_at": "never"})
    redis.zadd(KEY, {"rubbish": 1})
    scheduler.enqueue_jobs()
    scheduler.enqueue_jobs()
    assert "rubbish" not in entries(redis)
    assert CHECK_TASK in queued(redis, CHECKS)


def test_without_the_database_the_wake_ups_go_on(
    scheduler: TickScheduler, redis: Redis, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    redis.flushall()
    db.session.remove()
    db.engine.dispose()
    (settings.instance_path / "statusapp.sqlite3").unlink()
    scheduler.mend(utcnow())
    assert set(entries(redis)) == TASK_NAMES
    assert "cannot be read from the database" in caplog.text


def test_a_function_that_is_no_task_is_refused(settings: Settings) -> None:
    with job_connection(settings) as connection, pytest.raises(PermissionError, match=r"os\.getcwd"):
        _ = TaskJob.create("os.getcwd", connection=connection).func


def test_a_pickled_job_is_never_unpickled(settings: Settings) -> None:
    with job_connection(settings) as connection:
        Queue(HOUSEKEEPING, connection=connection).enqueue("os.getcwd", job_id="evil")
        with pytest.raises(DeserializationError):
            _ = TaskJob.fetch("evil", connection=connection).func
