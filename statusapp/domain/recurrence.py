"""When planned work takes place: a wall time in a zone, once or by an RRULE (RFC 5545). Pure.

A wall time that does not exist, because the clocks are put forward, is moved forward by as much; one that exists twice
is the first of the two (RFC 5545, 3.3.5). Durations are elapsed time. Instants are microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule

from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import SECOND, from_us, to_us

SHORTEST_S = 60
LONGEST_S = 31 * 86_400
FIRST_YEAR, LAST_YEAR = 2000, 2199
MOST_TEXT = 500
MOST_COUNT = 1000
MOST_INTERVAL = 1000
MOST_TIMES_A_DAY = 24
# How many days, weeks, months or years of a rule are looked at for one question: more than the longest span has that is
# asked for. A rule that fits nothing, as the 30th of February does, would be searched for up to the year 9999.
MOST_PERIODS = {rrule.DAILY: 5000, rrule.WEEKLY: 1000, rrule.MONTHLY: 3000, rrule.YEARLY: 250}
# How far ahead the next occurrence is looked for: a 29th of February may be eight years away.
HORIZON = timedelta(days=3660)

_FREQUENCIES = {"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY}
_DAYS = {"MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH, "FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU}
# By name: what dateutil calls it, the least and the greatest value; a negative one counts from the end where it may.
_LISTS = {
    "BYMONTH": ("bymonth", 1, 12, False),
    "BYMONTHDAY": ("bymonthday", 1, 31, True),
    "BYYEARDAY": ("byyearday", 1, 366, True),
    "BYWEEKNO": ("byweekno", 1, 53, True),
    "BYSETPOS": ("bysetpos", 1, 366, True),
    "BYHOUR": ("byhour", 0, 23, False),
    "BYMINUTE": ("byminute", 0, 59, False),
}
_WALL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Plan:
    """Planned work: at the wall time `starts` ("2026-11-30T02:00") in the IANA zone `zone`, again by `rule` if any."""

    starts: str
    zone: str
    duration_s: int
    rule: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One time that it takes place."""

    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """An RRULE that has been read. `until` is an instant, past which nothing begins."""

    options: dict[str, Any]
    interval: int
    until: int | None


class _TooFar(Exception):
    """A rule has been followed for as many periods as one question may take."""


class _Interval(int):
    """An interval that counts how often dateutil goes on by it: its loop ends by itself only at a match or in 9999."""

    def __new__(cls, value: int, most: int) -> _Interval:
        interval = super().__new__(cls, value)
        interval.left = most
        return interval

    left: int

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _TooFar

    def __radd__(self, other: int) -> int:
        self._step()
        return int(other) + int(self)

    def __mul__(self, other: int) -> int:
        self._step()
        return int(self) * int(other)


def check_plan(plan: Plan) -> None:
    """Refuse what cannot be planned.

    Raises:
        InvalidInput: with the field at fault (`starts`, `zone`, `duration_s` or `rule`) and a sentence that says why.
    """
    zone, starts = _zone(plan.zone), _wall(plan.starts)
    if not SHORTEST_S <= plan.duration_s <= LONGEST_S:
        raise InvalidInput("duration_s", "Maintenance takes at least a minute and at most 31 days.")
    if plan.rule is None:
        return
    rule = _read_rule(plan.rule, starts, zone)
    if "count" in rule.options:
        # To its end, so that no later question can take longer.
        list(_follow(rule, starts, starts, None))
    first = next_occurrence(plan, to_us(starts.replace(tzinfo=UTC)) - 2 * 86_400 * SECOND)
    if first is None:
        raise InvalidInput("rule", "The rule fits no day within ten years of its start.")
    following = next_occurrence(plan, first.starts_at + 1)
    if following is not None and following.starts_at < first.ends_at:
        raise InvalidInput("rule", "Its next occurrence would begin before the first has ended.")


def occurrences(plan: Plan, start: int, end: int) -> list[Occurrence]:
    """What begins within [start, end), the earliest first.

    Raises:
        InvalidInput: when the plan cannot be read.
    """
    zone, starts = _zone(plan.zone), _wall(plan.starts)
    length = plan.duration_s * SECOND
    if plan.rule is None:
        instant = resolve(starts, zone)
        return [Occurrence(instant, instant + length)] if start <= instant < end else []
    rule = _read_rule(plan.rule, starts, zone)
    if rule.until is not None:
        end = min(end, rule.until + 1)
    # Two days around, as a zone's offset and a skipped hour move an instant by less.
    first, last = (_wall_of(instant) for instant in (start - 2 * 86_400 * SECOND, end + 2 * 86_400 * SECOND))
    instants = {resolve(wall, zone) for wall in _follow(rule, starts, first, last)}
    return [Occurrence(instant, instant + length) for instant in sorted(instants) if start <= instant < end]


def next_occurrence(plan: Plan, after: int) -> Occurrence | None:
    """The first that begins at `after` or later, within ten years; None when there is none."""
    for days in (8, 70, 400, HORIZON.days):
        found = occurrences(plan, after, after + days * 86_400 * SECOND)
        if found:
            return found[0]
    return None


def resolve(wall: datetime, zone: ZoneInfo) -> int:
    """The instant of a wall time. With fold 0 a zone answers as RFC 5545 wants it, in a gap and in an overlap."""
    return to_us(wall.replace(tzinfo=zone, fold=0).astimezone(UTC))


