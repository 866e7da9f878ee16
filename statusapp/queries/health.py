"""What `/health/` reports on: the database, Redis and the workers registered there, the schedule, the tasks.

A thing that is away is a finding and no exception. Errors are told by their class only: their texts hold addresses.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import lru_cache

from alembic.script import ScriptDirectory
from redis import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from statusapp.domain.instants import from_us
from statusapp.domain.monitor import DatabaseFacts, MonitorFacts, TaskFacts
from statusapp.extensions import db, redis_connection
from statusapp.models import CheckWindow, EndpointState, PeriodicTask
from statusapp.queries.deliveries import load_delivery_health
from statusapp.queries.requests import load_losses

# Where RQ keeps the names of its workers.
WORKERS_KEY = "rq:workers"
# The job with the freshest heartbeat is among the last that began; older ones have drained and ended.
NEWEST_WINDOWS = 20


def load_monitor_facts(started_at: datetime, check_window: timedelta) -> MonitorFacts:
    """Everything that can be found out now. `started_at` is when the asking process began."""
    database, database_error, database_ms = _ask_database()
    workers, redis_error, redis_ms = _ask_redis()
    return MonitorFacts(
        started_at=started_at,
        check_window=check_window,
        database=database,
        database_error=database_error,
        database_ms=database_ms,
        workers=workers,
        redis_error=redis_error,
        redis_ms=redis_ms,
    )


def list_tasks() -> tuple[TaskFacts, ...]:
    """The periodic tasks by name, with their last runs."""
    rows = db.session.scalars(select(PeriodicTask).order_by(PeriodicTask.name))
    return tuple(
        TaskFacts(
            name=row.name,
            next_run_at=row.next_run_at,
            running_until=row.running_until,
            last_started_at=row.last_started_at,
            last_finished_at=row.last_finished_at,
            last_duration_ms=row.last_duration_ms,
            last_error=row.last_error,
            last_error_at=row.last_error_at,
        )
        for row in rows
    )


def is_migrated(migrations: str) -> bool:
    """Whether the database is at the newest revision of the folder `migrations`. False when it cannot be read."""
    try:
        found = db.session.scalars(text("SELECT version_num FROM alembic_version")).all()
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return list(found) == [_newest_revision(migrations)]


@lru_cache(maxsize=1)
def _newest_revision(migrations: str) -> str | None:
    return ScriptDirectory(migrations).get_current_head()


def _ask_database() -> tuple[DatabaseFacts | None, str | None, float]:
    start = time.perf_counter()
    try:
        facts = load_database_facts()
    except SQLAlchemyError as error:
        db.session.rollback()
        return None, f"{type(error).__name__}: the database cannot be used.", _ms_since(start)
    return facts, None, _ms_since(start)


def load_database_facts() -> DatabaseFacts:
    """What the database knows of the monitor."""
    newest = select(CheckWindow.heartbeat_at).order_by(CheckWindow.id.desc()).limit(NEWEST_WINDOWS).subquery()
    heartbeat = db.session.scalar(select(func.max(newest.c.heartbeat_at)))
    cut_off_since = db.session.scalar(select(CheckWindow.cut_off_since).order_by(CheckWindow.id.desc()).limit(1))
    oldest_due = db.session.scalar(select(func.min(EndpointState.due_at)))
    losses = load_losses()
    delivery = load_delivery_health()
    return DatabaseFacts(
        heartbeat_at=None if heartbeat is None else from_us(heartbeat),
        cut_off_since=None if cut_off_since is None else from_us(cut_off_since),
        oldest_due_at=None if oldest_due is None else from_us(oldest_due),
        lost_requests=losses.dropped + losses.unreadable,
        lost_at=losses.last_at if losses.dropped or losses.unreadable else None,
        failing_message_at=None if delivery.oldest_failing_at is None else from_us(delivery.oldest_failing_at),
        message_due_at=None if delivery.oldest_due_at is None else from_us(delivery.oldest_due_at),
        broken_channels=delivery.broken,
        tasks=list_tasks(),
    )


def _ask_redis() -> tuple[int | None, str | None, float]:
    """How many workers are registered and alive, the error if there is one, and how long the answer took."""
    start = time.perf_counter()
    try:
        client = redis_connection()
        names = client.smembers(WORKERS_KEY)
        waited = _ms_since(start)
        # A worker that was killed stays in the set; its own key is gone after a while.
        alive = client.exists(*names) if names else 0
    except (RedisError, OSError, ValueError) as error:
        return None, f"{type(error).__name__}: Redis does not answer.", _ms_since(start)
    return int(alive), None, waited


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
