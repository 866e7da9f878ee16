"""Figures and times as people read them. Whatever is not known is a dash, never a zero."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

UNKNOWN = "–"


def iso(moment: datetime | None) -> str | None:
    """An aware UTC datetime as ISO 8601 with a Z."""
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def exact(moment: datetime) -> str:
    """The full time, for whoever points at a relative one."""
    return moment.strftime("%-d %B %Y, %H:%M:%S UTC")


def uptime(percent: float | None) -> str:
    """A share of time up; only no outage at all is 100 %."""
    if percent is None:
        return UNKNOWN
    return "100 %" if percent >= 100 else f"{floored(percent, 2):.2f} %"


def floored(percent: float, digits: int) -> float:
    """A share of time up, rounded down so that a short outage does not disappear."""
    if percent >= 100:
        return 100.0
    scale = float(10**digits)
    # The inner rounding takes back what binary fractions lost: 99.98 must not become 99.97.
    return min(math.floor(round(percent * scale, 6)), 100 * scale - 1) / scale


def load(percent: float | None) -> str:
    """How busy something is."""
    return UNKNOWN if percent is None else f"{percent:.1f} %"


def error_rate(percent: float | None) -> str:
    """A share of failures. A few are never shown as none."""
    if percent is None:
        return UNKNOWN
    if percent == 0:
        return "0 %"
    return "< 0.01 %" if percent < 0.01 else f"{percent:.2f} %"


def duration(microseconds: float | None) -> str:
    """How long something took: seconds, or milliseconds below a tenth of one."""
    if microseconds is None:
        return UNKNOWN
    if microseconds < 1000:
        return "< 1 ms"
    if microseconds < 100_000:
        return f"{microseconds / 1000:.0f} ms"
    return f"{microseconds / 1_000_000:.2f} s"


def length(seconds: float) -> str:
    """A length of time, exact enough to add up."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 60:
        return f"{minutes:.1f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def span(length: timedelta) -> str:
    """A length of time in its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return _counted(seconds // size, unit)
    return _counted(seconds, "second")


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was."""
    length = now - moment
    return "just now" if length < timedelta(seconds=1) else f"{span(length)} ago"


def until(moment: datetime, now: datetime) -> str:
    """How long it is until something, or how long ago it was."""
    return f"in {span(moment - now)}" if moment > now else ago(moment, now)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
