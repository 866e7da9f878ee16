"""Spans and steps: what is taken, and the words for what is not."""

from __future__ import annotations

import pytest

from statusapp.domain.blocks import DAY_S, HOUR_S
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import SECOND
from statusapp.domain.series_cuts import Kept, cut_between, cut_span, length_text, parse_length

NOW = 1_795_514_417_000_123
DAY = DAY_S * SECOND
KEPT = Kept(NOW - 30 * DAY, NOW - 90 * DAY)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300", 300), ("300s", 300), ("5m", 300), ("36h", 129_600), ("14d", 1_209_600), ("2w", 1_209_600), ("1", 1)],
)
def test_lengths_are_read(text: str, seconds: int) -> None:
    assert parse_length(text) == seconds
    assert parse_length(length_text(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "-1", "0", "0d", "1.5h", "5 m", "1y", "999999999d", "٣", "5m\n", "1e3", "+5"]
)
def test_what_is_no_length_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        parse_length(text)


@pytest.mark.parametrize(
    ("length_s", "step_s"),
    [(HOUR_S, 300), (DAY_S, 300), (36 * HOUR_S, HOUR_S), (7 * DAY_S, HOUR_S), (30 * DAY_S, 3 * HOUR_S),
     (90 * DAY_S, DAY_S), (365 * DAY_S, 2 * DAY_S), (3660 * DAY_S, 13 * DAY_S)],
)  # fmt: skip
def test_a_step_is_found_for_any_span(length_s: int, step_s: int) -> None:
    cut = cut_span(NOW, length_s, None, 60, KEPT)
    assert cut.step_s == step_s
    assert len(cut.edges) <= 301


def test_a_step_is_at_least_the_interval() -> None:
    assert cut_span(NOW, DAY_S, None, 1800, KEPT).step_s == HOUR_S
    assert cut_span(NOW, 600, None, 7200, KEPT).step_s == 3 * HOUR_S
    with pytest.raises(InvalidInput, match="checked every 300 seconds"):
        cut_span(NOW, DAY_S, 240, 300, KEPT)


def test_far_back_steps_are_whole_hours_and_days() -> None:
    with pytest.raises(InvalidInput, match=r"whole hours.*6h"):
        cut_span(NOW, 31 * DAY_S, 5400, 60, KEPT)
    with pytest.raises(InvalidInput, match=r"whole days.*1d"):
        cut_span(NOW, 91 * DAY_S, 3 * HOUR_S, 60, KEPT)
    assert cut_between(NOW - 100 * DAY, NOW - 99 * DAY, None, 60, KEPT).step_s == DAY_S
    assert cut_between(NOW - 40 * DAY, NOW - 39 * DAY, None, 60, KEPT).step_s == HOUR_S


@pytest.mark.parametrize(
    ("length_s", "step_s", "advice"),
    [(DAY_S, 60, "5m"), (30 * DAY_S, 300, "1h"), (89 * DAY_S, HOUR_S, "3h"), (3000 * DAY_S, DAY_S, "3d")],
)  # fmt: skip
def test_too_many_points_are_refused_with_a_step_that_is_not(length_s: int, step_s: int, advice: str) -> None:
    with pytest.raises(InvalidInput, match=f"at most 1,000 .* such as {advice}"):
        cut_span(NOW, length_s, step_s, 60, KEPT)
    assert cut_span(NOW, length_s, parse_length(advice), 60, KEPT)


@pytest.mark.parametrize(("start", "end"), [(NOW, NOW), (NOW, NOW - 1), (NOW - 4000 * DAY, NOW)])
def test_a_span_begins_before_it_ends(start: int, end: int) -> None:
    with pytest.raises(InvalidInput, match="before the end"):
        cut_between(start, end, None, 60, KEPT)
