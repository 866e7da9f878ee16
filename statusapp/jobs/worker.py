"""The worker process: RQ's forking worker, which also makes up for wake-ups that were lost with Redis."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import redis
from rq import Worker
from rq.exceptions import StopRequested
from rq.queue import Queue
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from statusapp import create_app
from statusapp.clock import now_us, utcnow
from statusapp.extensions import db
from statusapp.jobs import tasks
from statusapp.jobs.context import set_worker_app
from statusapp.jobs.host_readings import HostReadings
from statusapp.jobs.queues import QUEUES, TaskJob, job_connection
from statusapp.jobs.schedule import TASK_NAMES
from statusapp.services import check_windows, periodic
from statusapp.services.checks import TASK as CHECKS_TASK
from statusapp.supervisor.linux import die_with_parent

logger = logging.getLogger(__name__)

LOOK_S = 5  # How often an idle worker looks for wake-ups that did not come.
GRACE = timedelta(seconds=10)
LONGEST_PAUSE_S = 5.0
WORKER_TTL_S = 60


def _is_news(record: logging.LogRecord) -> bool:
    """RQ tells of a Redis that is away with a page of traceback; `run_worker` says the same in a line."""
    return record.exc_info is None or not isinstance(record.exc_info[1], redis.RedisError)


class StatusWorker(Worker):
    """An RQ worker for our tasks: stops its work-horse gently, survives Redis, and ticks by itself without it."""

    max_connection_wait_time = LONGEST_PAUSE_S
    job_class = TaskJob
    queue_class = Queue
    log_result_lifespan = False
    host_readings: HostReadings | None = None

    @property
    def dequeue_timeout(self) -> int:
        """Wait for a job only so long; between the waits lost wake-ups are made up for."""
        return LOOK_S

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ calls this between two waits and after each job."""
        if pipeline is None and not self.horse_pid:
            make_up_for_lost_ticks()
            self._look_at_host()
        super().heartbeat(timeout, pipeline)

    def execute_job(self, job: Any, queue: Any) -> None:
        """What somebody has done to a job's key in Redis is no reason for the worker to quit."""
        try:
            super().execute_job(job, queue)
        except redis.ResponseError as error:
            logger.warning("the record of %s in Redis is spoiled: %s", job.id, error)

    def maintain_heartbeats(self, job: Any, execution: Any) -> None:
        """Redis being away is no reason to abandon a work-horse, which does not need it.

        RQ calls this every half minute while a job runs, and some run for hours.
        """
        self._look_at_host()
        try:
            super().maintain_heartbeats(job, execution)
        except redis.RedisError as error:
            logger.warning("no heartbeat to Redis: %s", type(error).__name__)

    def _look_at_host(self) -> None:
        if self.host_readings is not None:
            self.host_readings.look()

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """A task that was done when Redis went away has not failed; what became of it is in its row."""
        if isinstance(exc_info[1], redis.RedisError):
            logger.warning("Redis was away when %s ended: %s", job.id, type(exc_info[1]).__name__)
        else:
            super().handle_exception(job, *exc_info)

    def handle_warm_shutdown_request(self) -> None:
        """Ask the work-horse to end as well: it gives its leases back."""
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)

    def setup_work_horse_signals(self) -> None:
        """A work-horse ends with its worker, whatever ended that."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        die_with_parent(signal.SIGTERM)


def run_worker(settings: Settings, number: int) -> None:
    """Run until SIGTERM. While Redis is away, checks and housekeeping go on, woken by this process."""
    app = create_app(settings, with_web=False)
    set_worker_app(app)
    logging.getLogger("rq.worker").addFilter(_is_news)
    readings, pause = HostReadings(), 0.5
    with app.app_context():
        while True:
            started = time.monotonic()
            try:
                name = f"{socket.gethostname()}-{number}-{uuid4().hex[:8]}"
                worker = StatusWorker(
                    list(QUEUES),
                    name=name,
                    connection=job_connection(settings),
                    worker_ttl=WORKER_TTL_S,
                    log_job_description=False,
                )
                worker.host_readings = readings
                worker.work(logging_level="WARNING")
                if worker._shutdown_requested_date is not None:
                    return
            except redis.RedisError as error:
                logger.warning("Redis cannot be reached (%s); trying again in %.1f s", type(error).__name__, pause)
            except StopRequested:
                return
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            make_up_for_lost_ticks()
            readings.look()
            time.sleep(pause)
            pause = 0.5 if time.monotonic() - started > 10 else min(pause * 2, LONGEST_PAUSE_S)


def make_up_for_lost_ticks() -> None:
    """Run, in a process of their own, the tasks that nobody has woken although they are due.

    So the checks go on while Redis is away or empty, or no scheduler runs.
    """
    try:
        names = [name for name in periodic.overdue_tasks(utcnow(), GRACE) if name in TASK_NAMES]
        if CHECKS_TASK in names and _someone_claims():
            names.remove(CHECKS_TASK)
    except SQLAlchemyError as error:
        logger.warning("the schedule cannot be read from the database: %s", type(error).__name__)
        return
    finally:
        db.session.remove()
        db.engine.dispose()
    # The checks last, because they go on until somebody else takes over.
    for name in sorted(names, key=lambda name: name == CHECKS_TASK):
        logger.warning("no wake-up came for %s; running it now", name)
        _run_in_child(name)


def _someone_claims() -> bool:
    with db.engine.connect() as connection:
        return check_windows.has_live_claimer(connection, now_us())


def _run_in_child(name: str) -> None:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(signal.SIGTERM)
        try:
            getattr(tasks, name)()
        except BaseException:
            logger.exception("task %s failed", name)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
