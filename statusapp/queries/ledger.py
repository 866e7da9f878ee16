"""The ledger of statuses: who was how from when to when, by which rule and for which reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from statusapp.domain.enums import Rule, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.uptime import uptime_percent
from statusapp.domain.values import Interval
from statusapp.extensions import db
from statusapp.models import StatusChangeRow


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One interval of the ledger. `ended_at` is None while it lasts; `counted_s` is how much of it the span holds.

    A superseded entry was true as far as anybody knew until an outage was confirmed that had begun before it; it counts
    for nothing.
    """

    status: Status
    previous: Status
    started_at: datetime
    ended_at: datetime | None
    recorded_at: datetime
    rule: Rule
    reason: str | None
    is_superseded: bool
    counted_s: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the uptime of one service over a span comes about: `percent` follows from `seconds` alone, and those are the
    sums of what is counted of the entries. `percent` is None where nothing is known."""

    start: datetime
    end: datetime
    percent: float | None
    partial_weight: float
    seconds: dict[Status, float]
    entries: tuple[LedgerEntry, ...]


def load_ledger(start: int, end: int, endpoint_id: int | None = None) -> dict[int, list[Interval]]:
    """The intervals that overlap [start, end), cut to it, by endpoint and the oldest first; of one endpoint or all."""
    ledger = StatusChangeRow
    statement = (
        select(ledger.endpoint_id, ledger.status, ledger.started_at, ledger.ended_at)
        .where(
            # Two conditions instead of one, so that each can use its index.
            or_(ledger.ended_at.is_(None), ledger.ended_at > start),
            ledger.superseded.is_(False),
            ledger.started_at < end,
        )
        .order_by(ledger.started_at, ledger.id)
    )
    if endpoint_id is not None:
        statement = statement.where(ledger.endpoint_id == endpoint_id)
    found: dict[int, list[Interval]] = defaultdict(list)
    for key, status, started_at, ended_at in db.session.execute(statement):
        interval = Interval(status, max(started_at, start), end if ended_at is None else min(ended_at, end))
        if interval.end > interval.start:
            found[key].append(interval)
    return dict(found)


def explain_uptime(endpoint_id: int, start: datetime, end: datetime, partial_weight: float) -> Explanation:
    """The uptime of one service from `start` to `end`, opened into the intervals that it was computed from."""
    ledger, first, last = StatusChangeRow, to_us(start), to_us(end)
    rows = db.session.scalars(
        select(ledger)
        .where(
            ledger.endpoint_id == endpoint_id,
            or_(ledger.ended_at.is_(None), ledger.ended_at > first),
            ledger.started_at < last,
        )
        .order_by(ledger.started_at, ledger.id)
    )
    entries = tuple(_entry(row, first, last) for row in rows)
    seconds: dict[Status, float] = {}
    for entry in entries:
        if entry.counted_s:
            seconds[entry.status] = seconds.get(entry.status, 0.0) + entry.counted_s
    return Explanation(start, end, uptime_percent(seconds, partial_weight), partial_weight, seconds, entries)


def _entry(row: StatusChangeRow, start: int, end: int) -> LedgerEntry:
    counted = 0 if row.superseded else max(min(row.ended_at or end, end) - max(row.started_at, start), 0)
    return LedgerEntry(
        status=row.status,
        previous=row.previous,
        started_at=from_us(row.started_at),
        ended_at=None if row.ended_at is None else from_us(row.ended_at),
        recorded_at=from_us(row.recorded_at),
        rule=row.rule,
        reason=row.reason,
        is_superseded=row.superseded,
        counted_s=counted / SECOND,
    )
