"""Strips: the last ninety days of one service in a few bytes, six numbers a day."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

from statusapp.domain.enums import Status
from statusapp.domain.uptime import percent_of

STRIP_DAYS = 90

# Milliseconds of each status on one day, in the order of the numbers of `Status`. All zero: there is no data.
Day = tuple[int, ...]
NO_DATA: Day = (0,) * len(Status)
_FORMAT = struct.Struct(f"<{len(Status)}I")


def day_of(seconds: Mapping[Status, float]) -> Day:
    """One day from the seconds of each status on it."""
    return tuple(round(seconds.get(status, 0) * 1000) for status in Status)


def pack(days: Sequence[Day]) -> bytes:
    """Some days, the oldest first, as bytes."""
    return b"".join(_FORMAT.pack(*day) for day in days)


@lru_cache(maxsize=4096)
def unpack(packed: bytes) -> tuple[Day, ...]:
    """What `pack` has packed. Past days stay what they are, so that they are unpacked once."""
    return tuple(_FORMAT.iter_unpack(packed))


def day_percent(day: Day, partial_weight: float) -> float | None:
    """The uptime on one day, in percent; None when nothing is known of it."""
    _, operational, degraded, partial, major, _ = day
    return percent_of(operational + degraded, partial, major, partial_weight)


def days_percent(days: Sequence[Day], partial_weight: float) -> float | None:
    """The uptime on some days together, in percent; None when nothing is known of them."""
    return day_percent(tuple(map(sum, zip(*days, strict=True))), partial_weight) if days else None
