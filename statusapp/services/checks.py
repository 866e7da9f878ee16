"""The check job: begins a window and makes checks until a fresher job takes over."""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from config import Settings
from statusapp.clock import now_us, utcnow
from statusapp.database import write_connection
from statusapp.domain.instants import SECOND
from statusapp.extensions import db
from statusapp.services import check_windows, periodic
from statusapp.services.check_runs import CheckRun
from statusapp.services.probing import current_probing

logger = logging.getLogger(__name__)

TASK = "run_health_checks_task"
# The loop has to take its turn within a millisecond while the database thread computes (the default is five).
SWITCH_INTERVAL_S = 0.0005
DESCRIPTORS_KEPT_FREE = 100


def run_checks(settings: Settings, interruptible: Callable[[Callable[[], None]], AbstractContextManager[None]]) -> bool:
    """Claim and make checks until a fresher job has begun; whether there was anything to take over.

    Args:
        interruptible: a context in which a request to end calls the function that it was given.
    """
    now = now_us()
    with write_connection(db.engine) as connection:
        window_id = check_windows.begin(connection, now, settings.check_window * SECOND)
        cut_off_since = check_windows.cut_off_since(connection)
    if window_id is None:
        return False
    started, began = time.monotonic(), utcnow()
    periodic.begin_unconditionally(TASK, began, began + timedelta(seconds=settings.check_window))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    max_concurrent = min(settings.max_concurrent_checks, _descriptor_limit())
    run = CheckRun(db.engine, window_id, max_concurrent, current_probing(), cut_off_since)
    try:
        with interruptible(run.stop):
            checks = run.run()
    except BaseException as error:
        periodic.finish(TASK, started, None, error=f"{type(error).__name__}: {error}"[:500])
        raise
    periodic.finish(TASK, started, None, result=f"{checks} checks")
    return True


def _descriptor_limit() -> int:
    """How many sockets this process may have open: the limit is raised as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(hard - DESCRIPTORS_KEPT_FREE, 1) if hard != resource.RLIM_INFINITY else sys.maxsize
