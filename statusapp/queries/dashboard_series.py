"""Everything together over a range of time: checks, requests and hosts, from their sums.

A range is cut into a hundred points at most. Up to two hours are read from single checks and readings, which are few;
what is longer from the sums of hours, three hours or days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import case, func, literal_column, select

from statusapp.domain.blocks import DAY_S, HOUR_S, THREE_HOURS_S, ceil_to, cover, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.latency import COUNTED
from statusapp.domain.request_sums import FIVE_MINUTES_S, RequestSums
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import (
    HealthCheck,
    LatencyRollup,
    MetricHost,
    ServiceEndpoint,
    SystemMetric,
    SystemMetricHour,
)
from statusapp.models.check import HERE
from statusapp.queries.request_sums import RouteTraffic, load_points, load_traffic
from statusapp.queries.watermarks import LATENCY, complete_until

# How ranges up to so long are cut.
_STEPS = (
    (timedelta(hours=2), FIVE_MINUTES_S),
    (timedelta(hours=48), HOUR_S),
    (timedelta(days=8), THREE_HOURS_S),
)
# Hosts are read every ten minutes unless somebody wants it otherwise.
_READINGS_S = 600


@dataclass(frozen=True, slots=True)
class Cut:
    """The points of a range: the beginning of each, and the end of the last one, in microseconds."""

    step_s: int
    edges: tuple[int, ...]

    @property
    def starts(self) -> list[datetime]:
        """The beginnings."""
        return [from_us(edge) for edge in self.edges[:-1]]


@dataclass(frozen=True, slots=True)
class ChecksSeries:
    """All services together: mean response times in microseconds, failures in percent; None is a gap."""

    cut: Cut
    response_us: tuple[float | None, ...]
    error_percent: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class RequestsSeries:
    """The requests of all hosts: of each point, of each route, and together. The busiest route is the first.

    `until` is where the range ends, in microseconds; the last point may go on after it.
    """

    cut: Cut
    until: int
    points: tuple[RequestSums, ...]
    routes: tuple[RouteTraffic, ...]
    overall: RequestSums

    @property
    def per_minute(self) -> float:
        """How many requests came a minute."""
        return self._rate(self.overall.count, self.cut.edges[0], self.until)

    @property
    def rates(self) -> list[float | None]:
        """How many requests came a minute in each point; None where there were none."""
        return [
            self._rate(sums.count, start, min(end, self.until)) if sums.count else None
            for sums, (start, end) in zip(self.points, pairwise(self.cut.edges), strict=True)
        ]

    @staticmethod
    def _rate(count: int, start: int, end: int) -> float:
        # A point that has just begun says nothing of a minute yet.
        return count * 60 * SECOND / max(end - start, 60 * SECOND)


@dataclass(frozen=True, slots=True)
class HostPoint:
    """The means of one host over one point. Percentages are 0 to 100."""

    cpu: float | None
    memory: float | None
    disk: float | None
    database_us: float | None


def cut(start: datetime, end: datetime, finest_s: int = FIVE_MINUTES_S) -> Cut:
    """How a range is cut; it is widened to whole points.

    Args:
        finest_s: the shortest point, in seconds.
    """
    step_s = max(next((step_s for longest, step_s in _STEPS if end - start <= longest), DAY_S), finest_s)
    first, last = floor_to(to_us(start), step_s), ceil_to(to_us(end), step_s)
    return Cut(step_s, tuple(range(first, last + 1, step_s * SECOND)))


def load_checks_series(start: datetime, end: datetime) -> ChecksSeries:
    """The checks of all services that are not paused."""
    found = cut(start, end)
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for block, *values in _single_checks(found) if found.step_s == FIVE_MINUTES_S else _summed_checks(found):
        total = sums[floor_to(block, found.step_s)]
        # PostgreSQL sums whole numbers as decimals.
        for place, value in enumerate(values):
            total[place] += int(value or 0)
    points = [sums[edge] for edge in found.edges[:-1]]
    return ChecksSeries(
        found,
        tuple(sum_us / (count - failures) if count > failures else None for count, failures, sum_us in points),
        tuple(100 * failures / count if count else None for count, failures, _ in points),
    )


def load_requests_series(start: datetime, end: datetime) -> RequestsSeries:
    """The requests to all routes."""
    found = cut(start, end)
    first, last = found.edges[0], found.edges[-1]
    traffic = load_traffic(from_us(first), from_us(last))
    points = load_points(first, last, found.step_s, total=traffic.overall.count)
    in_order = tuple(points.get(edge, RequestSums()) for edge in found.edges[:-1])
    return RequestsSeries(found, min(last, to_us(end)), in_order, traffic.routes, traffic.overall)


def load_hosts_series(start: datetime, end: datetime) -> tuple[Cut, dict[str, list[HostPoint | None]]]:
    """The points of each host that reports; None is a gap. One statement."""
    found = cut(start, end, _READINGS_S)
    rows = _single_readings(found) if found.step_s == _READINGS_S else _summed_readings(found)
    sums: dict[str, dict[int, list[Any]]] = defaultdict(dict)
    for host, block, *values in rows:
        sums[host].setdefault(floor_to(block, found.step_s), []).append(values)
    return found, {
        host: [_host_point(blocks[edge]) if edge in blocks else None for edge in found.edges[:-1]]
        for host, blocks in sorted(sums.items())
    }


def _single_checks(found: Cut) -> Iterator[Sequence[Any]]:
    check, step = HealthCheck, found.step_s * SECOND
    failed = check.outcome == Outcome.FAILED
    chosen = (
        select(
            # Written out: as a parameter it would be another one each time it is named.
            (check.slot - check.slot % literal_column(str(step))).label("block"),
            case((failed, 1), else_=0).label("failed"),
            case((failed, 0), else_=check.total_us).label("total_us"),
        )
        .where(
            check.endpoint_id.in_(_watched()),
            check.location == HERE,
            check.slot >= found.edges[0],
            check.slot < found.edges[-1],
            check.outcome.in_(COUNTED),
        )
        .subquery()
    )
    columns = (chosen.c.block, func.count(), func.sum(chosen.c.failed), func.sum(chosen.c.total_us))
    yield from db.session.execute(select(*columns).group_by(chosen.c.block))


def _summed_checks(found: Cut) -> Iterator[Sequence[Any]]:
    rollup = LatencyRollup
    until, _ = complete_until(LATENCY)
    steps = sorted({found.step_s, HOUR_S}, reverse=True)
    for tile in cover(found.edges[0], found.edges[-1], until, steps):
        yield from db.session.execute(
            select(rollup.start, func.sum(rollup.count), func.sum(rollup.failures), func.sum(rollup.sum_us))
            .where(
                rollup.endpoint_id.in_(_watched()),
                # What is not final yet is in the hours as far as it is known.
                rollup.step_s == (tile.step_s or HOUR_S),
                rollup.start >= tile.start,
                rollup.start < tile.end,
            )
            .group_by(rollup.start)
        )


def _watched() -> Any:
    """The services that are checked; heartbeats have no response time."""
    return select(ServiceEndpoint.id).where(ServiceEndpoint.is_enabled, ServiceEndpoint.url != HEARTBEAT)


def _single_readings(found: Cut) -> Iterator[Sequence[Any]]:
    metric = SystemMetric
    rows = db.session.execute(
        select(
            metric.host,
            metric.taken_at,
            metric.cpu_percent,
            metric.memory_percent,
            metric.disk_percent,
            metric.database_query_us,
        ).where(
            metric.host.in_(select(MetricHost.host)),
            metric.taken_at >= from_us(found.edges[0]),
            metric.taken_at < from_us(found.edges[-1]),
        )
    )
    for host, taken_at, *values in rows:
        yield host, to_us(taken_at), 1, *values


def _summed_readings(found: Cut) -> Iterator[Sequence[Any]]:
    hour, step = SystemMetricHour, found.step_s * SECOND
    block = (hour.hour - hour.hour % literal_column(str(step))).label("block")
    chosen = (
        select(hour.host, block, hour.count, hour.cpu_mean, hour.memory_mean, hour.disk_mean)
        .add_columns(hour.database_query_us_mean)
        .where(
            # Through the list of hosts each one's hours are found by their key.
            hour.host.in_(select(MetricHost.host)),
            hour.hour >= found.edges[0],
            hour.hour < found.edges[-1],
        )
        .subquery()
    )
    c = chosen.c
    means = (
        func.sum(column * c.count) / func.sum(case((column.is_not(None), c.count), else_=None))
        for column in (c.cpu_mean, c.memory_mean, c.disk_mean, c.database_query_us_mean)
    )
    yield from db.session.execute(
        select(c.host, c.block, func.sum(c.count), *means).group_by(c.host, c.block).order_by(c.host, c.block)
    )


def _host_point(rows: Sequence[Sequence[Any]]) -> HostPoint:
    """The mean of the rows of a point, each with its weight first."""

    def mean(place: int) -> float | None:
        known = [(float(row[place]), int(row[0])) for row in rows if row[place] is not None]
        weight = sum(count for _, count in known)
        return sum(value * count for value, count in known) / weight if weight else None

    return HostPoint(mean(1), mean(2), mean(3), mean(4))
