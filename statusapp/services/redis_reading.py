"""What Redis says of itself and of the queues in it. Redis being away is a reading, not an error."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError

from statusapp.extensions import redis_connection
from statusapp.jobs.queues import QUEUES
from statusapp.queries.health import WORKERS_KEY


@dataclass(frozen=True, slots=True)
class RedisReading:
    """How Redis and the queues do; with an `error`, which is the class of what was raised, nothing else is known.

    Attributes:
        ping_us: the time that the smallest command takes, in microseconds, with the connection open.
        memory_max_bytes: 0 where there is no limit.
        queues: how many jobs wait in each queue, by its name.
        oldest_job_s: for how long the job has waited that has waited longest; None while none waits.
        workers: those that are registered and alive.
    """

    ping_us: int | None = None
    memory_bytes: int | None = None
    memory_max_bytes: int | None = None
    clients: int | None = None
    queues: dict[str, int] = field(default_factory=dict)
    oldest_job_s: float | None = None
    workers: int | None = None
    error: str | None = None


def read_redis(now: datetime) -> RedisReading:
    """Everything that can be read now."""
    try:
        client = redis_connection()
        client.ping()  # Opens the connection.
        started = time.perf_counter_ns()
        client.ping()
        ping_us = (time.perf_counter_ns() - started) // 1000
        names = client.smembers(WORKERS_KEY)
        workers = int(client.exists(*names)) if names else 0
        queues = {name: int(client.llen(f"rq:queue:{name}")) for name in QUEUES}
        ages = [age for name in QUEUES if (age := _oldest_age_s(client, name, now)) is not None]
        memory, clients = _info(client, "memory"), _info(client, "clients")
    except (RedisError, OSError, ValueError) as error:
        return RedisReading(error=type(error).__name__)
    return RedisReading(
        ping_us=ping_us,
        memory_bytes=memory.get("used_memory"),
        memory_max_bytes=memory.get("maxmemory"),
        clients=clients.get("connected_clients"),
        queues=queues,
        oldest_job_s=max(ages, default=None),
        workers=workers,
    )


def _oldest_age_s(client: Redis, queue: str, now: datetime) -> float | None:
    """For how long the first job of a queue has waited, in seconds; RQ puts new ones at the end."""
    job_id: Any = client.lindex(f"rq:queue:{queue}", 0)
    if job_id is None:
        return None
    stamp: Any = client.hget(b"rq:job:" + job_id, "enqueued_at")
    try:
        moment = datetime.fromisoformat((stamp or b"").decode())
    except ValueError:
        # The job was taken meanwhile, or somebody has spoiled its record.
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((now - moment).total_seconds(), 0.0)


def _info(client: Redis, section: str) -> dict[str, Any]:
    """A part of the report; empty where the account may not read it."""
    try:
        found: dict[str, Any] = client.info(section)
    except RedisError:
        return {}
    return found
