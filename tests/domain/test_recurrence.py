"""When maintenance takes place, above all where the clocks change: every transition of 2020 to 2030 of some zones."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.recurrence import Occurrence, Plan, check_plan, next_occurrence, occurrences

# Half an hour's shift, none at all, one that was given up, Ramadan's, two shifts a year on either half of the earth.
ZONES = (
    "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo",
    "Africa/Casablanca", "Asia/Tehran", "America/St_Johns", "Pacific/Chatham", "Europe/London", "Asia/Gaza", "UTC",
)  # fmt: skip
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    """The instants at which a zone's offset changes, to the quarter of an hour."""
    zone, found, step = ZoneInfo(name), [], timedelta(minutes=15)
    moment = FIRST
    while moment < LAST:
        if moment.astimezone(zone).utcoffset() != (moment + timedelta(days=1)).astimezone(zone).utcoffset():
            inside = moment
            while inside.astimezone(zone).utcoffset() == (inside + step).astimezone(zone).utcoffset():
                inside += step
            found.append(inside + step)
        moment += timedelta(days=1)
    return tuple(found)


def wall_at(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def expected(wall: datetime, zone: ZoneInfo) -> int:
    """What RFC 5545 says, found by trying: every offset of the days around, and what the clock then shows."""
    around = [(wall + timedelta(hours=hours)).replace(tzinfo=UTC) for hours in range(-48, 49)]
    offsets = {moment.astimezone(zone).utcoffset() or timedelta() for moment in around}
    real = [moment for offset in offsets if wall_at(moment := wall.replace(tzinfo=UTC) - offset, zone) == wall]
    if real:
        return to_us(min(real))
    before = around[24].astimezone(zone).utcoffset() or timedelta()
    return to_us(wall.replace(tzinfo=UTC) - before)


def written(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%dT%H:%M")


def once(plan: Plan) -> Occurrence:
    (found,) = occurrences(plan, to_us(FIRST) - 9 * DAY, to_us(LAST) + 9 * DAY)
    return found


def test_the_zones_have_the_transitions_that_are_meant() -> None:
    counts = {name: len(transitions(name)) for name in ZONES}
    assert counts["America/New_York"] == counts["Europe/Berlin"] == counts["Australia/Lord_Howe"] == 22
    assert counts["Asia/Kolkata"] == counts["UTC"] == counts["America/Sao_Paulo"] == 0


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_wall_time_around_every_transition_is_the_right_instant(name: str, data: st.DataObject) -> None:
    zone = ZoneInfo(name)
    moment = data.draw(st.sampled_from(transitions(name) or (FIRST, LAST)))
    minutes = data.draw(st.integers(-200, 200))
    wall = wall_at(moment, zone) + timedelta(minutes=minutes)
    found = once(Plan(written(wall), name, 5400))
    assert found.starts_at == expected(wall, zone)
    assert found.ends_at - found.starts_at == 5400 * SECOND


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_day_has_its_occurrence_whatever_the_clocks_do(name: str, data: st.DataObject) -> None:
    zone = ZoneInfo(name)
    moment = data.draw(st.sampled_from(transitions(name) or (FIRST, LAST)))
    minutes = data.draw(st.integers(0, 1439))
    first = wall_at(moment, zone).replace(hour=0, minute=0) - timedelta(days=3) + timedelta(minutes=minutes)
    plan = Plan(written(first), name, 60, "FREQ=DAILY;COUNT=7")
    found = occurrences(plan, to_us(moment) - 9 * DAY, to_us(moment) + 9 * DAY)
    assert [one.starts_at for one in found] == [expected(first + timedelta(days=day), zone) for day in range(7)]
    for day, one in enumerate(found):
        shown, planned = wall_at(from_us(one.starts_at), zone), first + timedelta(days=day)
        # Later by a gap, never earlier, and otherwise on the minute.
        assert shown == planned or timedelta() < shown - planned <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("name", "wall", "instant"),
    [
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30"),  # Does not exist: 03:30 instead.
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),  # Twice: the first.
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:40"),  # Half an hour: 02:40 instead.
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"),
        ("Asia/Kolkata", "2026-03-29T02:30", "2026-03-28T21:00"),
        ("America/Sao_Paulo", "2026-11-01T00:30", "2026-11-01T03:30"),
    ],
)
def test_known_cases(name: str, wall: str, instant: str) -> None:
    assert once(Plan(wall, name, 3600)).starts_at == to_us(datetime.fromisoformat(instant + "+00:00"))


