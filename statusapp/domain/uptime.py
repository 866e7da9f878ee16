"""Uptime from the ledger: time per status and the share of it that counts as up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from statusapp.domain.enums import Status
from statusapp.domain.instants import to_us
from statusapp.domain.values import Interval

Spent = dict[Status, int]


def time_per_status(intervals: Iterable[Interval], start: int, end: int) -> Spent:
    """Microseconds of each status within [start, end). Intervals of one endpoint do not overlap."""
    spent: Spent = {}
    for interval in intervals:
        length = min(interval.end, end) - max(interval.start, start)
        if length > 0:
            spent[interval.status] = spent.get(interval.status, 0) + length
    return spent


def time_between(intervals: Sequence[Interval], edges: Sequence[int]) -> list[Spent]:
    """Microseconds of each status between each edge and the next.

    Args:
        intervals: of one endpoint, the oldest first, not overlapping.
        edges: instants, the earliest first.
    """
    spent: list[Spent] = [{} for _ in edges[1:]]
    position = 0
    for number, found in enumerate(spent):
        start, end = edges[number], edges[number + 1]
        while position < len(intervals) and intervals[position].end <= start:
            position += 1
        for interval in intervals[position:]:
            if interval.start >= end:
                break
            length = min(interval.end, end) - max(interval.start, start)
            found[interval.status] = found.get(interval.status, 0) + length
            if interval.end > end:
                break
    return spent


def time_together(several: Iterable[Sequence[Interval]], edges: Sequence[int]) -> list[Spent]:
    """`time_between` of several endpoints, added up."""
    # Most have been as they are all the while, so that they are alike.
    alike = Counter(tuple((found.status, found.start, found.end) for found in intervals) for intervals in several)
    spent: list[Spent] = [{} for _ in edges[1:]]
    for intervals, count in alike.items():
        for total, part in zip(spent, time_between([Interval(*found) for found in intervals], edges), strict=True):
            for status, length in part.items():
                total[status] = total.get(status, 0) + length * count
    return spent


def uptime_percent(spent: Mapping[Status, float], partial_weight: float) -> float | None:
    """The weighted share of known time that the service was up, in percent; None when nothing is known.

    A second of a major outage costs a second, one of a partial outage `partial_weight` of it, a degraded one nothing.
    Unknown time and maintenance leave the denominator.
    """
    return percent_of(
        spent.get(Status.OPERATIONAL, 0) + spent.get(Status.DEGRADED, 0),
        spent.get(Status.PARTIAL_OUTAGE, 0),
        spent.get(Status.MAJOR_OUTAGE, 0),
        partial_weight,
    )


def percent_of(working: float, partial: float, major: float, partial_weight: float) -> float | None:
    """`uptime_percent` of time that the service worked, in part and not at all; unknown and maintenance are in none."""
    known = working + partial + major
    # From what was lost, for 100 times a number divided by that number is not always 100.
    return 100.0 - 100.0 * (major + partial_weight * partial) / known if known else None


def summed(parts: Iterable[Mapping[Status, float]]) -> dict[Status, float]:
    """The time per status of some spans together."""
    total: dict[Status, float] = {}
    for part in parts:
        for status, length in part.items():
            total[status] = total.get(status, 0) + length
    return total


def day_start(day: date, zone: ZoneInfo) -> int:
    """The instant at which a day begins in a zone, in microseconds."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=zone))


def days_between(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
