"""Uptime per day, from the ledger.

A day that is over stays as it is until the ledger changes in it: the watermark says from where on. Today's row is as of
the last run; whoever shows today reads the ledger (see `queries/uptime.py`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, TextClause, bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.strips import NO_DATA, STRIP_DAYS, Day, day_of, pack
from statusapp.domain.uptime import day_start, days_between, time_between
from statusapp.domain.values import Interval
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint, StatusChangeRow, UptimeDay
from statusapp.models.types import UtcDateTime
from statusapp.queries.ledger import load_ledger
from statusapp.queries.watermarks import UPTIME
from statusapp.services import watermarks
from statusapp.services.page import page_zone

ROWS_AT_ONCE = 2000
STRIPS_AT_ONCE = 50

_SECONDS = {status: f"{status.word}_s" for status in Status}
_WRITE_DAY = text(f"""
INSERT INTO uptime_day (endpoint_id, day, computed_at, {", ".join(_SECONDS.values())})
VALUES (:endpoint_id, :day, :computed_at, {", ".join(f":{name}" for name in _SECONDS.values())})
ON CONFLICT (endpoint_id, day) DO UPDATE SET computed_at = excluded.computed_at,
    {", ".join(f"{name} = excluded.{name}" for name in _SECONDS.values())}
""").bindparams(bindparam("day", type_=Date), bindparam("computed_at", type_=UtcDateTime))  # noqa: S608
_WRITE_STRIP = text("""
INSERT INTO uptime_strip (endpoint_id, last_day, days) VALUES (:endpoint_id, :last_day, :days)
ON CONFLICT (endpoint_id) DO UPDATE SET last_day = excluded.last_day, days = excluded.days
""").bindparams(bindparam("last_day", type_=Date))


def update_uptime(now: datetime) -> str:
    """Compute the days that are over and not final, all of them when the page's time zone has changed, and today."""
    zone = page_zone()
    today = now.astimezone(zone).date()
    with write_transaction(db.session) as session:
        since = watermarks.begin(session, UPTIME, 0, zone.key)
    anew = since == 0
    if anew:
        oldest = db.session.scalar(select(func.min(StatusChangeRow.started_at)))
        since = to_us(now) if oldest is None else oldest
    first = min(from_us(since).astimezone(zone).date(), today)
    days = days_between(first, today)
    ledger = load_ledger(day_start(first, zone), to_us(now))
    ids = sorted(ledger)
    step = max(ROWS_AT_ONCE // len(days), 1)
    for chunk in (ids[start : start + step] for start in range(0, len(ids), step)):
        rows = [row for key in chunk for row in _day_rows(key, ledger[key], days, zone, now)]
        with write_transaction(db.session) as session:
            if anew:
                session.execute(delete(UptimeDay).where(UptimeDay.endpoint_id.in_(chunk)))
            _execute_rows(session, _WRITE_DAY, rows)
    if first < today:
        _write_strips(today - timedelta(days=1))
    with write_transaction(db.session) as session:
        watermarks.finish(session, UPTIME, day_start(today, zone))
    return f"{len(days)} days of {len(ledger)} services"


def _day_rows(
    endpoint_id: int, intervals: list[Interval], days: list[date], zone: ZoneInfo, now: datetime
) -> list[dict[str, Any]]:
    """One row per day that the service has any time on."""
    edges = [day_start(day, zone) for day in (*days, days[-1] + timedelta(days=1))]
    return [
        {
            "endpoint_id": endpoint_id,
            "day": day,
            "computed_at": now,
            **{name: spent.get(status, 0) / SECOND for status, name in _SECONDS.items()},
        }
        for day, spent in zip(days, time_between(intervals, edges), strict=True)
        if spent
    ]


def _write_strips(last_day: date) -> None:
    """Pack the ninety days up to `last_day` of every service into a row each."""
    first_day = last_day - timedelta(days=STRIP_DAYS - 1)
    ids = db.session.scalars(select(ServiceEndpoint.id).order_by(ServiceEndpoint.id)).all()
    for chunk in (ids[start : start + STRIPS_AT_ONCE] for start in range(0, len(ids), STRIPS_AT_ONCE)):
        strips: dict[int, list[Day]] = {}
        for row in db.session.scalars(
            select(UptimeDay).where(UptimeDay.endpoint_id.in_(chunk), UptimeDay.day.between(first_day, last_day))
        ):
            strip = strips.setdefault(row.endpoint_id, [NO_DATA] * STRIP_DAYS)
            strip[(row.day - first_day).days] = day_of(
                {status: getattr(row, name) for status, name in _SECONDS.items()}
            )
        rows = [{"endpoint_id": key, "last_day": last_day, "days": pack(strip)} for key, strip in strips.items()]
        with write_transaction(db.session) as session:
            _execute_rows(session, _WRITE_STRIP, rows)


def _execute_rows(session: Session, statement: TextClause, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(statement, rows)
