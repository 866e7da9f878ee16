"""Uptime, the headline, and lists of status codes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.enums import Status
from statusapp.domain.overall import headline, worst
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.uptime import summed, time_between, time_per_status, time_together, uptime_percent
from statusapp.domain.values import Interval

UP, DOWN, PARTIAL, DEGRADED = Status.OPERATIONAL, Status.MAJOR_OUTAGE, Status.PARTIAL_OUTAGE, Status.DEGRADED
MAINTENANCE, UNKNOWN = Status.MAINTENANCE, Status.UNKNOWN


def test_time_is_cut_to_the_span() -> None:
    intervals = [Interval(UP, 0, 50), Interval(DOWN, 50, 60), Interval(UP, 60, 200)]
    assert time_per_status(intervals, 40, 100) == {UP: 50, DOWN: 10}
    assert time_per_status(intervals, 300, 400) == {}


# The intervals of one endpoint: how long each lasts, one after the other.
LEDGERS = st.lists(st.tuples(st.sampled_from(Status), st.integers(1, 40)), max_size=6)


def laid(parts: list[tuple[Status, int]], start: int = 5) -> list[Interval]:
    intervals = []
    for status, length in parts:
        intervals.append(Interval(status, start, start + length))
        start += length
    return intervals


@given(LEDGERS, st.lists(st.integers(0, 120), min_size=2, max_size=8, unique=True).map(sorted))
def test_the_time_between_edges_is_that_of_each_span(parts: list[tuple[Status, int]], edges: list[int]) -> None:
    intervals = laid(parts)
    expected = [time_per_status(intervals, start, end) for start, end in pairwise(edges)]
    assert time_between(intervals, edges) == expected


@given(st.lists(LEDGERS, max_size=5), st.lists(st.integers(0, 120), min_size=2, max_size=5, unique=True).map(sorted))
def test_the_time_together_is_the_sum_of_all(several: list[list[tuple[Status, int]]], edges: list[int]) -> None:
    ledgers = [laid(parts) for parts in [*several, *several[:2]]]
    apart = [time_between(intervals, edges) for intervals in ledgers]
    expected = [summed(parts) for parts in zip(*apart, strict=True)] if apart else [{} for _ in edges[1:]]
    assert time_together(ledgers, edges) == expected


@pytest.mark.parametrize(
    ("spent", "percent"),
    [
        ({UP: 90, DOWN: 10}, 90.0),
        ({UP: 90, PARTIAL: 10}, 97.0),
        ({UP: 50, DEGRADED: 50}, 100.0),
        ({UP: 90, DOWN: 10, MAINTENANCE: 900, UNKNOWN: 900}, 90.0),
        ({DOWN: 5}, 0.0),
        ({UNKNOWN: 5}, None),
        ({}, None),
    ],
)
def test_uptime_is_the_weighted_share_of_known_time(spent: dict[Status, int], percent: float | None) -> None:
    assert uptime_percent(spent, 0.3) == (None if percent is None else pytest.approx(percent))


@given(st.dictionaries(st.sampled_from(Status), st.integers(0, 10**15)))
def test_uptime_is_a_percentage(spent: dict[Status, int]) -> None:
    percent = uptime_percent(spent, 0.3)
    assert percent is None or 0.0 <= percent <= 100.0


@given(st.floats(1e-6, 1e9), st.floats(0, 1e9))
def test_no_outage_at_all_is_exactly_a_hundred(working: float, maintained: float) -> None:
    assert uptime_percent({UP: working, MAINTENANCE: maintained}, 0.3) == 100.0


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        ([], "No Services Monitored Yet"),
        ([UP, UP], "All Systems Operational"),
        ([UP, DEGRADED], "Partially Degraded Service"),
        ([UP, PARTIAL], "Minor Service Outage"),
        ([UP, DOWN, DEGRADED], "Partial System Outage"),
        ([DOWN, DOWN], "Major System Outage"),
        ([UP, MAINTENANCE], "Service Under Maintenance"),
        ([UNKNOWN, UNKNOWN], "Status Unknown"),
        ([UP, UNKNOWN], "Some Services Unknown"),
        ([UNKNOWN, DOWN], "Partial System Outage"),
        ([MAINTENANCE, DOWN], "Partial System Outage"),
    ],
)
def test_the_headline_tells_the_worst(statuses: list[Status], text: str) -> None:
    assert headline(statuses) == text


@given(st.lists(st.sampled_from(Status), min_size=1))
def test_nothing_is_operational_unless_everything_is(statuses: list[Status]) -> None:
    assert (worst(statuses) is UP) == all(status is UP for status in statuses)
    assert (headline(statuses) == "All Systems Operational") == all(status is UP for status in statuses)


@pytest.mark.parametrize(
    ("text", "codes"),
    [("200", {200}), ("200-202", {200, 201, 202}), (" 200 , 401 - 402 ", {200, 401, 402}), ("599,100", {100, 599})],
)
def test_lists_of_status_codes(text: str, codes: set[int]) -> None:
    assert parse_status_codes(text) == codes


@pytest.mark.parametrize("text", ["", ",", "2xx", "200-", "-200", "299-200", "99", "600", "200;201", "200,,201", "٢٠٠"])
def test_what_is_no_list_of_status_codes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"200-299, 401|between 100 and 599"):
        parse_status_codes(text)
