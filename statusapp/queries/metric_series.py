"""Series of a host for charts, at most 300 points each, gaps as None.

A day is made of single readings, which are at most one every ten seconds; longer spans of the sums of hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import select

from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import SystemMetric, SystemMetricHour
from statusapp.queries.metrics import rate
from statusapp.queries.series import FIVE_MINUTES_S, SPANS

# A day is cut into the shortest of these in which there is a reading each time, but for a little drift.
DAY_STEPS_S = (FIVE_MINUTES_S, 600, 900, 1200, 1800, HOUR_S)
DRIFT = 1.1
# Two readings that are so many times as far apart as usual have a gap between them, of which nothing is known.
GAP = 3.0
# A row and its instant, in microseconds.
_At = tuple[int, Sequence[Any]]
_LINES = ("cpu", "load", "memory", "disk", "database_query_us")
_RATES = ("network_sent_per_s", "network_received_per_s", "disk_read_per_s", "disk_written_per_s")


@dataclass(slots=True)
class Line:
    """The means and the peaks of each point."""

    mean: list[float | None] = field(default_factory=list)
    peak: list[float | None] = field(default_factory=list)

    def add(self, values: Sequence[tuple[float, float, int]]) -> None:
        """Add a point out of means, peaks and how many readings are in them; without any it is a gap."""
        count = sum(weight for _, _, weight in values)
        self.mean.append(sum(mean * weight for mean, _, weight in values) / count if count else None)
        self.peak.append(max((peak for _, peak, _ in values), default=None))


@dataclass(slots=True)
class MetricSeries:
    """Equally long columns, the oldest point first; a point begins at its `starts` and lasts `step_s` seconds.

    CPU, memory and disk are percent, 0 to 100; the load is that of a minute; queries are microseconds. Rates are bytes
    per second, and known for a day only: empty for longer spans.
    """

    step_s: int
    starts: list[datetime]
    cpu: Line = field(default_factory=Line)
    load: Line = field(default_factory=Line)
    memory: Line = field(default_factory=Line)
    disk: Line = field(default_factory=Line)
    database_query_us: Line = field(default_factory=Line)
    network_sent_per_s: list[float | None] = field(default_factory=list)
    network_received_per_s: list[float | None] = field(default_factory=list)
    disk_read_per_s: list[float | None] = field(default_factory=list)
    disk_written_per_s: list[float | None] = field(default_factory=list)


def load_metric_series(host: str, name: str, now: datetime) -> MetricSeries:
    """The series of a host over 24h, 7d, 30d or 90d."""
    span = SPANS[name]
    if span.step_s == FIVE_MINUTES_S:
        return _from_readings(host, now)
    return _from_hours(host, _edges(span.points, span.step_s, now), span.step_s)


def _from_hours(host: str, edges: list[int], step_s: int) -> MetricSeries:
    hour = SystemMetricHour
    means = [getattr(hour, f"{name}_mean") for name in _LINES]
    peaks = [getattr(hour, f"{name}_max") for name in _LINES]
    rows: Sequence[Sequence[Any]] = db.session.execute(
        select(hour.hour, hour.count, *means, *peaks)
        .where(hour.host == host, hour.hour >= edges[0], hour.hour < edges[-1])
        .order_by(hour.hour)
    ).all()
    series = MetricSeries(step_s, [from_us(edge) for edge in edges[:-1]])
    for found in _cut([(row[0], row) for row in rows], edges, step_s):
        for place, name in enumerate(_LINES, start=2):
            getattr(series, name).add(
                [(row[place], row[place + len(_LINES)], row[1]) for row in found if row[place] is not None]
            )
    return series


def _from_readings(host: str, now: datetime) -> MetricSeries:
    metric: Any = SystemMetric
    columns = (metric.cpu_percent, metric.load_1m, metric.memory_percent, metric.disk_percent, metric.database_query_us)
    counters = (metric.network_sent_bytes, metric.network_received_bytes)
    details = (metric.details[name].as_float() for name in ("disk_read_bytes", "disk_written_bytes"))
    # A little more than a day, for the first point begins with the difference to the reading before it.
    rows: list[_At] = [
        (to_us(row[0]), row)
        for row in db.session.execute(
            select(metric.taken_at, *columns, *counters, *details)
            .where(metric.host == host, metric.taken_at > now - timedelta(hours=25), metric.taken_at <= now)
            .order_by(metric.taken_at)
        )
    ]
    usual_s = median([(after - before) / SECOND for (before, _), (after, _) in pairwise(rows)] or [0])
    step_s = next((step_s for step_s in DAY_STEPS_S if usual_s <= DRIFT * step_s), HOUR_S)
    edges = _edges(DAY_S // step_s, step_s, now)
    series = MetricSeries(step_s, [from_us(edge) for edge in edges[:-1]])
    for found in _cut(rows, edges, step_s):
        for place, name in enumerate(_LINES, start=1):
            getattr(series, name).add([(row[place], row[place], 1) for row in found if row[place] is not None])
    for place, name in enumerate(_RATES, start=1 + len(_LINES)):
        getattr(series, name).extend(_rates(rows, place, edges, step_s, GAP * usual_s))
    return series


def _rates(rows: list[_At], place: int, edges: list[int], step_s: int, longest_s: float) -> list[float | None]:
    """The mean rate of a counter in each point. A difference belongs to the point that it ends in."""
    risen, seconds = [0.0] * (len(edges) - 1), [0.0] * (len(edges) - 1)
    for (before, earlier), (after, row) in pairwise(rows):
        point, took_s = (after - edges[0]) // (step_s * SECOND), (after - before) / SECOND
        found = rate(earlier[place], row[place], took_s)
        if found is not None and point >= 0 and took_s <= longest_s:
            risen[point] += found * took_s
            seconds[point] += took_s
    return [rise / took_s if took_s else None for rise, took_s in zip(risen, seconds, strict=True)]


def _edges(points: int, step_s: int, now: datetime) -> list[int]:
    """The beginnings of so many points, of which the last one is not over, and its end."""
    last = floor_to(to_us(now), step_s)
    return [last - step_s * SECOND * number for number in range(points - 1, -2, -1)]


def _cut(rows: list[_At], edges: list[int], step_s: int) -> list[list[Sequence[Any]]]:
    """The rows of each point."""
    points: list[list[Sequence[Any]]] = [[] for _ in edges[1:]]
    for instant, row in rows:
        if edges[0] <= instant < edges[-1]:
            points[(instant - edges[0]) // (step_s * SECOND)].append(row)
    return points
