"""One day of a service as one bar: which status it is drawn in, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

from statusapp.domain.enums import Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.domain.strips import NO_DATA, Day, day_percent

# With less than this share of its known time in a major outage, a day is drawn as a partial one: one minute of 1,440
# must not look like a day that was lost.
MAJOR_FROM = 0.01
_LEAST_MS = 1000
# One letter a day, for a strip as a short text.
LETTERS = {
    Status.UNKNOWN: "u",
    Status.OPERATIONAL: "o",
    Status.DEGRADED: "d",
    Status.PARTIAL_OUTAGE: "p",
    Status.MAJOR_OUTAGE: "m",
    Status.MAINTENANCE: "w",
}
_TOLD = (Status.MAJOR_OUTAGE, Status.PARTIAL_OUTAGE, Status.DEGRADED, Status.MAINTENANCE, Status.UNKNOWN)


def bar_status(day: Day) -> Status:
    """The status that a day is drawn in: the worst that was there for at least a second, outages by their share."""
    unknown, operational, degraded, partial, major, maintenance = day
    known = operational + degraded + partial + major
    if major >= _LEAST_MS and major >= known * MAJOR_FROM:
        return Status.MAJOR_OUTAGE
    if major + partial >= _LEAST_MS:
        return Status.PARTIAL_OUTAGE
    if degraded >= _LEAST_MS:
        return Status.DEGRADED
    if operational:
        return Status.OPERATIONAL
    return Status.MAINTENANCE if maintenance > unknown else Status.UNKNOWN


def bar_letters(days: Sequence[Day]) -> str:
    """A strip as a text, a letter a day, the oldest first."""
    return "".join([_letter(day) for day in days])


def bar_note(day: Day, partial_weight: float) -> str:
    """What a day's bar says when it is pointed at, without the date: uptime, and how long it was otherwise."""
    if day == NO_DATA:
        return "no data"
    percent = day_percent(day, partial_weight)
    parts = [] if percent is None else [f"{_floored(percent)} % uptime"]
    parts += [f"{STATUS_LABELS[status].lower()} {_length(day[status])}" for status in _TOLD if day[status] >= _LEAST_MS]
    return ", ".join(parts) if parts else "no data"


def _letter(day: Day) -> str:
    # Most days are such ones, and there are ninety of each service.
    if day[Status.OPERATIONAL] and not (day[2] or day[3] or day[4]):
        return "o"
    return LETTERS[bar_status(day)]


def _floored(percent: float) -> str:
    return "100" if percent >= 100 else f"{min(int(percent * 100 + 1e-6), 9999) / 100:.2f}"


def _length(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
