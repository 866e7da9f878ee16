"""Instants on the path of a check are whole microseconds since 1970-01-01 UTC; everywhere else aware datetimes.

Integers keep a check row at a third of the size that a datetime column needs, compare without a conversion and
make the arithmetic of slots exact.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MILLISECOND = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime."""
    return (moment - _EPOCH) // _ONE_MICROSECOND


def from_us(instant: int) -> datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=instant)