def test_a_night_that_is_an_hour_longer_does_not_prolong_the_work() -> None:
    found = once(Plan("2026-10-25T01:00", "Europe/Berlin", 4 * 3600))
    assert wall_at(from_us(found.ends_at), ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 4, 0)


def test_two_times_that_fall_together_in_a_gap_are_one() -> None:
    plan = Plan("2026-03-28T02:30", "Europe/Berlin", 600, "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30")
    start = to_us(datetime(2026, 3, 29, tzinfo=UTC))
    assert [from_us(one.starts_at).hour for one in occurrences(plan, start, start + 20 * HOUR)] == [1]


rules = st.builds(
    lambda freq, interval, parts: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *parts]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 9),
    st.lists(
        st.sampled_from(["BYDAY=MO,SU", "BYMONTH=2,3,10", "BYMONTHDAY=-1,15,31", "BYHOUR=1,2", "BYMINUTE=0,45"]),
        unique=True,
        max_size=3,
    ),
)
starts = st.integers(0, 1800 * 1440).map(lambda minutes: datetime(2020, 1, 1) + timedelta(minutes=minutes))


@given(rules, starts, st.sampled_from(ZONES), st.integers(0, 6 * 365), st.integers(1, 400))
@settings(max_examples=200, deadline=None)
def test_what_is_skipped_changes_nothing(rule: str, start: datetime, name: str, after: int, days: int) -> None:
    plan, first = Plan(written(start), name, 60, rule), to_us(start.replace(tzinfo=UTC)) - 2 * DAY
    begin = first + after * DAY
    whole = occurrences(plan, first, begin + days * DAY)
    assert occurrences(plan, begin, begin + days * DAY) == [one for one in whole if one.starts_at >= begin]


