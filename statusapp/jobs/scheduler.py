"""The scheduler process: rq-scheduler, with a schedule that is mended at the start and every minute."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

import redis
from flask import Flask
from rq.queue import Queue
from rq_scheduler import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from statusapp import create_app
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.jobs.queues import HOUSEKEEPING, TaskJob, job_connection
from statusapp.jobs.schedule import reconcile
from statusapp.services import periodic

logger = logging.getLogger(__name__)

POLL_S = 1
RECONCILE_S = 60.0
LONGEST_PAUSE_S = 5.0
DAY_S = 86_400


class TickScheduler(Scheduler):  # type: ignore[misc]
    """rq-scheduler that keeps exactly our own entries, and does not die of one that cannot be read."""

    job_class = TaskJob
    queue_class = Queue

    def __init__(self, app: Flask) -> None:
        super().__init__(HOUSEKEEPING, interval=POLL_S, connection=job_connection(app.config["SETTINGS"]))
        self._app = app
        self._settings: Settings = app.config["SETTINGS"]
        self._reconciled: float | None = None

    def enqueue_jobs(self) -> list[Any]:
        """One pass: what is due goes into its queue."""
        if self._reconciled is None or time.monotonic() - self._reconciled >= RECONCILE_S:
            self.mend(utcnow())
        try:
            return list(super().enqueue_jobs())
        except redis.RedisError:
            raise  # `run_scheduler` waits for Redis and begins anew.
        except Exception:
            logger.exception("an entry of the schedule cannot be used; the schedule is mended")
            self.mend(utcnow())
            return []

    def mend(self, now: datetime) -> None:
        """Bring the entries in Redis in line with the database; without the database they stay as they are."""
        intervals = {
            cadence.name: int(cadence.every.total_seconds()) if cadence.every else DAY_S
            for cadence in periodic.cadences(self._settings)
        }
        try:
            with self._app.app_context():
                periodic.ensure_tasks(self._settings, now)
                due = periodic.due_times()
                db.engine.dispose()
        except SQLAlchemyError as error:
            logger.warning("the schedule cannot be read from the database: %s", error)
            due = dict.fromkeys(intervals, now)
        changed = reconcile(self, due, intervals, now)
        self._reconciled = time.monotonic()
        if changed:
            logger.info("schedule mended: %d entries", changed)


def run_scheduler(settings: Settings) -> None:
    """Run until SIGTERM. While Redis is away, try again after a pause that grows up to five seconds."""
    app = create_app(settings, with_web=False)
    pause = 0.5
    while True:
        started = time.monotonic()
        try:
            TickScheduler(app).run()
            return
        except redis.RedisError as error:
            logger.warning("Redis cannot be reached (%s); trying again in %.1f s", type(error).__name__, pause)
        time.sleep(pause)
        pause = 0.5 if time.monotonic() - started > 10 else min(pause * 2, LONGEST_PAUSE_S)
