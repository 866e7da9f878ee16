"""Blocks: a span is covered once and wholly, by blocks that are complete."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.blocks import DAY_S, HOUR_S, Tile, ceil_to, cover, floor_to
from statusapp.domain.instants import SECOND

DAY, HOUR = DAY_S * SECOND, HOUR_S * SECOND
instants = st.integers(0, 200 * DAY)


@given(instants, instants, instants)
def test_tiles_cover_the_span_once_and_wholly(start: int, length: int, complete: int) -> None:
    tiles = cover(start, start + length, complete)
    if length:
        assert (tiles[0].start, tiles[-1].end) == (start, start + length)
    for one, other in pairwise(tiles):
        assert one.end == other.start
    for tile in tiles:
        assert tile.start < tile.end
        if tile.step_s is not None:
            assert tile.start % (tile.step_s * SECOND) == tile.end % (tile.step_s * SECOND) == 0
            assert tile.end <= complete


def test_the_longest_blocks_are_taken_that_fit() -> None:
    assert cover(DAY - 2 * HOUR - 5, 3 * DAY + 4 * HOUR, 90 * DAY) == [
        Tile(None, DAY - 2 * HOUR - 5, DAY - 2 * HOUR),
        Tile(HOUR_S, DAY - 2 * HOUR, DAY),
        Tile(DAY_S, DAY, 3 * DAY),
        Tile(3 * HOUR_S, 3 * DAY, 3 * DAY + 3 * HOUR),
        Tile(HOUR_S, 3 * DAY + 3 * HOUR, 3 * DAY + 4 * HOUR),
    ]


def test_what_is_not_summed_yet_is_read_from_the_checks() -> None:
    assert cover(0, DAY, 0) == [Tile(None, 0, DAY)]
    assert cover(0, 0, DAY) == []


@given(instants)
def test_an_instant_lies_in_its_block(instant: int) -> None:
    assert floor_to(instant, HOUR_S) <= instant < floor_to(instant, HOUR_S) + HOUR
    assert ceil_to(instant, HOUR_S) - HOUR < instant <= ceil_to(instant, HOUR_S)
