"""The range of time that the dashboard is looked at over, as it stands in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LENGTHS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
NAMES = {"1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
USUAL = "24h"
CUSTOM = "custom"
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Range:
    """From when to when. `key` is one of `LENGTHS` or "custom"; `typed` is what was asked for as from and to.

    `problem` says what is wrong with what was asked for; then the range is the usual one.
    """

    key: str
    start: datetime
    end: datetime
    typed: tuple[str, str] = ("", "")
    problem: str | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """What an address that leads to this range has."""
        if self.key == CUSTOM:
            return {"from": self.typed[0], "to": self.typed[1]}
        return {} if self.key == USUAL else {"range": self.key}

    @property
    def name(self) -> str:
        """In words, after "over the"."""
        return "chosen time" if self.key == CUSTOM else f"last {NAMES[self.key].removeprefix('1 ')}"


def range_from(arguments: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Range:
    """The range that an address asks for: `range`, or `from` and `to` as wall times of `zone`."""
    typed = (arguments.get("from", "").strip(), arguments.get("to", "").strip())
    if any(typed):
        return _custom(typed, now, zone)
    key = arguments.get("range", "").strip() or USUAL
    if key not in LENGTHS:
        return _usual(
            now, f"There is no range {key[:20]!r}. There are {', '.join(LENGTHS)}, or a beginning and an end."
        )
    return Range(key, now - LENGTHS[key], now)


def _custom(typed: tuple[str, str], now: datetime, zone: ZoneInfo) -> Range:
    moments = []
    for name, text in zip(("beginning", "end"), typed, strict=True):
        moment = _moment(text, zone)
        if moment is None:
            what = f"{text[:40]!r} is no time" if text else "It is missing"
            return _usual(now, f"The {name} cannot be used: {what}. Write it as 2026-11-30T14:00.", typed)
        moments.append(moment)
    start, end = moments[0], min(moments[1], now)
    problem = None
    if start >= now:
        problem = "The beginning lies in the future."
    elif end - start < SHORTEST:
        problem = "The end must be at least 5 minutes after the beginning."
    elif end - start > LONGEST:
        problem = f"That is {(end - start).days} days; at most {LONGEST.days} can be shown at once."
    return _usual(now, problem, typed) if problem else Range(CUSTOM, start, end, typed)


def _usual(now: datetime, problem: str, typed: tuple[str, str] = ("", "")) -> Range:
    told = f"{problem} The last 24 hours are shown."
    return Range(USUAL, now - LENGTHS[USUAL], now, typed, told)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A wall time of the zone, or an instant with an offset of its own; None for what is neither."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= found.year < 2200:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
