"""Single readings of hosts, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import MetricHost, SystemMetric
from statusapp.queries.paging import Order, Page, Wanted, load_page

ORDERS = {"time": Order((SystemMetric.taken_at, SystemMetric.id), (datetime, int))}


@dataclass(frozen=True, slots=True)
class ReadingItem:
    """A reading in a list. Percentages are 0 to 100, durations microseconds."""

    id: int
    taken_at: datetime
    host: str
    cpu_percent: float
    load_1m: float
    memory_percent: float
    disk_percent: float
    database_query_us: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All of one reading: its figures by the names of their columns, and its details as docs/metrics.md names them."""

    item: ReadingItem
    figures: dict[str, Any]
    details: dict[str, Any]


def page_of_readings(wanted: Wanted, _now: datetime) -> Page[ReadingItem]:
    """Readings: one statement. Filters: host, and the times since and until."""
    given, metric = wanted.filters, SystemMetric
    statement: Any = select(metric)
    if "host" in given:
        statement = statement.where(metric.host == given["host"])
    if "since" in given:
        statement = statement.where(metric.taken_at >= given["since"])
    if "until" in given:
        statement = statement.where(metric.taken_at < given["until"])
    return load_page(statement, ORDERS, wanted, lambda row: _item(row.SystemMetric))


def host_names() -> list[str]:
    """The hosts that report."""
    return list(db.session.scalars(select(MetricHost.host).order_by(MetricHost.host)))


def get_reading(reading_id: int) -> Reading:
    """One reading.

    Raises:
        NotFound: when it is not there, or not any more.
    """
    row = db.session.get(SystemMetric, reading_id)
    if row is None:
        raise NotFound("There is no such reading, or not any more: they are kept for some weeks.")
    hidden = {"id", "taken_at", "host", "details"}
    figures = {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name not in hidden}
    return Reading(_item(row), figures, dict(row.details or {}))


def _item(row: SystemMetric) -> ReadingItem:
    return ReadingItem(**{name: getattr(row, name) for name in ReadingItem.__dataclass_fields__})
