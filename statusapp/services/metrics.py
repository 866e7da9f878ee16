"""System metrics: readings of hosts, of the database, of Redis and its queues, and of external services, stored.

The periodic task reads its own host and what all share. A host whose workers did not get that task is read by one of
them: `metric_host` says when a host is next to be read, and by whom is decided by a compare-and-set on its row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.enums import ExternalStatus
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import MetricHost, SystemMetric
from statusapp.models.types import UtcDateTime
from statusapp.probes.external.service import ExternalResult
from statusapp.probes.system import HostReading, host_name, read_host
from statusapp.queries.watermarks import METRICS
from statusapp.services import watermarks
from statusapp.services.database_reading import DatabaseReading, read_database, time_database
from statusapp.services.external import read_external, read_external_when_due
from statusapp.services.metric_rollups import roll_up_metrics
from statusapp.services.redis_reading import RedisReading, read_redis

# A host that the periodic task has read waits so much longer than the interval: most likely the task comes again.
LONGEST_GRACE_S = 30.0
HAVE_COLUMNS = frozenset({"connect_us", "query_us"})
OF_THE_QUEUES = frozenset({"queues", "oldest_job_s", "workers"})

_TURN = """
INSERT INTO metric_host (host, next_at) VALUES (:host, :next_at)
ON CONFLICT (host) DO UPDATE SET next_at = excluded.next_at
"""
_TAKE_TURN = text(_TURN).bindparams(bindparam("next_at", type_=UtcDateTime))
_TAKE_TURN_IF_DUE = text(f"{_TURN} WHERE metric_host.next_at <= :now").bindparams(
    bindparam("next_at", type_=UtcDateTime), bindparam("now", type_=UtcDateTime)
)


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was read at one time; external services by their names."""

    host: HostReading
    database: DatabaseReading
    redis: RedisReading
    external: dict[str, ExternalResult]


def collect_metrics(now: datetime) -> str:
    """Read and store this host and what all share; says what was found in one line.

    Services are asked last: what they take their time for does not make the host's reading late.
    """
    collected = _collect(now)
    external = read_external_when_due(now)
    line = _line(collected.host)
    if external:
        fine = sum(result.status is ExternalStatus.OK for result in external.values())
        line += f"; {fine} of {len(external)} external services are well"
    return line


def collect_now(now: datetime) -> Collected:
    """Read and store everything, external services included, whenever they were asked last."""
    collected = _collect(now)
    return Collected(collected.host, collected.database, collected.redis, read_external(now))


def read_this_host_when_due(now: datetime) -> bool:
    """Read and store this host alone, unless it is not due or another worker on it has taken the turn."""
    host, interval = host_name(), timedelta(seconds=_settings().metrics_interval)
    due = next_reading_at(host)
    # On the grid of the last reading, because a worker looks only every few seconds.
    next_at = now + interval if due is None or now - due > interval / 2 else due + interval
    with write_transaction(db.session) as session:
        taken = session.execute(_TAKE_TURN_IF_DUE, {"host": host, "next_at": next_at, "now": now})
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            return False
    reading, database = _read_host(), time_database()
    with write_transaction(db.session) as session:
        _store(session, now, reading, database, None)
    return True


def next_reading_at(host: str | None = None) -> datetime | None:
    """When a host, by default this one, is next to be read; None when it never was."""
    moment = db.session.scalar(select(MetricHost.next_at).where(MetricHost.host == (host or host_name())))
    db.session.rollback()
    return moment


def _collect(now: datetime) -> Collected:
    interval = _settings().metrics_interval
    next_at = now + timedelta(seconds=interval + min(interval / 2, LONGEST_GRACE_S))
    with write_transaction(db.session) as session:
        session.execute(_TAKE_TURN, {"host": host_name(), "next_at": next_at})
    collected = Collected(_read_host(), read_database(), read_redis(now), {})
    with write_transaction(db.session) as session:
        _store(session, now, collected.host, collected.database, collected.redis)
    roll_up_metrics(now)
    return collected


def _store(
    session: Session, now: datetime, host: HostReading, database: DatabaseReading, redis: RedisReading | None
) -> None:
    """Add one row, and have its hour summed up again."""
    headline = {field.name: getattr(host, field.name) for field in fields(host) if field.name != "details"}
    unread = [name for name, value in headline.items() if value is None]
    session.add(
        SystemMetric(
            taken_at=now,
            database_connect_us=database.connect_us,
            database_query_us=database.query_us,
            details={**_details(host, database, redis), **({"unread": unread} if unread else {})},
            # These columns have no room for "not known"; the details say which they are.
            **{name: 0 if value is None else value for name, value in headline.items()},
        )
    )
    watermarks.pull_back(session.connection(), METRICS, to_us(now))


def _details(host: HostReading, database: DatabaseReading, redis: RedisReading | None) -> dict[str, Any]:
    """What has no column, without what is not known; the names are explained in docs/metrics.md."""
    found = asdict(host.details)
    for prefix, reading in (("database", database), ("redis", redis)):
        for name, value in asdict(reading).items() if reading is not None else ():
            if name not in HAVE_COLUMNS:
                found[name if name in OF_THE_QUEUES else f"{prefix}_{name}"] = value
    return {name: value for name, value in found.items() if value not in (None, (), {})}


def _line(host: HostReading) -> str:
    """The headline for people."""
    return (
        f"CPU {_shown(host.cpu_percent)} %, memory {_shown(host.memory_percent)} % ({_shown(host.memory_used_mb)} MB), "
        f"disk {_shown(host.disk_percent)} % ({_shown(host.disk_free_mb)} MB free), load {_shown(host.load_1m, 2)}"
    )


def _shown(value: float | None, places: int = 1) -> str:
    if value is None:
        return "?"
    return str(value) if isinstance(value, int) else f"{value:.{places}f}"


def _read_host() -> HostReading:
    return read_host(str(_settings().instance_path))


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