# Each of them comes to something: of one that does not, dateutil by itself makes an endless search.
@given(
    st.sampled_from(
        [
            "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=40", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=SU",
            "FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1SU,2TU", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU;BYHOUR=2", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            "FREQ=YEARLY;BYYEARDAY=1,-1;BYMINUTE=0,30",
        ]
    ),
    starts, st.sampled_from(ZONES), st.integers(0, 6 * 365),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_the_days_are_those_of_dateutil(rule: str, start: datetime, name: str, after: int) -> None:
    zone, begin = ZoneInfo(name), to_us(start.replace(tzinfo=UTC)) + after * DAY
    end = begin + 100 * DAY
    whole = rrulestr(rule, dtstart=start).between(start, from_us(end + 3 * DAY).replace(tzinfo=None), inc=True)
    instants = sorted({expected(wall, zone) for wall in whole})
    found = occurrences(Plan(written(start), name, 60, rule), begin, end)
    assert [one.starts_at for one in found] == [instant for instant in instants if begin <= instant < end]


@given(rules, starts, st.sampled_from(ZONES), st.integers(0, 700), st.integers(0, 700))
@settings(max_examples=60, deadline=None)
def test_spans_add_up(rule: str, start: datetime, name: str, one: int, two: int) -> None:
    plan, begin = Plan(written(start), name, 60, rule), to_us(start.replace(tzinfo=UTC))
    middle, end = begin + one * DAY, begin + (one + two) * DAY
    assert occurrences(plan, begin, middle) + occurrences(plan, middle, end) == occurrences(plan, begin, end)


def days_of(rule: str, start: str = "2026-11-02T02:00", zone: str = "Europe/Berlin") -> list[str]:
    plan = Plan(start, zone, 3600, rule)
    check_plan(plan)
    begin = to_us(datetime(2026, 10, 1, tzinfo=UTC))
    return [f"{from_us(one.starts_at):%m-%d %H}" for one in occurrences(plan, begin, begin + 120 * DAY)]


def test_count_and_until_end_it() -> None:
    assert days_of("FREQ=WEEKLY;COUNT=3") == ["11-02 01", "11-09 01", "11-16 01"]
    assert days_of("FREQ=WEEKLY;UNTIL=20261109T010000Z") == ["11-02 01", "11-09 01"]
    assert days_of("FREQ=WEEKLY;UNTIL=20261109T005959Z") == ["11-02 01"]
    assert days_of("FREQ=WEEKLY;UNTIL=20261109") == ["11-02 01", "11-09 01"]
    assert days_of("FREQ=WEEKLY;UNTIL=20261109T020000") == ["11-02 01", "11-09 01"]
    assert days_of("RRULE:freq=monthly;byday=-1su;count=2") == ["11-29 01", "12-27 01"]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("FREQ=SECONDLY", "DAILY, WEEKLY"), ("FREQ=MINUTELY;INTERVAL=5", "DAILY, WEEKLY"), ("FREQ=HOURLY", "DAILY"),
        ("BYDAY=MO", "FREQ must be"), ("", "not a part"), ("FREQ", "not a part"),
        ("FREQ=DAILY;FREQ=DAILY", "not a part"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"), ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"), ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=99999999999999", "COUNT"), ("FREQ=DAILY;COUNT=1000;BYMONTH=1", "come to its COUNT"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "not both"), ("FREQ=DAILY;UNTIL=20200101", "before its start"),
        ("FREQ=DAILY;UNTIL=20261399", "UNTIL must"), ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL must"),
        ("FREQ=DAILY;BYSECOND=1,2,3", "BYSECOND"), ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH"), ("FREQ=DAILY;BYMONTH=", "not a part"), ("FREQ=DAILY;BYDAY=XX", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"), ("FREQ=MONTHLY;BYDAY=99MO", "BYDAY"),
        ("FREQ=DAILY;X=" + "1" * 600, "longer"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40", "25 times a day"),
        ("FREQ=DAILY;BYHOUR=1,2;BYMINUTE=0,30", "before the first has ended"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "fits no day"), ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "fits no day"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "fits no day"), ("FREQ=YEARLY;BYDAY=MO;BYSETPOS=300", "fits no day"),
        ("FREQ=WEEKLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=30", "fits no day"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_refused_at_once_and_says_why(rule: str, word: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput, match=word) as refused:
        check_plan(Plan("2026-11-02T02:00", "Europe/Berlin", 7200, rule))
    assert refused.value.field == "rule"
    # Followed to the year 9999 the longest of them would take half a minute.
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"starts": "tomorrow"}, "starts"), ({"starts": "2026-02-30T02:00"}, "starts"),
        ({"starts": "2026-11-30T02:00+01:00"}, "starts"), ({"starts": "1026-11-30T02:00"}, "starts"),
        ({"zone": "Mars/Olympus"}, "zone"), ({"zone": "../../etc/passwd"}, "zone"), ({"zone": ""}, "zone"),
        ({"duration_s": 59}, "duration_s"), ({"duration_s": 40 * 86_400}, "duration_s"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_used_names_the_field(changed: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"starts": "2026-11-30T02:00", "zone": "UTC", "duration_s": 3600} | changed
    with pytest.raises(InvalidInput) as refused:
        check_plan(Plan(**values))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_the_next_one_may_be_eight_years_away() -> None:
    plan = Plan("2096-02-29T02:00", "UTC", 3600, "FREQ=YEARLY")
    following = next_occurrence(plan, to_us(datetime(2096, 3, 1, tzinfo=UTC)))
    assert following is not None
    assert from_us(following.starts_at) == datetime(2104, 2, 29, 2, tzinfo=UTC)
    assert next_occurrence(Plan("2026-02-28T02:00", "UTC", 3600), to_us(datetime(2026, 3, 1, tzinfo=UTC))) is None


def test_an_old_rule_costs_no_more_than_a_new_one() -> None:
    now = to_us(datetime(2150, 1, 1, tzinfo=UTC))
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"):
        found = occurrences(Plan("2000-01-03T02:00", "UTC", 3600, rule), now, now + 60 * DAY)
        assert len(found) == (60 if "DAILY" in rule else 4)
