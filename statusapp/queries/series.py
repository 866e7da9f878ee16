"""Series for charts: response time, uptime and error rate, at most 300 points each, gaps as None."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select

from statusapp.domain.blocks import DAY_S, HOUR_S, THREE_HOURS_S, cover, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.latency import LatencySums
from statusapp.domain.uptime import time_between, uptime_percent
from statusapp.extensions import db
from statusapp.models import LatencyRollup
from statusapp.queries.latency import load_checks, sum_tiles
from statusapp.queries.ledger import load_ledger
from statusapp.queries.watermarks import LATENCY, complete_until

FIVE_MINUTES_S = 300


@dataclass(frozen=True, slots=True)
class Span:
    """How a chart of a span is cut: so many points of so many seconds."""

    points: int
    step_s: int


SPANS = {
    "24h": Span(288, FIVE_MINUTES_S),
    "7d": Span(168, HOUR_S),
    "30d": Span(240, THREE_HOURS_S),
    "90d": Span(90, DAY_S),
}


@dataclass(slots=True)
class Series:
    """Equally long columns, the oldest point first. Durations are microseconds, shares percent.

    A point begins at its `starts` and lasts `step_s` seconds, the last one up to now.
    """

    step_s: int
    starts: list[datetime]
    count: list[int] = field(default_factory=list)
    mean_us: list[float | None] = field(default_factory=list)
    p50_us: list[int | None] = field(default_factory=list)
    p95_us: list[int | None] = field(default_factory=list)
    error_percent: list[float | None] = field(default_factory=list)
    uptime_percent: list[float | None] = field(default_factory=list)

    def add(self, count: int, failures: int, sum_us: int, p50_us: int | None, p95_us: int | None) -> None:
        """Add a point; one without checks is a gap."""
        answered = count - failures
        self.count.append(count)
        self.mean_us.append(sum_us / answered if answered else None)
        self.p50_us.append(p50_us)
        self.p95_us.append(p95_us)
        self.error_percent.append(100.0 * failures / count if count else None)


def load_series(endpoint_id: int, name: str, now: datetime, partial_weight: float) -> Series:
    """The series of one service over one of `SPANS`."""
    span, end = SPANS[name], to_us(now)
    edges = _edges(span, end)
    series = Series(span.step_s, [from_us(edge) for edge in edges[:-1]])
    if span.step_s == FIVE_MINUTES_S:
        _add_from_checks(series, endpoint_id, edges)
    else:
        _add_from_blocks(series, endpoint_id, span.step_s, edges)
    intervals = load_ledger(edges[0], end, endpoint_id).get(endpoint_id, [])
    series.uptime_percent = [uptime_percent(spent, partial_weight) for spent in time_between(intervals, edges)]
    return series


def _edges(span: Span, end: int) -> list[int]:
    """The beginnings of a span's points, and the end of the last one."""
    step = span.step_s * SECOND
    last = floor_to(end, span.step_s)
    return [last - step * number for number in range(span.points - 1, -2, -1)]


def _add_from_checks(series: Series, endpoint_id: int, edges: list[int]) -> None:
    answers: list[list[int]] = [[] for _ in edges[1:]]
    failures = [0] * len(answers)
    step = series.step_s * SECOND
    for slot, outcome, total_us in load_checks(endpoint_id, edges[0], edges[-1]):
        place = (slot - edges[0]) // step
        if outcome is Outcome.FAILED:
            failures[place] += 1
        else:
            answers[place].append(total_us)
    for found, failed in zip(answers, failures, strict=True):
        found.sort()
        series.add(len(found) + failed, failed, sum(found), _ranked(found, 0.5), _ranked(found, 0.95))


def _ranked(values: list[int], share: float) -> int | None:
    """The percentile of sorted values by nearest rank."""
    return values[math.ceil(share * len(values)) - 1] if values else None


def _add_from_blocks(series: Series, endpoint_id: int, step_s: int, edges: list[int]) -> None:
    until, _ = complete_until(LATENCY)
    complete = floor_to(until, step_s)
    rollup = LatencyRollup
    rows = {
        row[0]: row
        for row in db.session.execute(
            select(rollup.start, rollup.count, rollup.failures, rollup.sum_us, rollup.p50_us, rollup.p95_us).where(
                rollup.endpoint_id == endpoint_id,
                rollup.step_s == step_s,
                rollup.start >= edges[0],
                rollup.start < complete,
            )
        )
    }
    for start, end in pairwise(edges):
        row = rows.get(start)
        if row is not None:
            _, count, failures, sum_us, p50_us, p95_us = row
            series.add(count, failures, sum_us, p50_us, p95_us)
            continue
        open_sums = LatencySums() if start < complete else sum_tiles(endpoint_id, cover(start, end, until))
        p50, p95 = open_sums.percentile(0.5), open_sums.percentile(0.95)
        series.add(open_sums.count, open_sums.failures, open_sums.sum_us, p50, p95)
