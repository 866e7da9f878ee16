"""Response times, errors and uptime of one service over any span in steps of any length.

A step is put together from the longest sums that lie in it, and what is not summed yet from the single checks; so a
series of two years reads no more than one of a month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select, text

from statusapp.domain.blocks import Tile, cover, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.histogram import bucket_sql, decode
from statusapp.domain.instants import SECOND
from statusapp.domain.latency import LatencySums
from statusapp.domain.series_cuts import SeriesCut
from statusapp.domain.uptime import time_between, uptime_percent
from statusapp.extensions import db
from statusapp.models import LatencyRollup
from statusapp.queries.latency import SUMS
from statusapp.queries.ledger import load_ledger
from statusapp.queries.watermarks import LATENCY, complete_until

_FAILED = -1  # In place of a bucket.
_CHECKS = text(f"""
SELECT slot - slot % CAST(:step AS BIGINT) AS block,
    CASE WHEN outcome = :failed THEN {_FAILED} ELSE {bucket_sql("total_us")} END AS bucket,
    COUNT(*) AS checks, SUM(total_us) AS sum_us, MIN(total_us) AS min_us, MAX(total_us) AS max_us
FROM health_check
WHERE endpoint_id = :endpoint_id AND location = 0 AND slot >= :start AND slot < :end
    AND outcome IN (:ok, :slow, :failed)
GROUP BY 1, 2
""")  # noqa: S608
_OUTCOMES = {"ok": int(Outcome.OK), "slow": int(Outcome.SLOW), "failed": int(Outcome.FAILED)}


@dataclass(frozen=True, slots=True)
class StepPoint:
    """One point; it begins at `start`, in microseconds. `uptime_percent` is None where nothing is known."""

    start: int
    sums: LatencySums
    uptime_percent: float | None


def load_step_series(endpoint_id: int, cut: SeriesCut, now: int, partial_weight: float) -> list[StepPoint]:
    """The points of a series, the oldest first.

    Args:
        now: of the point that it lies in, only what has been is counted.
        partial_weight: what a second of a partial outage costs of the uptime, 0 to 1.
    """
    first, last = cut.edges[0], cut.edges[-1]
    points: dict[int, LatencySums] = {edge: LatencySums() for edge in cut.edges[:-1]}
    until, _ = complete_until(LATENCY)
    for tile in cover(first, last, until, cut.blocks_s):
        for block, sums in (
            _checks(endpoint_id, tile, cut.step_s) if tile.step_s is None else _blocks(endpoint_id, tile)
        ):
            found = points[floor_to(block, cut.step_s)]
            found.add(sums.count, sums.failures, sums.sum_us, sums.min_us, sums.max_us, sums.histogram)
    intervals = load_ledger(first, min(last, now), endpoint_id).get(endpoint_id, [])
    spent = time_between(intervals, cut.edges)
    return [
        StepPoint(start, points[start], uptime_percent(part, partial_weight))
        for (start, _), part in zip(pairwise(cut.edges), spent, strict=True)
    ]


def _checks(endpoint_id: int, tile: Tile, step_s: int) -> Iterator[tuple[int, LatencySums]]:
    """Single checks, summed up by the database."""
    values = {"endpoint_id": endpoint_id, "step": step_s * SECOND, "start": tile.start, "end": tile.end, **_OUTCOMES}
    for block, bucket, checks, sum_us, min_us, max_us in db.session.execute(_CHECKS, values):
        if bucket == _FAILED:
            yield block, LatencySums(checks, checks)
        else:
            # PostgreSQL sums whole numbers as decimals.
            yield block, LatencySums(checks, 0, int(sum_us), min_us, max_us, {bucket: checks})


def _blocks(endpoint_id: int, tile: Tile) -> Iterator[tuple[int, LatencySums]]:
    rollup = LatencyRollup
    rows = db.session.execute(
        select(rollup.start, *SUMS).where(
            rollup.endpoint_id == endpoint_id,
            rollup.step_s == tile.step_s,
            rollup.start >= tile.start,
            rollup.start < tile.end,
        )
    )
    for start, count, failures, sum_us, min_us, max_us, packed in rows:
        yield start, LatencySums(count, failures, sum_us, min_us, max_us, decode(packed))
