"""Checks summed up as the job of the rollups does it, and whole days of sums made once to be used often."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from statusapp.domain.histogram import encode
from statusapp.domain.latency import LatencySums
from statusapp.services.demo.samples import FAILED, LEVELS, Render, Sample

VARIANTS = 8  # Of days, the quietest first.
HOURS = 24
_BUSY_LEVELS = 4  # By so many the busiest hour of a day is above its quietest one.

_bucket = attrgetter("bucket")


@dataclass(frozen=True, slots=True)
class Block:
    """The sums of one block, and what its row says of them."""

    sums: LatencySums
    row: Any


@dataclass(frozen=True, slots=True)
class DayOfBlocks:
    """The sums of one day: each hour, each three hours, and the whole."""

    hours: tuple[Block, ...]
    threes: tuple[Block, ...]
    whole: Block


def sum_checks(checks: Sequence[Sample]) -> LatencySums:
    """Checks summed up."""
    histogram = dict(Counter(map(_bucket, checks)))
    failures = histogram.pop(FAILED, 0)
    if failures:
        checks = [check for check in checks if check.bucket != FAILED]
    totals = [check.total_us for check in checks]
    if not totals:
        return LatencySums(failures, failures)
    return LatencySums(len(totals) + failures, failures, sum(totals), min(totals), max(totals), histogram)


def add_up(parts: Iterable[LatencySums]) -> LatencySums:
    """The sums of several blocks together."""
    total = LatencySums()
    for part in parts:
        total.add(part.count, part.failures, part.sum_us, part.min_us, part.max_us, part.histogram)
    return total


def make_block(sums: LatencySums, render: Render) -> Block:
    """Sums with their row, less its key: the columns from `count` on."""
    percentiles = (sums.percentile(share) for share in (0.5, 0.95, 0.99))
    values = (sums.count, sums.failures, sums.sum_us, sums.min_us, sums.max_us, *percentiles, encode(sums.histogram))
    return Block(sums, render(values))


def level_of(hour: int, variant: int, busiest_hour: float) -> int:
    """The level of load in one hour of a day."""
    busy = 0.5 + 0.5 * math.cos((hour - busiest_hour) / HOURS * math.tau)
    return min(round(busy * _BUSY_LEVELS + variant * (LEVELS - 1 - _BUSY_LEVELS) / (VARIANTS - 1)), LEVELS - 1)


def make_day(
    pools: list[list[Sample]], variant: int, busiest_hour: float, per_hour: int, chance: random.Random, render: Render
) -> DayOfBlocks:
    """A day on which nothing happens, with so many checks an hour."""
    hours = tuple(
        make_block(sum_checks(chance.choices(pools[level_of(hour, variant, busiest_hour)], k=per_hour)), render)
        for hour in range(HOURS)
    )
    threes = tuple(
        make_block(add_up(block.sums for block in hours[first : first + 3]), render) for first in range(0, HOURS, 3)
    )
    return DayOfBlocks(hours, threes, make_block(add_up(block.sums for block in threes), render))


def day_variants(number: int, chance: random.Random) -> list[int]:
    """Which variant each of so many days is: a slow wave, quiet weekends, and chance."""
    wave, offset = chance.uniform(23, 40), chance.uniform(0, math.tau)
    variants = []
    for day in range(number):
        load = 0.5 + 0.3 * math.sin(day / wave * math.tau + offset) - 0.25 * (day % 7 > 4) + chance.gauss(0, 0.12)
        variants.append(min(max(round(load * (VARIANTS - 1)), 0), VARIANTS - 1))
    return variants
