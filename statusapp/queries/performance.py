"""How the public services and the hosts did in the last 24 hours, hour by hour: two statements that read sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import LatencyRollup, MetricHost, ServiceEndpoint, SystemMetricHour

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hours:
    """One measure over the hours, the oldest first, and its mean over all of them; None where nothing was measured."""

    values: tuple[float | None, ...] = (None,) * HOURS
    mean: float | None = None


NOTHING = Hours()


@dataclass(frozen=True, slots=True)
class Performance:
    """The last 24 hours of UTC that have begun; the last of them is not over.

    CPU, memory, disk and errors are percent, 0 to 100; response times microseconds. Hosts count by their readings,
    services by their checks.
    """

    starts: tuple[datetime, ...] = ()
    cpu: Hours = NOTHING
    memory: Hours = NOTHING
    disk: Hours = NOTHING
    response_us: Hours = NOTHING
    errors: Hours = NOTHING


def hour_edges(now: datetime) -> list[int]:
    """The beginnings of the last 24 hours that have begun, and the end of the last one, in microseconds."""
    last = floor_to(to_us(now), HOUR_S)
    return [last - HOUR_S * SECOND * number for number in range(HOURS - 1, -2, -1)]


def load_performance(now: datetime) -> Performance:
    """The performance as of `now`."""
    edges = hour_edges(now)
    hosts, checks = _load_hosts(edges), _load_checks(edges)
    return Performance(
        starts=tuple(from_us(edge) for edge in edges[:-1]),
        cpu=_hours((row.cpu, row.count) for row in hosts),
        memory=_hours((row.memory, row.count) for row in hosts),
        disk=_hours((row.disk, row.count) for row in hosts),
        response_us=_hours((row.sum_us, row.count - row.failures) for row in checks),
        errors=_hours((100 * row.failures, row.count) for row in checks),
    )


def _load_hosts(edges: Sequence[int]) -> list[Any]:
    hour = SystemMetricHour
    return _by_hour(
        select(
            hour.hour.label("start"),
            func.sum(hour.count).label("count"),
            *(func.sum(getattr(hour, f"{name}_mean") * hour.count).label(name) for name in ("cpu", "memory", "disk")),
        )
        # Through the list of hosts each one's hours are found by their key.
        .where(hour.host.in_(select(MetricHost.host)), hour.hour >= edges[0], hour.hour < edges[-1])
        .group_by(hour.hour),
        edges,
    )


def _load_checks(edges: Sequence[int]) -> list[Any]:
    rollup, endpoint = LatencyRollup, ServiceEndpoint
    return _by_hour(
        select(
            rollup.start,
            func.sum(rollup.count).label("count"),
            func.sum(rollup.failures).label("failures"),
            func.sum(rollup.sum_us).label("sum_us"),
        )
        .where(
            # Not a join: through the list each service's hours are found by their key.
            rollup.endpoint_id.in_(
                select(endpoint.id).where(endpoint.is_enabled, endpoint.is_public, endpoint.url != HEARTBEAT)
            ),
            rollup.step_s == HOUR_S,
            rollup.start >= edges[0],
            rollup.start < edges[-1],
        )
        .group_by(rollup.start),
        edges,
    )


@dataclass(frozen=True, slots=True)
class _NoRow:
    """An hour of which there are no sums."""

    count: int = 0
    failures: int = 0
    sum_us: int = 0
    cpu: float = 0
    memory: float = 0
    disk: float = 0


def _by_hour(statement: Any, edges: Sequence[int]) -> list[Any]:
    rows = {row.start: row for row in db.session.execute(statement)}
    return [rows.get(edge, _NoRow()) for edge in edges[:-1]]


def _hours(sums: Iterable[tuple[Any, Any]]) -> Hours:
    # PostgreSQL sums whole numbers as decimals.
    found = [(float(total), int(count)) for total, count in sums]
    count = sum(weight for _, weight in found)
    return Hours(
        tuple(total / weight if weight else None for total, weight in found),
        sum(total for total, _ in found) / count if count else None,
    )
