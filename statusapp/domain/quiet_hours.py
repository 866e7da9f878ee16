"""Quiet hours: the part of the day in which a channel is told only of what is critical."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from statusapp.domain.instants import from_us, to_us


def quiet_until(instant: int, start: int | None, end: int | None, zone: ZoneInfo) -> int | None:
    """When the quiet hours end that `instant` lies in; None when it lies in none.

    Args:
        instant: in microseconds.
        start, end: minutes of the day in `zone`. They may reach over midnight; None for no quiet hours.
    """
    if start is None or end is None or start == end:
        return None
    local = from_us(instant).astimezone(zone)
    minute = local.hour * 60 + local.minute
    is_quiet = start <= minute < end if start < end else minute >= start or minute < end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=0 if minute < end else 1)
    over = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=zone)
    if to_us(over) <= instant:
        # In the hour that a clock goes through twice, it is the second time that counts.
        over = over.replace(fold=1)
    # Where the clock leaps over the end, or comes by twice, there is nothing to wait for longer than a minute.
    return max(to_us(over), instant + 60_000_000)


def parse_minute(text: str) -> int:
    """The minute of the day that HH:MM stands for.

    Raises:
        ValueError: when it is no time of day.
    """
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and len(minutes) == 2):
        raise ValueError(f"{text!r} is no time of day; write for example 22:00")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(f"{text!r} is no time of day; write for example 22:00")
    return int(hours) * 60 + int(minutes)