def _follow(rule: _Rule, starts: datetime, first: datetime, last: datetime | None) -> Iterator[datetime]:
    """The wall times of a rule from `first` to `last`, or to its end."""
    options = dict(rule.options)
    begin = starts if "count" in options else _skipped(options, rule.interval, starts, first)
    interval = _Interval(rule.interval, MOST_PERIODS[options["freq"]])
    try:
        for wall in rrule.rrule(dtstart=begin, interval=interval, **options):
            if last is not None and wall > last:
                return
            if wall >= first:
                yield wall
    except _TooFar:
        # Without a count this is far past `last`: there is nothing more.
        if "count" in options:
            raise InvalidInput("rule", "The rule takes too long to come to its COUNT; use an UNTIL.") from None


def _skipped(options: dict[str, Any], interval: int, starts: datetime, first: datetime) -> datetime:
    """A later start with the same occurrences from `first` on, so that the age of a rule costs nothing.

    Months and years differ in length, but in a century there are few of them.
    """
    days = {rrule.DAILY: interval, rrule.WEEKLY: 7 * interval}.get(options["freq"])
    if days is None or first <= starts:
        return starts
    return starts + timedelta(days=max((first - starts).days // days - 1, 0) * days)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidInput("zone", f"There is no time zone {name[:64]!r}; an example is Europe/Berlin.") from None


def _wall(text: str) -> datetime:
    if _WALL.fullmatch(text):
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if FIRST_YEAR <= wall.year <= LAST_YEAR:
                return wall
    raise InvalidInput("starts", "The start must be a time such as 2026-11-30T02:00.")


def _wall_of(instant: int) -> datetime:
    least, greatest = (datetime(year, 1, 1, tzinfo=UTC) for year in (FIRST_YEAR - 1, LAST_YEAR + 51))
    return min(max(from_us(instant), least), greatest).replace(tzinfo=None)


def _read_rule(text: str, starts: datetime, zone: ZoneInfo) -> _Rule:
    if len(text) > MOST_TEXT:
        raise InvalidInput("rule", f"The rule is longer than {MOST_TEXT} characters.")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, found, value = part.strip().partition("=")
        if not found or not value or name in parts:
            raise InvalidInput("rule", f"{part[:40]!r} is not a part of a rule, as FREQ=WEEKLY is.")
        parts[name] = value
    frequency = parts.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise InvalidInput("rule", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY; finer ones are not supported.")
    options: dict[str, Any] = {"freq": _FREQUENCIES[frequency]}
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1, MOST_INTERVAL)
    until = parts.pop("UNTIL", None)
    if "COUNT" in parts:
        if until is not None:
            raise InvalidInput("rule", "A rule has a COUNT or an UNTIL, not both.")
        options["count"] = _number("COUNT", parts.pop("COUNT"), 1, MOST_COUNT)
    if "WKST" in parts:
        options["wkst"] = _day("WKST", parts.pop("WKST"), numbered=False)
    if "BYDAY" in parts:
        numbered = frequency in ("MONTHLY", "YEARLY")
        options["byweekday"] = [_day("BYDAY", value, numbered=numbered) for value in parts.pop("BYDAY").split(",")]
    for name, value in parts.items():
        if name not in _LISTS:
            raise InvalidInput("rule", f"{name[:40]} is not supported in a rule.")
        key, least, greatest, may_be_negative = _LISTS[name]
        options[key] = [_number(name, one, least, greatest, may_be_negative) for one in value.split(",")]
    times = len(set(options.get("byhour", [0]))) * len(set(options.get("byminute", [0])))
    if times > MOST_TIMES_A_DAY:
        raise InvalidInput("rule", f"The rule has {times} times a day; at most {MOST_TIMES_A_DAY} are supported.")
    return _Rule(options, interval, None if until is None else _until(until, starts, zone))


def _number(name: str, text: str, least: int, greatest: int, may_be_negative: bool = False) -> int:
    if re.fullmatch(r"[+-]?\d{1,6}", text):
        number = int(text)
        if least <= (abs(number) if may_be_negative else number) <= greatest:
            return number
    raise InvalidInput("rule", f"{name} must be a number from {least} to {greatest}, not {text[:20]!r}.")


def _day(name: str, text: str, *, numbered: bool) -> Any:
    found = _BY_DAY.fullmatch(text)
    if found is not None:
        number, day = found.groups()
        if number is None:
            return _DAYS[day]
        if numbered and 1 <= abs(int(number)) <= 53:
            return _DAYS[day](int(number))
    raise InvalidInput("rule", f"{name} has {text[:20]!r}, which is no day of this rule; days are MO to SU.")


def _until(text: str, starts: datetime, zone: ZoneInfo) -> int:
    """The last instant at which something may begin: as it says, or the end of its day in the zone."""
    found = _UNTIL.fullmatch(text)
    if found is not None:
        day, clock, utc = found.groups()
        try:
            until = datetime.strptime(day + (clock or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - it is a wall time
        except ValueError:
            pass
        else:
            instant = to_us(until.replace(tzinfo=UTC)) if utc else resolve(until, zone)
            if instant < resolve(starts, zone):
                raise InvalidInput("rule", "The rule's UNTIL lies before its start.")
            return instant
    raise InvalidInput("rule", "UNTIL must be a time such as 20261231T230000Z or a day such as 20261231.")
