"""What the report of a day says of alerts, hosts and the monitor itself. Instants are microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import DeliveryState, Severity
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import Alert, AlertDelivery, MetricHost, PeriodicTask, SystemMetricHour
from statusapp.queries.metrics import Peaks, load_peaks
from statusapp.queries.requests import load_losses


@dataclass(frozen=True, slots=True)
class AlertDay:
    """The alerts that fired on a day: how many of each severity, how many nobody acknowledged, and the first of those,
    the most severe first."""

    fired: dict[Severity, int]
    unacknowledged: int
    shown: Sequence[Alert]


@dataclass(frozen=True, slots=True)
class HostDay:
    """One host on one day: means over its readings, and peaks. Percentages are 0 to 100."""

    name: str
    cpu_mean: float
    memory_mean: float
    load_mean: float
    disk_mean: float
    peaks: Peaks


@dataclass(frozen=True, slots=True)
class TaskError:
    """The newest error of a periodic task."""

    name: str
    error: str
    at: int


def load_alerts(start: int, end: int, most: int) -> AlertDay:
    """The alerts that fired in [start, end); at most so many of them in full."""
    of_day = (Alert.fired_at >= start, Alert.fired_at < end)
    fired = {
        severity: int(count)
        for severity, count in db.session.execute(
            select(Alert.severity, func.count()).where(*of_day).group_by(Alert.severity)
        )
    }
    unseen = (*of_day, Alert.acknowledged_at.is_(None))
    count = db.session.scalar(select(func.count()).select_from(Alert).where(*unseen)) or 0
    shown = db.session.scalars(
        select(Alert).where(*unseen).order_by(Alert.severity.desc(), Alert.fired_at, Alert.id).limit(most)
    ).all()
    return AlertDay(fired, count, shown)


def load_deliveries(start: int, end: int) -> dict[DeliveryState, int]:
    """The messages of [start, end) by what has become of them."""
    rows = db.session.execute(
        select(AlertDelivery.state, func.count())
        .where(AlertDelivery.created_at >= start, AlertDelivery.created_at < end)
        .group_by(AlertDelivery.state)
    )
    return {state: int(count) for state, count in rows}


def list_task_errors(start: int, end: int) -> list[TaskError]:
    """The periodic tasks whose newest error was in [start, end)."""
    rows = db.session.scalars(
        select(PeriodicTask)
        .where(PeriodicTask.last_error_at >= from_us(start), PeriodicTask.last_error_at < from_us(end))
        .order_by(PeriodicTask.name)
    )
    return [
        TaskError(row.name, row.last_error or "", to_us(row.last_error_at))
        for row in rows
        if row.last_error_at is not None
    ]


def load_hosts(start: int, end: int) -> list[HostDay]:
    """The hosts with readings in the hours that touch [start, end), by name."""
    hour, first, last = SystemMetricHour, from_us(start), from_us(end)
    cpu, memory, load, disk = (
        func.sum(column * hour.count) / func.sum(hour.count)
        for column in (hour.cpu_mean, hour.memory_mean, hour.load_mean, hour.disk_mean)
    )
    rows = db.session.execute(
        select(hour.host, cpu, memory, load, disk)
        .where(hour.host.in_(select(MetricHost.host)), hour.hour >= floor_to(start, HOUR_S), hour.hour < end)
        .group_by(hour.host)
        .order_by(hour.host)
    ).all()
    return [HostDay(row[0], row[1], row[2], row[3], row[4], load_peaks(row[0], first, last)) for row in rows]


def count_lost_requests() -> int:
    """How many requests never came into the log since the beginning; a batch that could not be read is one."""
    losses = load_losses()
    return losses.dropped + losses.unreadable
