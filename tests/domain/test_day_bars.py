"""A day becomes one bar: what was worst is seen, and a blip does not look like a day that was lost."""

from __future__ import annotations

import pytest

from statusapp.domain.day_bars import LETTERS, bar_letters, bar_note, bar_status
from statusapp.domain.enums import Status
from statusapp.domain.strips import NO_DATA, Day

MINUTE = 60_000
DAY_MS = 24 * 60 * MINUTE


def day(**lengths: int) -> Day:
    """A day with so many milliseconds of each status, the rest operational."""
    values = [lengths.get(status.word, 0) for status in Status]
    values[Status.OPERATIONAL] = lengths.get("operational", DAY_MS - sum(values))
    return tuple(values)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (day(), Status.OPERATIONAL),
        (day(unknown=DAY_MS - MINUTE), Status.OPERATIONAL),
        (day(degraded=MINUTE), Status.DEGRADED),
        (day(major_outage=999), Status.OPERATIONAL),
        (day(major_outage=MINUTE), Status.PARTIAL_OUTAGE),
        (day(major_outage=15 * MINUTE), Status.MAJOR_OUTAGE),
        (day(major_outage=MINUTE, unknown=DAY_MS - 2 * MINUTE), Status.MAJOR_OUTAGE),
        (day(partial_outage=15 * MINUTE, degraded=MINUTE), Status.PARTIAL_OUTAGE),
        (day(maintenance=DAY_MS), Status.MAINTENANCE),
        (day(maintenance=MINUTE), Status.OPERATIONAL),
        (day(unknown=DAY_MS), Status.UNKNOWN),
        (NO_DATA, Status.UNKNOWN),
    ],
)
def test_a_day_is_drawn_in_its_worst_status_that_counts(found: Day, status: Status) -> None:
    assert bar_status(found) is status
    assert bar_letters([found, day()]) == LETTERS[status] + "o"


def test_a_bar_says_how_long_it_was_otherwise() -> None:
    assert bar_note(day(), 0.3) == "100 % uptime"
    assert bar_note(day(major_outage=15 * MINUTE), 0.3) == "98.95 % uptime, major outage 15 min"
    assert bar_note(day(partial_outage=90 * MINUTE), 1) == "93.75 % uptime, partial outage 1 h 30 min"
    assert bar_note(day(maintenance=DAY_MS), 0.3) == "under maintenance 24 h 0 min"
    assert bar_note(day(major_outage=2_000), 0.3) == "99.99 % uptime, major outage 2 s"
    assert bar_note(NO_DATA, 0.3) == "no data"
