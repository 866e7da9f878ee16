"""Uptime per day, from the ledger."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.uptime import time_per_status
from statusapp.domain.values import Interval
from statusapp.extensions import db
from statusapp.models import StatusChangeRow, UptimeDay
from statusapp.services.page import page_zone

_COLUMNS = {status: f"{status.word}_s" for status in Status}


def update_uptime(now: datetime) -> str:
    """Compute anew the days since the newest one that is stored, and the day before it; today up to now."""
    zone = page_zone()
    today = now.astimezone(zone).date()
    newest = db.session.scalar(select(func.max(UptimeDay.day)))
    first = min(newest, today) - timedelta(days=1) if newest else today - timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    ledger = read_ledger(day_start(first, zone), to_us(now))
    rows = [
        _day_row(endpoint_id, day, intervals, zone, now)
        for day in days
        for endpoint_id, intervals in ledger.items()
        if intervals[0].start < day_start(day + timedelta(days=1), zone)
    ]
    with write_transaction(db.session) as session:
        for row in rows:
            session.merge(row)
    return f"{len(days)} days of {len(ledger)} services"


def read_ledger(start: int, end: int) -> dict[int, list[Interval]]:
    """The intervals of every endpoint that overlap [start, end), cut to it, the oldest first."""
    rows = db.session.execute(
        select(
            StatusChangeRow.endpoint_id, StatusChangeRow.status, StatusChangeRow.started_at, StatusChangeRow.ended_at
        )
        .where(
            ~StatusChangeRow.superseded,
            or_(StatusChangeRow.ended_at.is_(None), StatusChangeRow.ended_at > start),
            StatusChangeRow.started_at < end,
        )
        .order_by(StatusChangeRow.started_at)
    )
    ledger: dict[int, list[Interval]] = defaultdict(list)
    for endpoint_id, status, started_at, ended_at in rows:
        ledger[endpoint_id].append(Interval(status, max(started_at, start), min(ended_at or end, end)))
    return dict(ledger)


def day_start(day: date, zone: ZoneInfo) -> int:
    """The instant at which a day begins in a zone, in microseconds."""
    return to_us(datetime.combine(day, time(), tzinfo=zone))


def _day_row(endpoint_id: int, day: date, intervals: list[Interval], zone: ZoneInfo, now: datetime) -> UptimeDay:
    end = min(day_start(day + timedelta(days=1), zone), to_us(now))
    spent = time_per_status(intervals, day_start(day, zone), end)
    seconds = {column: spent.get(status, 0) / SECOND for status, column in _COLUMNS.items()}
    return UptimeDay(endpoint_id=endpoint_id, day=day, computed_at=now, **seconds)
