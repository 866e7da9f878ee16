"""Periodic tasks: whether one runs is decided by its row, whoever woke it; how the run went is written back there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update

from config import Settings
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.schedule import next_run_after
from statusapp.extensions import db
from statusapp.models import PeriodicTask
from statusapp.services.page import page_zone

logger = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=2)  # A wake-up may come a little before the row says so.
LEASE = timedelta(minutes=10)  # After this long a run that was never heard of again counts as lost.
RETRY_AFTER = timedelta(minutes=1)
STORE_REQUESTS_EVERY = timedelta(seconds=10)
SEND_MESSAGES_EVERY = timedelta(seconds=60)
KEEP_MAINTENANCE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Cadence:
    """When a task runs: `every` so often, or each day `at` a wall-clock time of the page's zone."""

    name: str
    every: timedelta | None = None
    at: clock_time | None = None
    first_after: timedelta = timedelta(0)

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The next run after `now`."""
        return next_run_after(now, self.every, self.at, zone)


def cadences(settings: Settings) -> list[Cadence]:
    """All periodic tasks. Names and cadences of the first six are the specification's."""
    return [
        Cadence("run_health_checks_task", every=timedelta(seconds=settings.check_window)),
        Cadence("collect_system_metrics_task", every=timedelta(seconds=settings.metrics_interval)),
        Cadence("cleanup_old_health_data_task", every=timedelta(days=1), first_after=timedelta(minutes=10)),
        Cadence("check_endpoint_alerting_task", every=timedelta(seconds=settings.alerting_interval)),
        Cadence("update_endpoint_uptime_task", every=timedelta(seconds=settings.uptime_interval)),
        Cadence("generate_daily_report_task", at=clock_time(0, 30)),
        *(
            Cadence(
                name,
                every=timedelta(seconds=settings.rollup_interval),
                first_after=timedelta(seconds=min(60, settings.rollup_interval)),
            )
            for name in ("roll_up_checks_task", "roll_up_requests_task")
        ),
        Cadence("store_requests_task", every=STORE_REQUESTS_EVERY),
        Cadence("send_messages_task", every=SEND_MESSAGES_EVERY),
        Cadence("keep_maintenance_task", every=KEEP_MAINTENANCE_EVERY),
    ]


def ensure_tasks(settings: Settings, now: datetime) -> None:
    """Make the row of each task that has none, remove those of tasks that are gone, pull in what waits too long."""
    zone = page_zone()
    wanted = {cadence.name: cadence for cadence in cadences(settings)}
    with write_transaction(db.session) as session:
        rows = {row.name: row for row in session.scalars(select(PeriodicTask))}
        for name in rows.keys() - wanted.keys():
            session.delete(rows[name])
        for name, cadence in wanted.items():
            following = cadence.next_after(now, zone)
            row = rows.get(name)
            if row is None:
                first = following if cadence.at else now + cadence.first_after
                session.add(PeriodicTask(name=name, next_run_at=first))
            elif row.next_run_at > following:
                # The interval became shorter, or the clock was set back.
                row.next_run_at = following


def run_task(settings: Settings, name: str, work: Callable[[datetime], str]) -> bool:
    """Run `work` when the task's row says that it is due, and record how it went.

    Returns:
        Whether it ran. What `work` returns is kept as one line about the run; what it raises is recorded and raised.
    """
    now = utcnow()
    if not _begin(name, now):
        return False
    cadence = next(cadence for cadence in cadences(settings) if cadence.name == name)
    started = time.monotonic()
    try:
        result = work(now)
    except BaseException as error:
        retry_at = min(utcnow() + RETRY_AFTER, cadence.next_after(now, page_zone()))
        finish(name, started, retry_at, error=f"{type(error).__name__}: {error}"[:500])
        raise
    finish(name, started, cadence.next_after(now, page_zone()), result=result)
    return True


def begin_unconditionally(name: str, now: datetime, next_run_at: datetime) -> None:
    """Record that a task has begun which decides by other means than its row whether it runs."""
    with write_transaction(db.session) as session:
        session.execute(
            update(PeriodicTask)
            .where(PeriodicTask.name == name)
            .values(last_started_at=now, next_run_at=next_run_at, run_count=PeriodicTask.run_count + 1)
        )


def finish(
    name: str, started: float, next_run_at: datetime | None, *, result: str | None = None, error: str | None = None
) -> None:
    """Record the end of a run that began at the monotonic instant `started`."""
    now = utcnow()
    values: dict[str, object] = {
        "running_until": None,
        "last_finished_at": now,
        "last_duration_ms": round((time.monotonic() - started) * 1000),
        "last_error": error,
    }
    if next_run_at is not None:
        values["next_run_at"] = next_run_at
    if error is None:
        values["last_result"] = result
    else:
        values["last_error_at"] = now
        logger.error("task %s failed: %s", name, error)
    db.session.rollback()
    with write_transaction(db.session) as session:
        session.execute(update(PeriodicTask).where(PeriodicTask.name == name).values(**values))


def overdue_tasks(now: datetime, grace: timedelta) -> list[str]:
    """The tasks whose wake-up is late by more than `grace`, or was lost."""
    rows = db.session.scalars(
        select(PeriodicTask.name)
        .where(PeriodicTask.next_run_at < now - grace, _not_running(now))
        .order_by(PeriodicTask.next_run_at)
    ).all()
    db.session.rollback()
    return list(rows)


def due_times() -> dict[str, datetime]:
    """When each task runs next."""
    rows = db.session.execute(select(PeriodicTask.name, PeriodicTask.next_run_at)).all()
    db.session.rollback()
    return {row.name: row.next_run_at for row in rows}


def _begin(name: str, now: datetime) -> bool:
    """Take the run by compare-and-set: of several wake-ups at once, one succeeds."""
    with write_transaction(db.session) as session:
        taken = session.execute(
            update(PeriodicTask)
            .where(PeriodicTask.name == name, PeriodicTask.next_run_at <= now + TOLERANCE, _not_running(now))
            .values(last_started_at=now, running_until=now + LEASE, run_count=PeriodicTask.run_count + 1)
        )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def _not_running(now: datetime):  # type: ignore[no-untyped-def]
    return or_(PeriodicTask.running_until.is_(None), PeriodicTask.running_until < now)
