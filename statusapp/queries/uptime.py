"""Uptime of services over spans and days: past days from their sums, what is not final yet from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select

from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.strips import NO_DATA, STRIP_DAYS, Day, day_of, unpack
from statusapp.domain.uptime import (
    Spent,
    day_start,
    days_between,
    summed,
    time_between,
    time_per_status,
    uptime_percent,
)
from statusapp.domain.values import Interval
from statusapp.extensions import db
from statusapp.models import StatusChangeRow, StatusPageSettings, UptimeDay, UptimeStrip
from statusapp.queries.ledger import load_ledger
from statusapp.queries.watermarks import UPTIME, complete_until

ROLLING_SPAN = timedelta(hours=24)
# The longer spans are of whole days of the page's time zone: today and the days before it.
SPAN_DAYS = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds of each status over a span, and the percentage that follows; None where nothing is known."""

    start: datetime
    end: datetime
    seconds: Mapping[Status, float]
    percent: float | None


@dataclass(frozen=True, slots=True)
class Strips:
    """The last ninety days of every service. Days without a word about a service are `NO_DATA`.

    `rolling` is the time per status over the last 24 hours, in microseconds; `ledger` has the intervals of these hours.
    """

    days: tuple[date, ...]
    of: Mapping[int, tuple[Day, ...]]
    rolling: Mapping[int, Spent]
    ledger: Mapping[int, list[Interval]] = field(default_factory=dict)

    def of_service(self, endpoint_id: int) -> tuple[Day, ...]:
        """The days of one service."""
        return self.of.get(endpoint_id) or (NO_DATA,) * len(self.days)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the days that are final end: from `first_open` on, days are read from the ledger."""

    zone: ZoneInfo
    today: date
    first_open: date


def load_strips(now: datetime) -> Strips:
    """The days of all services up to `now`, and their last 24 hours: three statements, and the zone's."""
    cut = _load_cut(now)
    first = cut.today - timedelta(days=STRIP_DAYS - 1)
    open_days = days_between(max(cut.first_open, first), cut.today)
    edges = [day_start(day, cut.zone) for day in (*open_days, open_days[-1] + timedelta(days=1))]
    end, rolling_start = to_us(now), to_us(now - ROLLING_SPAN)
    ledger = load_ledger(min(edges[0], rolling_start), end)
    final_count = STRIP_DAYS - len(open_days)
    strips = _load_final(first, final_count)
    missing = (NO_DATA,) * final_count
    of = {
        key: (*strips.get(key, missing), *(_day(spent) for spent in time_between(ledger.get(key, []), edges)))
        for key in ledger.keys() | strips.keys()
    }
    rolling = {key: time_per_status(found, rolling_start, end) for key, found in ledger.items()}
    return Strips(tuple(days_between(first, cut.today)), of, rolling, ledger)


def load_rolling(now: datetime) -> dict[int, Spent]:
    """The time per status of every service over the last 24 hours, in microseconds; added up by the database."""
    start, end, ledger = to_us(now - ROLLING_SPAN), to_us(now), StatusChangeRow
    first = case((ledger.started_at < start, start), else_=ledger.started_at)
    last = case((or_(ledger.ended_at.is_(None), ledger.ended_at > end), end), else_=ledger.ended_at)
    rows = db.session.execute(
        select(ledger.endpoint_id, ledger.status, func.sum(last - first))
        .where(
            # Two conditions instead of one, so that each can use its index.
            or_(ledger.ended_at.is_(None), ledger.ended_at > start),
            ledger.superseded.is_(False),
            ledger.started_at < end,
        )
        .group_by(ledger.endpoint_id, ledger.status)
    )
    rolling: dict[int, Spent] = {}
    for key, status, length in rows:
        if length:
            # PostgreSQL sums whole numbers as decimals.
            rolling.setdefault(key, {})[status] = int(length)
    return rolling


def load_uptimes(endpoint_id: int, now: datetime, partial_weight: float) -> dict[str, Uptime]:
    """The uptime of one service over 24 hours, 7, 30, 90 and 365 days."""
    cut = _load_cut(now)
    end, rolling_start = to_us(now), to_us(now - ROLLING_SPAN)
    open_start = day_start(cut.first_open, cut.zone)
    longest = cut.today - timedelta(days=max(SPAN_DAYS.values()) - 1)
    final = {
        row.day: {status: getattr(row, f"{status.word}_s") for status in Status}
        for row in db.session.scalars(
            select(UptimeDay).where(
                UptimeDay.endpoint_id == endpoint_id, UptimeDay.day >= longest, UptimeDay.day < cut.first_open
            )
        )
    }
    intervals = load_ledger(min(open_start, rolling_start), end, endpoint_id).get(endpoint_id, [])
    uptimes = {
        "24h": _uptime(rolling_start, end, [_seconds(time_per_status(intervals, rolling_start, end))], partial_weight)
    }
    for name, count in SPAN_DAYS.items():
        first = cut.today - timedelta(days=count - 1)
        start = day_start(first, cut.zone)
        parts = [seconds for day, seconds in final.items() if day >= first]
        parts.append(_seconds(time_per_status(intervals, max(start, open_start), end)))
        uptimes[name] = _uptime(start, end, parts, partial_weight)
    return uptimes


def _load_cut(now: datetime) -> _Cut:
    until, basis = complete_until(UPTIME)
    name = basis or db.session.scalar(select(StatusPageSettings.time_zone)) or "UTC"
    zone = ZoneInfo(name)
    today = now.astimezone(zone).date()
    return _Cut(zone, today, min(from_us(until).astimezone(zone).date(), today))


def _load_final(first: date, count: int) -> dict[int, tuple[Day, ...]]:
    """The first `count` days from `first` on of every service, from their strips."""
    final: dict[int, tuple[Day, ...]] = {}
    for key, last_day, packed in db.session.execute(
        select(UptimeStrip.endpoint_id, UptimeStrip.last_day, UptimeStrip.days)
    ):
        # The strip may end before or after the day that is final now.
        skip = STRIP_DAYS - 1 - (last_day - first).days
        days = unpack(packed)[max(skip, 0) :] if skip >= 0 else (NO_DATA,) * -skip + unpack(packed)
        final[key] = (days + (NO_DATA,) * count)[:count]
    return final


def _day(spent: Mapping[Status, int]) -> Day:
    return day_of(_seconds(spent)) if spent else NO_DATA


def _seconds(spent: Mapping[Status, int]) -> dict[Status, float]:
    return {status: length / SECOND for status, length in spent.items()}


def _uptime(start: int, end: int, parts: list[dict[Status, float]], partial_weight: float) -> Uptime:
    seconds = summed(parts)
    return Uptime(from_us(start), from_us(end), seconds, uptime_percent(seconds, partial_weight))
