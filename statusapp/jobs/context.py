"""The application context of a job: pushed for each job, on the application that the worker made once."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError

from config import Settings
from statusapp import create_app
from statusapp.extensions import db

logger = logging.getLogger(__name__)

_worker_app: Flask | None = None


def set_worker_app(app: Flask) -> None:
    """Say which application the jobs of this worker use; its work-horses inherit it."""
    global _worker_app  # noqa: PLW0603  (one per process, set once at its start)
    _worker_app = app


@contextmanager
def job_context() -> Iterator[Settings]:
    """An application context for one job, with database connections of this process alone.

    A database that is locked or away ends the job with one line in the log. It stays due, and whoever is woken next, or
    looks for wake-ups that were lost, does the work.
    """
    app = _worker_app or create_app(with_web=False)
    with app.app_context():
        # A connection that was opened before the fork belongs to the parent and is left to it.
        db.engine.dispose(close=False)
        try:
            yield app.config["SETTINGS"]
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database cannot be used, the task stays due: %s", error.orig)


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """While this lasts, SIGTERM calls `stop` instead of ending the process."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop()

    previous = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
