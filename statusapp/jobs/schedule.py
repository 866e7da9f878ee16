"""The periodic tasks as entries of rq-scheduler. An entry is a wake-up and no more; the truth is in `periodic_task`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from rq.exceptions import NoSuchJobError
from rq_scheduler import Scheduler

from statusapp.jobs.queues import TASKS_MODULE, queue_of

logger = logging.getLogger(__name__)

# By name, with the longest a run may take in seconds; -1 is for the job that ends itself.
TIMEOUTS = {
    "run_health_checks_task": -1,
    "collect_system_metrics_task": 60,
    "cleanup_old_health_data_task": 3600,
    "check_endpoint_alerting_task": 120,
    "update_endpoint_uptime_task": 600,
    "generate_daily_report_task": 600,
    "roll_up_checks_task": 600,
    "roll_up_requests_task": 600,
    "store_requests_task": 120,
    "send_messages_task": 120,
    "keep_maintenance_task": 120,
}
TASK_NAMES = frozenset(TIMEOUTS)
TOLERANCE_S = 2.0


def reconcile(scheduler: Scheduler, due: dict[str, datetime], intervals: dict[str, int], now: datetime) -> int:
    """Make rq-scheduler's entries what they should be: add what is missing, drop what is not ours, mend times.

    Args:
        due: when each task runs next.
        intervals: seconds between the wake-ups of each task.

    Returns:
        How many entries were changed.
    """
    key = scheduler.scheduled_jobs_key
    entries = {name.decode(errors="replace"): score for name, score in scheduler.connection.zscan_iter(key)}
    changed = 0
    for name in entries.keys() - due.keys():
        scheduler.connection.zrem(key, name)
        changed += 1
    for name, moment in due.items():
        wanted = max(moment, now)
        late_or_lost = name not in entries or abs(entries[name] - wanted.timestamp()) > intervals[name] / 2
        drifted = intervals[name] > 60 and name in entries and abs(entries[name] - wanted.timestamp()) > TOLERANCE_S
        readable = _is_readable(scheduler, name)
        if not readable:
            # Whatever stands there may be of a kind that cannot be written over.
            scheduler.connection.delete(scheduler.job_class.key_for(name))
        if late_or_lost or drifted or not readable:
            schedule(scheduler, name, wanted, intervals[name])
            changed += 1
    return changed


def schedule(scheduler: Scheduler, name: str, moment: datetime, interval_s: int) -> None:
    """Write one entry, over whatever stands there."""
    scheduler.schedule(
        scheduled_time=moment.astimezone(UTC),
        func=TASKS_MODULE + name,
        interval=interval_s,
        id=name,
        queue_name=queue_of(name),
        timeout=TIMEOUTS[name],
        result_ttl=-1,  # A job that expires takes its entry along.
    )


def _is_readable(scheduler: Scheduler, name: str) -> bool:
    try:
        job = scheduler.job_class.fetch(name, connection=scheduler.connection)
        return bool(job.func_name == TASKS_MODULE + name)
    except NoSuchJobError:
        return False
    except Exception:
        # Whatever stands there cannot be decoded, and rq-scheduler would die of it: it is written anew.
        logger.warning("the entry of %s cannot be read and is written anew", name)
        return False
