"""Retention: what is too old goes, in small batches, so that nobody waits for the write lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import Connection, CursorResult, Result, delete, func, select, text

from statusapp.database import write_connection, write_transaction
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    CheckDetail,
    CheckWindow,
    HealthCheck,
    HeartbeatPing,
    LatencyHour,
    ServiceEndpoint,
    SystemMetric,
    UserSession,
)

BATCH = 2000
WINDOWS_KEPT = timedelta(days=1)
HOURS_KEPT = timedelta(days=90)
PINGS_KEPT = timedelta(days=30)
DAYS_AHEAD = 14
PARTITION = "health_check_p%Y%m%d"
DAY_US = 86_400 * SECOND


def clean_up(now: datetime) -> str:
    """Delete what is past its retention, and what deleted endpoints have left behind."""
    settings = current_app.config["SETTINGS"]
    oldest_check = to_us(now - timedelta(days=settings.check_retention_days))
    ensure_partitions(now)
    dropped = _drop_partitions(oldest_check)
    checks = _delete_by_endpoint(HealthCheck, HealthCheck.slot, oldest_check)
    details = _delete_by_endpoint(CheckDetail, CheckDetail.slot, oldest_check)
    hours = _delete_by_endpoint(LatencyHour, LatencyHour.hour, to_us(now - HOURS_KEPT))
    pings = _delete_pings(to_us(now - PINGS_KEPT))
    with write_transaction(db.session) as session:
        metrics = session.execute(
            delete(SystemMetric).where(SystemMetric.taken_at < now - timedelta(days=settings.metric_retention_days))
        )
        session.execute(delete(CheckWindow).where(CheckWindow.started_at < to_us(now - WINDOWS_KEPT)))
        session.execute(delete(UserSession).where(UserSession.expires_at < now))
    return (
        f"removed {checks} checks, {details} details, {hours} hourly sums, {pings} pings, {_count(metrics)} metrics"
        + (f", dropped {dropped} partitions" if dropped else "")
    )


def ensure_partitions(now: datetime) -> None:
    """On PostgreSQL, make the partitions of today and of the next two weeks. Nothing to do on SQLite."""
    if db.engine.dialect.name != "postgresql":
        return
    first = to_us(now) // DAY_US * DAY_US
    with write_connection(db.engine) as connection:
        for start in range(first, first + DAYS_AHEAD * DAY_US, DAY_US):
            if _default_has_rows(connection, start):
                continue  # They would be in two partitions; they stay where they are until they are too old.
            name = from_us(start).strftime(PARTITION)
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF health_check "
                f"FOR VALUES FROM ({start}) TO ({start + DAY_US})"
            )


def _default_has_rows(connection: Connection, start: int) -> bool:
    query = text("SELECT 1 FROM health_check_pdefault WHERE slot >= :start AND slot < :end LIMIT 1")
    return connection.execute(query, {"start": start, "end": start + DAY_US}).first() is not None


def _drop_partitions(before: int) -> int:
    """Drop the days that lie wholly before an instant; returns how many."""
    if db.engine.dialect.name != "postgresql":
        return 0
    dropped = 0
    with write_connection(db.engine) as connection:
        names = connection.exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'health_check'::regclass"
        ).scalars()
        for name in names.all():
            try:
                day = datetime.strptime(name, PARTITION).replace(tzinfo=UTC)
            except ValueError:
                continue  # The default partition has no day in its name.
            if to_us(day) + DAY_US <= before:
                connection.exec_driver_sql(f"DROP TABLE {name}")
                dropped += 1
    return dropped


def _delete_by_endpoint(model: type, column, before: int) -> int:  # type: ignore[no-untyped-def]
    """Delete rows older than `before` along the key, endpoint by endpoint; all rows of endpoints that are gone."""
    known = set(db.session.scalars(select(ServiceEndpoint.id)))
    removed = 0
    endpoint_id = db.session.scalar(select(func.min(model.endpoint_id)))  # type: ignore[attr-defined]
    while endpoint_id is not None:
        limit = before if endpoint_id in known else None
        while (count := _delete_batch(model, column, endpoint_id, limit)) > 0:
            removed += count
        endpoint_id = db.session.scalar(
            select(func.min(model.endpoint_id)).where(model.endpoint_id > endpoint_id)  # type: ignore[attr-defined]
        )
    return removed


def _delete_pings(before: int) -> int:
    """Delete pings older than `before`; returns how many."""
    removed = 0
    oldest = select(HeartbeatPing.id).where(HeartbeatPing.received_at < before)
    while True:
        with write_transaction(db.session) as session:
            batch = session.scalars(oldest.order_by(HeartbeatPing.received_at).limit(BATCH)).all()
            session.execute(delete(HeartbeatPing).where(HeartbeatPing.id.in_(batch)))
        removed += len(batch)
        if len(batch) < BATCH:
            return removed


def _delete_batch(model: type, column, endpoint_id: int, before: int | None) -> int:  # type: ignore[no-untyped-def]
    condition = model.endpoint_id == endpoint_id  # type: ignore[attr-defined]
    if before is not None:
        condition &= column < before
    last = db.session.scalars(select(column).where(condition).order_by(column).limit(BATCH)).all()
    if not last:
        return 0
    with write_transaction(db.session) as session:
        return _count(session.execute(delete(model).where(condition, column <= last[-1])))


def _count(result: Result[Any]) -> int:
    return cast("CursorResult[Any]", result).rowcount
