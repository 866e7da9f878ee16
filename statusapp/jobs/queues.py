"""The queues, and the only kind of job that a worker of this product executes."""

from __future__ import annotations

from typing import Any

from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from config import Settings
from statusapp.redis_address import redis_url

CHECKS = "checks"
HOUSEKEEPING = "housekeeping"
QUEUES = (CHECKS, HOUSEKEEPING)  # In the order in which a worker serves them.

TASKS_MODULE = "statusapp.jobs.tasks."


class TaskJob(Job):
    """A job that is one of our tasks. Whoever can write to Redis could otherwise have any function run (or, with RQ's
    default serializer, any code while a job is merely read)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)

    @property
    def func(self) -> Any:
        """The task itself.

        Raises:
            PermissionError: for a function that is not in the schedule.
        """
        from statusapp.jobs.schedule import TASK_NAMES

        name = self.func_name or ""
        if name.removeprefix(TASKS_MODULE) not in TASK_NAMES:
            raise PermissionError(f"{name!r} is not a task of this product")
        return super().func


def job_connection(settings: Settings) -> Redis:
    """A Redis client for a worker or scheduler, which waits for jobs longer than a page may wait for anything."""
    return Redis.from_url(redis_url(settings), socket_connect_timeout=2)


def queue_of(task: str) -> str:
    """The queue in which a task waits."""
    return CHECKS if task == "run_health_checks_task" else HOUSEKEEPING
