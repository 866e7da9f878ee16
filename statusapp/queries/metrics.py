"""System metrics: the newest reading of each host, and the peaks of a span.

Nothing here is proportional to history: of single readings the two newest of each host are read, of hours those of the
span that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, select, union_all

from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import MetricHost, SystemMetric, SystemMetricHour

# What is counted since the start of a host or a server, by the name of its rate; the last three are in the details.
COUNTERS = {
    "network_sent_bytes": "network_sent_per_s",
    "network_received_bytes": "network_received_per_s",
    "disk_read_bytes": "disk_read_per_s",
    "disk_written_bytes": "disk_written_per_s",
    "database_transactions": "transactions_per_s",
}
_HEADLINE = (
    "cpu_percent", "load_1m", "load_5m", "load_15m", "memory_percent", "memory_used_mb", "memory_total_mb",
    "disk_percent", "disk_free_mb", "database_connect_us", "database_query_us",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostState:
    """The newest reading of a host, which is due again at `next_at`. Percentages are 0 to 100; None is not known.

    Attributes:
        details: what has no column, by the names in docs/metrics.md.
        rates: bytes or transactions per second between the last two readings, by the values of `COUNTERS`; without
            those that are not known, as after a restart.
    """

    host: str
    taken_at: datetime
    next_at: datetime
    cpu_percent: float | None
    load_1m: float | None
    load_5m: float | None
    load_15m: float | None
    memory_percent: float | None
    memory_used_mb: int | None
    memory_total_mb: int | None
    disk_percent: float | None
    disk_free_mb: int | None
    database_connect_us: int | None
    database_query_us: int | None
    details: Mapping[str, Any] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest reading of a span, and the hour in which it was."""

    value: float
    hour: datetime


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of a host; None without readings. Percentages are 0 to 100."""

    cpu_percent: Peak | None
    load_1m: Peak | None
    memory_percent: Peak | None
    disk_percent: Peak | None
    database_query_us: Peak | None


def list_hosts() -> list[HostState]:
    """The newest reading of each host that reports, by name."""
    due = {row.host: row.next_at for row in db.session.execute(select(MetricHost.host, MetricHost.next_at))}
    places = union_all(*(select(_place(back)).select_from(MetricHost) for back in (0, 1)))
    rows = db.session.scalars(
        select(SystemMetric).where(SystemMetric.id.in_(places)).order_by(SystemMetric.host, SystemMetric.taken_at)
    )
    pairs: dict[str, list[SystemMetric]] = {}
    for row in rows:
        pairs.setdefault(row.host, []).append(row)
    return [_host_state(found, due[host]) for host, found in pairs.items()]


def load_peaks(host: str, start: datetime, end: datetime) -> Peaks:
    """The peaks of a host in the hours that touch [start, end)."""
    hour = SystemMetricHour
    rows = db.session.execute(
        select(hour.hour, hour.cpu_max, hour.load_max, hour.memory_max, hour.disk_max, hour.database_query_us_max)
        .where(hour.host == host, hour.hour >= floor_to(to_us(start), HOUR_S), hour.hour < to_us(end))
        .order_by(hour.hour)
    ).all()
    columns = zip(*rows, strict=True) if rows else iter([()] * 6)
    hours, *figures = columns
    return Peaks(*(_peak(hours, values) for values in figures))


def rate(before: float | None, after: float | None, seconds: float) -> float | None:
    """What a counter rose by in a second. None where it is not known, and where it fell: it began anew in between."""
    if before is None or after is None or after < before or seconds <= 0:
        return None
    return (after - before) / seconds


def _place(back: int) -> ScalarSelect[int]:
    """The newest reading of the host of the enclosing statement, or one so many places before it."""
    return (
        select(SystemMetric.id)
        .where(SystemMetric.host == MetricHost.host)
        .order_by(SystemMetric.taken_at.desc())
        .limit(1)
        .offset(back)
        .correlate(MetricHost)
        .scalar_subquery()
    )


def _host_state(readings: list[SystemMetric], next_at: datetime) -> HostState:
    """What the newest of one or two readings says, and what has happened since the other."""
    row, earlier = readings[-1], readings[0]
    seconds = (row.taken_at - earlier.taken_at).total_seconds()
    rates = {name: rate(_counter(earlier, of), _counter(row, of), seconds) for of, name in COUNTERS.items()}
    details = row.details or {}
    unread = _unread(row)
    return HostState(
        host=row.host,
        taken_at=row.taken_at,
        next_at=next_at,
        details={name: value for name, value in details.items() if name != "unread"},
        rates={name: value for name, value in rates.items() if value is not None},
        **{name: None if name in unread else getattr(row, name) for name in _HEADLINE},
    )


def _unread(row: SystemMetric) -> list[str]:
    """The columns that hold a zero in place of what could not be read."""
    found = (row.details or {}).get("unread")
    return found if isinstance(found, list) else []


def _counter(row: SystemMetric, name: str) -> float | None:
    if name in _unread(row):
        return None
    found: Any = getattr(row, name, None) if hasattr(row, name) else (row.details or {}).get(name)
    return found if isinstance(found, int | float) else None


def _peak(hours: tuple[int, ...], values: tuple[float | None, ...]) -> Peak | None:
    known = [(value, -at) for at, value in zip(hours, values, strict=True) if value is not None]
    if not known:
        return None
    value, negated = max(known)  # Of equal ones the first.
    return Peak(float(value), from_us(-negated))
