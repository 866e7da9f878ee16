"""Uptime from the ledger: seconds per status and the share of them that counts as up."""

from __future__ import annotations

from collections.abc import Iterable

from statusapp.domain.enums import Status
from statusapp.domain.values import Interval

# What a second of each status costs. Unknown and maintenance are not here: they leave the denominator.
DOWNTIME_WEIGHTS = {
    Status.OPERATIONAL: 0.0,
    Status.DEGRADED: 0.0,
    Status.PARTIAL_OUTAGE: 0.3,
    Status.MAJOR_OUTAGE: 1.0,
}


def time_per_status(intervals: Iterable[Interval], start: int, end: int) -> dict[Status, int]:
    """Microseconds of each status within [start, end). Intervals of one endpoint do not overlap."""
    spent: dict[Status, int] = {}
    for interval in intervals:
        length = min(interval.end, end) - max(interval.start, start)
        if length > 0:
            spent[interval.status] = spent.get(interval.status, 0) + length
    return spent


def uptime_percent(spent: dict[Status, int]) -> float | None:
    """The weighted share of known time that the service was up, in percent; None when nothing is known."""
    known = sum(spent.get(status, 0) for status in DOWNTIME_WEIGHTS)
    if not known:
        return None
    down = sum(spent.get(status, 0) * weight for status, weight in DOWNTIME_WEIGHTS.items())
    return 100.0 * (known - down) / known
