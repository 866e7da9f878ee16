"""Hosts whose processor, memory, disk or load is above its threshold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from statusapp.domain.alert_rules import Case, judge_readings
from statusapp.domain.enums import AlertKind
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.models import MetricHost, SystemMetric
from statusapp.services.rules import Rules

# So much longer than a rule's time is looked back, so that two readings ten minutes apart can span it.
LOOK_BACK_S = 1800
# A host that is so late with its reading is not judged: what it said last may not be so any more.
OVERDUE_S = 900

_LABELS = {
    AlertKind.CPU: ("CPU", " %"),
    AlertKind.MEMORY: ("memory", " %"),
    AlertKind.DISK: ("the disk", " %"),
    AlertKind.LOAD: ("load per core", ""),
}


def judge_hosts(connection: Connection, rules: Rules, now: int) -> Iterable[Case]:
    """The four rules for every host that reports."""
    longest = max(rules.of(kind).for_s for kind in _LABELS) + LOOK_BACK_S
    due = {row.host: row.next_at for row in connection.execute(select(MetricHost.host, MetricHost.next_at))}
    metric = SystemMetric
    for host, next_at in sorted(due.items()):
        rows = connection.execute(
            select(
                metric.taken_at, metric.cpu_percent, metric.memory_percent, metric.disk_percent, metric.load_1m,
                metric.details,
            )
            .where(metric.host == host, metric.taken_at >= from_us(now - longest * SECOND))
            .order_by(metric.taken_at.desc())
        ).all()  # fmt: skip
        is_late = now - to_us(next_at) > OVERDUE_S * SECOND
        for kind, (label, unit) in _LABELS.items():
            readings = [] if is_late else [(to_us(row.taken_at), _value(row, kind)) for row in rows]
            yield judge_readings(rules.of(kind), host, readings, unit, label)


def _value(row: Any, kind: AlertKind) -> float | None:
    details: dict[str, Any] = row.details or {}
    column = {
        AlertKind.CPU: "cpu_percent",
        AlertKind.MEMORY: "memory_percent",
        AlertKind.DISK: "disk_percent",
        AlertKind.LOAD: "load_1m",
    }[kind]
    if column in details.get("unread", ()):
        return None
    if kind is AlertKind.DISK:
        # The fullest of all its mounts counts.
        fullest: float = max([row.disk_percent, *(disk["percent"] for disk in details.get("disks", ()))])
        return fullest
    value: float = getattr(row, column)
    if kind is AlertKind.LOAD:
        cores = len(details.get("cpu_cores_percent") or ())
        return value / cores if cores else None
    return value
