"""When things are due: the grid of an endpoint's slots and the cadence of periodic tasks."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from statusapp.domain.instants import SECOND

# The fractional parts of k times the golden ratio are spread as evenly as any sequence can be (Knuth, TAOCP 3, 6.4),
# so endpoints made one after the other do not fall due together. As a fraction of 2**32 it stays in whole numbers.
_GOLDEN_STEP = 2654435769

RETRY_PAUSE = 5 * SECOND


def phase(endpoint_id: int, interval_us: int) -> int:
    """The place of an endpoint's slots within its interval, from 0 up to the interval."""
    return ((endpoint_id * _GOLDEN_STEP) % 2**32) * interval_us >> 32


def next_slot(endpoint_id: int, interval_us: int, now: int) -> int:
    """The first slot of the endpoint's grid after `now`. The grid depends on nothing but id and interval."""
    offset = phase(endpoint_id, interval_us)
    return ((now - offset) // interval_us + 1) * interval_us + offset


def retry_due(now: int, interval_us: int, confirmations: int) -> int:
    """When to look again after a result that wants confirming: soon, and with all retries inside one interval."""
    return now + min(RETRY_PAUSE, interval_us // max(confirmations, 1))


def next_run_after(now: datetime, every: timedelta | None, at: time | None, zone: ZoneInfo) -> datetime:
    """The next run of a periodic task: each day `at` a wall-clock time in `zone`, or else `every` so often.

    A wall-clock time that a change to summer time skips is run at the same time after the change.
    """
    if at is None:
        return now + (every or timedelta(days=1))
    local = now.astimezone(zone)
    for days in (0, 1):
        candidate = datetime.combine(local.date() + timedelta(days=days), at, tzinfo=zone).astimezone(now.tzinfo)
        if candidate > now:
            return candidate
    return now + timedelta(days=1)
