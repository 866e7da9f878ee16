"""Response times of one endpoint over any span, from as few sums as cover it; what is newest from the checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from statusapp.domain.blocks import DAY_S, HOUR_S, Tile, cover, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.histogram import decode
from statusapp.domain.instants import to_us
from statusapp.domain.latency import COUNTED, LatencySums
from statusapp.extensions import db
from statusapp.models import HealthCheck, LatencyRollup
from statusapp.models.check import HERE
from statusapp.queries.watermarks import LATENCY, complete_until

# Spans of up to these lengths are exact to the check and to the hour; longer ones begin with a whole hour or day,
# because that is what is still there of their beginning.
EXACT_TO_CHECK = timedelta(hours=24)
EXACT_TO_HOUR = timedelta(days=30)

# What the sums of a block are read back from, in the order in which they are added.
SUMS: tuple[InstrumentedAttribute[Any], ...] = (
    LatencyRollup.count,
    LatencyRollup.failures,
    LatencyRollup.sum_us,
    LatencyRollup.min_us,
    LatencyRollup.max_us,
    LatencyRollup.histogram,
)


def load_latency(endpoint_id: int, start: datetime, end: datetime) -> LatencySums:
    """The checks of one endpoint from `start` to `end`."""
    first = to_us(start)
    if end - start > EXACT_TO_CHECK:
        first = floor_to(first, HOUR_S if end - start <= EXACT_TO_HOUR else DAY_S)
    until, _ = complete_until(LATENCY)
    return sum_tiles(endpoint_id, cover(first, to_us(end), until))


def sum_tiles(endpoint_id: int, tiles: list[Tile]) -> LatencySums:
    """The sums of some tiles together."""
    sums = LatencySums()
    for tile in tiles:
        if tile.step_s is None:
            for row in load_checks(endpoint_id, tile.start, tile.end):
                sums.add_check(row[1], row[2])
        else:
            _add_blocks(sums, endpoint_id, tile)
    return sums


def load_checks(endpoint_id: int, start: int, end: int) -> list[tuple[int, Outcome, int]]:
    """Slot, outcome and duration of the checks that say something about the target, the oldest first."""
    check = HealthCheck
    statement = (
        select(check.slot, check.outcome, check.total_us)
        .where(
            check.endpoint_id == endpoint_id,
            check.location == HERE,
            check.slot >= start,
            check.slot < end,
            check.outcome.in_(COUNTED),
        )
        .order_by(check.slot)
    )
    return [(slot, outcome, total_us) for slot, outcome, total_us in db.session.execute(statement)]


def _add_blocks(sums: LatencySums, endpoint_id: int, tile: Tile) -> None:
    rollup = LatencyRollup
    rows = db.session.execute(
        select(*SUMS).where(
            rollup.endpoint_id == endpoint_id,
            rollup.step_s == tile.step_s,
            rollup.start >= tile.start,
            rollup.start < tile.end,
        )
    )
    for count, failures, sum_us, min_us, max_us, packed in rows:
        sums.add(count, failures, sum_us, min_us, max_us, decode(packed))
