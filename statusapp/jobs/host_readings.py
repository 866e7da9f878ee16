"""A worker's part in the readings of its host: it sees that one is due, and has it made in a process of its own.

The reading takes half a second, and longer where a disk hangs. The worker goes on meanwhile and looks after the process
the next time it comes by.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.jobs.context import job_context
from statusapp.services import metrics
from statusapp.supervisor.linux import die_with_parent

logger = logging.getLogger(__name__)

LONGEST_S = 60.0
# Nobody moves a reading forward, so the database is asked when it should be due; now and then in between, because
# clocks are set and rows are deleted.
LONGEST_WAIT = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=30)


class HostReadings:
    """What one worker process knows of the readings of its host."""

    def __init__(self) -> None:
        self._began = utcnow()
        self._asked_at: datetime | None = None
        self._due_at: datetime | None = None
        self._child: int | None = None
        self._started = 0.0

    def look(self) -> None:
        """Have this host read if it is due and nobody is at it. Needs the context of the worker's application."""
        if self._is_at_work():
            return
        now = utcnow()
        if not self._knows_better(now):
            self._ask(now)
            if self._due_at is not None and now >= self._due_at:
                self._start()

    def _knows_better(self, now: datetime) -> bool:
        """Whether the database need not be asked, because of what it said last."""
        if self._due_at is None or self._asked_at is None:
            return False
        return now < self._due_at and timedelta(0) <= now - self._asked_at < LONGEST_WAIT

    def _ask(self, now: datetime) -> None:
        """Read from the database when this host is due."""
        try:
            # Soon after the start the periodic task is due as well, and reads this host or another.
            self._due_at = max(metrics.next_reading_at() or now, self._began + FIRST_WAIT)
            self._asked_at = now
        except SQLAlchemyError as error:
            logger.warning("the readings of this host cannot be seen in the database: %s", type(error).__name__)
            self._due_at = None
        finally:
            db.session.remove()
            db.engine.dispose()

    def _start(self) -> None:
        child = os.fork()
        if child == 0:
            _read_and_exit()
        self._child, self._started, self._due_at = child, time.monotonic(), None

    def _is_at_work(self) -> bool:
        """Whether a reading goes on; one that takes too long is ended."""
        if self._child is None:
            return False
        try:
            is_over = os.waitpid(self._child, os.WNOHANG)[0] != 0
        except ChildProcessError:
            is_over = True
        if not is_over:
            if time.monotonic() - self._started > LONGEST_S:
                logger.warning("a reading of this host takes longer than %.0f s and is ended", LONGEST_S)
                os.kill(self._child, signal.SIGKILL)
            return True
        self._child = None
        return False


def _read_and_exit() -> None:
    """The whole life of the process that reads."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(signal.SIGTERM)
        with job_context():
            metrics.read_this_host_when_due(utcnow())
        code = 0
    except BaseException:
        logger.exception("this host could not be read")
    finally:
        os._exit(code)
