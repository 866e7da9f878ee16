"""Blocks of time that sums are kept for, and how a span is put together from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statusapp.domain.instants import SECOND

HOUR_S = 3600
THREE_HOURS_S = 3 * HOUR_S
DAY_S = 24 * HOUR_S
STEPS_S = (DAY_S, THREE_HOURS_S, HOUR_S)  # The longest first.


@dataclass(frozen=True, slots=True)
class Tile:
    """A stretch that is read from the sums of blocks of `step_s` seconds; from single checks where that is None."""

    step_s: int | None
    start: int
    end: int


def floor_to(instant: int, step_s: int) -> int:
    """The beginning of the block that an instant lies in. Blocks count from the epoch, so days are those of UTC."""
    return instant - instant % (step_s * SECOND)


def ceil_to(instant: int, step_s: int) -> int:
    """The first beginning of a block that is not before an instant."""
    return -floor_to(-instant, step_s)


def cover(start: int, end: int, complete_until: int, steps_s: Sequence[int] = STEPS_S) -> list[Tile]:
    """Tiles that cover [start, end) in order: as few blocks as possible, single checks at the edges.

    Args:
        complete_until: the sums of blocks that end later than this are not complete, and not used.
    """
    if start >= end:
        return []
    if not steps_s:
        return [Tile(None, start, end)]
    step_s, *finer = steps_s
    first, last = ceil_to(start, step_s), floor_to(min(end, complete_until), step_s)
    if first >= last:
        return cover(start, end, complete_until, finer)
    return [
        *cover(start, first, complete_until, finer),
        Tile(step_s, first, last),
        *cover(last, end, complete_until, finer),
    ]
