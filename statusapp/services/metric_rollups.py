"""The readings of each host and hour summed up, so that a chart of ninety days reads no single readings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Connection, delete, func, select

from statusapp.database import write_rows, write_transaction
from statusapp.domain.blocks import HOUR_S, ceil_to, floor_to
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import MetricHost, SystemMetric, SystemMetricHour
from statusapp.queries.watermarks import METRICS
from statusapp.services import watermarks
from statusapp.services.batches import Batches

HOUR = HOUR_S * SECOND
# An hour that is over for so long is final; a reading that is stored later pulls the watermark back.
LATE_US = 5 * 60 * SECOND
_SUMMED = (
    ("cpu", SystemMetric.cpu_percent),
    ("load", SystemMetric.load_1m),
    ("memory", SystemMetric.memory_percent),
    ("disk", SystemMetric.disk_percent),
)
_COLUMNS = (
    "host", "hour", "count", *(f"{name}_{what}" for name, _ in _SUMMED for what in ("mean", "max")),
    "database_query_us_mean", "database_query_us_max",
)  # fmt: skip
_INSERT = f"INSERT INTO system_metric_hour ({', '.join(_COLUMNS)}) VALUES"
_REPLACE = "ON CONFLICT (host, hour) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])


def roll_up_metrics(now: datetime) -> int:
    """Sum up every hour from the watermark on, the one that has begun included; how many sums were written."""
    here = to_us(now)
    oldest = db.session.scalar(select(func.min(SystemMetric.taken_at)))
    with write_transaction(db.session) as session:
        since = watermarks.begin(session, METRICS, here if oldest is None else to_us(oldest))
    since = min(max(floor_to(since, HOUR_S), _first_whole_hour(now)), floor_to(here, HOUR_S))
    written = 0
    for start in range(since, here + 1, HOUR):
        rows = _sum_hour(start)
        if rows:
            with write_transaction(db.session) as session:
                write_rows(session.connection(), _INSERT, rows, _REPLACE)
        written += len(rows)
    with write_transaction(db.session) as session:
        watermarks.finish(session, METRICS, max(floor_to(here - LATE_US, HOUR_S), since))
    return written


def delete_hours(batches: Batches, before: int) -> int:
    """Delete the sums of hours that began before an instant, host by host along the key; how many they were."""
    hour = SystemMetricHour
    removed = 0
    host = db.session.scalar(select(func.min(hour.host)))
    while host is not None:
        db.session.rollback()
        removed += batches.run(_oldest_deleted(host, before))
        host = db.session.scalar(select(func.min(hour.host)).where(hour.host > host))
    db.session.rollback()
    return removed


def forget_hosts(before: datetime) -> int:
    """Forget the hosts that should have been read before an instant and were not; how many they were.

    A container has another name after each start.
    """
    with write_transaction(db.session) as session:
        gone = session.execute(delete(MetricHost).where(MetricHost.next_at < before).returning(MetricHost.host)).all()
    return len(gone)


def _first_whole_hour(now: datetime) -> int:
    """The first hour whose readings are all there still: an earlier one stays as it was summed in its time."""
    days: int = current_app.config["SETTINGS"].metric_retention_days
    return ceil_to(to_us(now - timedelta(days=days)), HOUR_S)


def _sum_hour(start: int) -> list[tuple[Any, ...]]:
    """The readings of one hour by host, in the order of the columns."""
    figures = [
        *(what(column) for _, column in _SUMMED for what in (func.avg, func.max)),
        func.avg(SystemMetric.database_query_us),
        func.max(SystemMetric.database_query_us),
    ]
    rows = db.session.execute(
        select(SystemMetric.host, func.count(), *figures)
        .where(SystemMetric.taken_at >= from_us(start), SystemMetric.taken_at < from_us(start + HOUR))
        .group_by(SystemMetric.host)
    ).all()
    db.session.rollback()
    # PostgreSQL's mean of whole numbers is a decimal.
    return [
        (host, start, count, *found, None if query_mean is None else float(query_mean), query_max)
        for host, count, *found, query_mean, query_max in rows
    ]


def _oldest_deleted(host: str, before: int) -> Callable[[Connection, int], int]:
    """Work that deletes the oldest hours of one host."""
    hour = SystemMetricHour

    def work(connection: Connection, size: int) -> int:
        chosen = (hour.host == host, hour.hour < before)
        oldest = connection.scalars(select(hour.hour).where(*chosen).order_by(hour.hour).limit(size)).all()
        if oldest:
            connection.execute(delete(hour).where(*chosen, hour.hour <= oldest[-1]))
        return len(oldest)

    return work
