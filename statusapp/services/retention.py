"""Retention: what is too old goes, in small batches, and the space it took is given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

from config import Settings
from statusapp.domain.blocks import DAY_S, STEPS_S
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    CheckDetail,
    CheckWindow,
    ExternalReading,
    HealthCheck,
    HeartbeatPing,
    LatencyRollup,
    ServiceEndpoint,
    SystemMetric,
    UserSession,
)
from statusapp.services import metric_rollups, request_retention
from statusapp.services.batches import Batches, delete_before, oldest_deleted
from statusapp.services.delivery_retention import delete_deliveries
from statusapp.services.partitions import drop_partitions, ensure_partitions

WINDOWS_KEPT = timedelta(days=1)
# Free pages that stay in a SQLite file for what comes next, as a part of those in use.
ROOM_KEPT = 0.1


def clean_up(now: datetime) -> str:
    """Delete what is past its retention, and what deleted endpoints have left behind; says what it removed."""
    settings: Settings = current_app.config["SETTINGS"]
    ensure_partitions(now)
    batches = Batches()
    oldest_check = to_us(now - timedelta(days=settings.check_retention_days))
    removed = {
        "days of checks": drop_partitions(oldest_check),
        "checks": _delete_by_endpoint(batches, HealthCheck, HealthCheck.slot, oldest_check),
        "details": _delete_by_endpoint(batches, CheckDetail, CheckDetail.slot, oldest_check),
        "sums": _delete_sums(batches, settings, now),
        "pings": delete_before(
            batches, HeartbeatPing.received_at, to_us(now - timedelta(days=settings.ping_retention_days))
        ),
        "metrics": delete_before(batches, SystemMetric.taken_at, now - timedelta(days=settings.metric_retention_days)),
        "hours of metrics": metric_rollups.delete_hours(
            batches, to_us(now - timedelta(days=settings.metric_hour_retention_days))
        ),
        "external readings": delete_before(
            batches, ExternalReading.taken_at, now - timedelta(days=settings.metric_retention_days)
        ),
        "hosts": metric_rollups.forget_hosts(now - timedelta(days=settings.metric_retention_days)),
        **request_retention.delete_requests(batches, settings, now),
        # What is open has no end yet, and stays; messages go with their alert.
        "alerts": delete_before(batches, Alert.resolved_at, to_us(now - timedelta(days=settings.alert_retention_days))),
        "messages": delete_deliveries(batches, to_us(now - timedelta(days=settings.alert_retention_days))),
        "check windows": delete_before(batches, CheckWindow.started_at, to_us(now - WINDOWS_KEPT)),
        "sessions": delete_before(batches, UserSession.expires_at, now),
    }
    given_back = _give_space_back(batches)
    found = [f"{count} {name}" for name, count in removed.items() if count]
    return (
        f"removed {', '.join(found) or 'nothing'}"
        + (f", gave back {given_back / 2**20:.1f} MB" if given_back else "")
        + f" ({batches.transactions} transactions, the longest {batches.longest_s * 1000:.0f} ms)"
    )


def _delete_sums(batches: Batches, settings: Settings, now: datetime) -> int:
    removed = 0
    for step_s in STEPS_S:
        days = settings.day_retention_days if step_s == DAY_S else settings.hour_retention_days
        before = to_us(now - timedelta(days=days))
        removed += _delete_by_endpoint(
            batches, LatencyRollup, LatencyRollup.start, before, LatencyRollup.step_s == step_s
        )
    return removed


def _delete_by_endpoint(
    batches: Batches, model: Any, column: InstrumentedAttribute[int], before: int, *conditions: Any
) -> int:
    """Delete rows older than `before` along the key, endpoint by endpoint; all rows of endpoints that are gone."""
    known = set(db.session.scalars(select(ServiceEndpoint.id)))
    removed = 0
    endpoint_id = db.session.scalar(select(func.min(model.endpoint_id)))
    while endpoint_id is not None:
        db.session.rollback()
        chosen = [model.endpoint_id == endpoint_id, *conditions]
        if endpoint_id in known:
            chosen.append(column < before)
        # A look first, for the write lock is not taken for nothing.
        if db.session.execute(select(column).where(*chosen).limit(1)).first() is not None:
            db.session.rollback()
            removed += batches.run(oldest_deleted(model, column, chosen))
        endpoint_id = db.session.scalar(select(func.min(model.endpoint_id)).where(model.endpoint_id > endpoint_id))
    # A read that goes on would keep the log of SQLite from being written back.
    db.session.rollback()
    return removed


def _give_space_back(batches: Batches) -> int:
    """On SQLite, cut free pages off the file, but for some room; how many bytes that were.

    PostgreSQL gives back by itself what dropped partitions took.
    """
    if db.engine.dialect.name != "sqlite":
        return 0
    with db.engine.connect() as connection:
        free, pages, page_size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("freelist_count", "page_count", "page_size")
        )
    surplus = free - round(ROOM_KEPT * (pages - free))
    left = surplus

    def work(connection: Connection, size: int) -> int:
        nonlocal left
        count = min(size, left)
        if count > 0:
            # The pragma frees a page at each step, and the driver makes one step of what has no rows.
            for _ in range(count):
                connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
            left -= count
        return count

    return batches.run(work) * page_size if surplus > 0 else 0
