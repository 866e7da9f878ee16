"""Retention of requests: single ones, their sums, their clients and their errors."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from config import Settings
from statusapp.domain.instants import to_us
from statusapp.domain.request_sums import REQUEST_STEPS_S
from statusapp.extensions import db
from statusapp.models import (
    RequestClient,
    RequestClientDay,
    RequestError,
    RequestErrorClient,
    RequestLog,
    RequestRollup,
    TrackedRoute,
)
from statusapp.models.requests import EVERY_ROUTE
from statusapp.services.batches import Batches, delete_before, oldest_deleted


def delete_requests(batches: Batches, settings: Settings, now: datetime) -> dict[str, int]:
    """Delete what is past its retention; how much that was, by what it is called."""
    sums_from = to_us(now - timedelta(days=settings.request_sum_retention_days))
    return {
        "requests": delete_before(batches, RequestLog.at, to_us(now - timedelta(days=settings.request_retention_days))),
        "sums of requests": _delete_sums(batches, sums_from),
        "clients": _delete_clients(batches, RequestClient, RequestClient.hour, sums_from)
        + _delete_clients(batches, RequestClientDay, RequestClientDay.day, sums_from),
        "groups of errors": _delete_errors(batches, sums_from),
    }


def _delete_sums(batches: Batches, before: int) -> int:
    rollup = RequestRollup
    removed = 0
    for route_id in (EVERY_ROUTE, *db.session.scalars(select(TrackedRoute.id)).all()):
        for step_s in REQUEST_STEPS_S:
            chosen = [rollup.route_id == route_id, rollup.step_s == step_s, rollup.start < before]
            # A look first, for the write lock is not taken for nothing.
            if db.session.execute(select(rollup.start).where(*chosen).limit(1)).first() is not None:
                db.session.rollback()
                removed += batches.run(oldest_deleted(rollup, rollup.start, chosen))
    db.session.rollback()
    return removed


def _delete_clients(
    batches: Batches,
    model: type[RequestClient | RequestClientDay],
    start: InstrumentedAttribute[int],
    before: int,
) -> int:
    def work(connection: Connection, size: int) -> int:
        first = connection.execute(
            select(start, model.kind).where(start < before).order_by(start, model.kind).limit(1)
        ).first()
        if first is None:
            return 0
        chosen = (start == first[0], model.kind == first.kind)
        values = connection.scalars(select(model.value).where(*chosen).limit(size)).all()
        connection.execute(delete(model).where(*chosen, model.value.in_(values)))
        return len(values)

    removed = 0
    while db.session.execute(select(start).where(start < before).limit(1)).first() is not None:
        db.session.rollback()
        removed += batches.run(work)
    db.session.rollback()
    return removed


def _delete_errors(batches: Batches, before: int) -> int:
    old = db.session.scalars(select(RequestError.id).where(RequestError.last_at < before)).all()
    db.session.rollback()
    for error_id in old:
        batches.run(
            oldest_deleted(RequestErrorClient, RequestErrorClient.client, [RequestErrorClient.error_id == error_id])
        )
    return delete_before(batches, RequestError.last_at, before)
