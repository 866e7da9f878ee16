"""Quiet hours right across changes of the clock, what of a channel's messages goes out, and the pauses."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statusapp.domain.deliveries import Waiting, backoff_us, next_parcel, no_longer_news
from statusapp.domain.enums import Severity, Transition
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.quiet_hours import parse_minute, quiet_until

BERLIN = ZoneInfo("Europe/Berlin")


def instant(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "span", "until"),
    [
        ("2026-11-24T20:59", (22 * 60, 7 * 60), None),
        ("2026-11-24T21:00", (22 * 60, 7 * 60), "2026-11-25T06:00"),
        ("2026-11-25T05:59", (22 * 60, 7 * 60), "2026-11-25T06:00"),
        ("2026-11-25T06:00", (22 * 60, 7 * 60), None),
        ("2026-11-25T11:30", (12 * 60, 13 * 60), "2026-11-25T12:00"),
        ("2026-11-25T12:00", (12 * 60, 13 * 60), None),
        ("2026-11-25T12:00", (None, None), None),
        ("2026-11-25T12:00", (60, 60), None),
        # The clock goes forward, and back: seven in the morning is another instant then.
        ("2026-03-28T23:00", (22 * 60, 7 * 60), "2026-03-29T05:00"),
        ("2026-10-24T23:00", (22 * 60, 7 * 60), "2026-10-25T06:00"),
    ],
)
def test_quiet_hours_in_the_pages_zone(now: str, span: tuple[int | None, int | None], until: str | None) -> None:
    assert quiet_until(instant(now), *span, BERLIN) == (None if until is None else instant(until))


@settings(deadline=None)
@given(
    st.integers(instant("2020-01-01T00:00"), instant("2030-01-01T00:00")),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Nairobi"]),
)
def test_quiet_hours_end_within_a_day_and_later_than_now(now: int, start: int, end: int, zone: str) -> None:
    until = quiet_until(now, start, end, ZoneInfo(zone))
    if until is not None:
        assert now < until <= now + 26 * 3600 * SECOND
        # Waiting for it ends: at most one more wait follows, where the clock goes through the hour twice.
        following = quiet_until(until, start, end, ZoneInfo(zone))
        assert following is None or from_us(following) > from_us(until)


@pytest.mark.parametrize(("text", "minute"), [("00:00", 0), ("7:05", 425), ("23:59", 1439)])
def test_times_of_day(text: str, minute: int) -> None:
    assert parse_minute(text) == minute


@pytest.mark.parametrize("text", ["", "24:00", "7", "7:5", "12:60", "-1:00", "aa:bb", "٣:00x"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        parse_minute(text)


def waiting(
    number: int,
    severity: Severity = Severity.WARNING,
    transition: Transition = Transition.FIRED,
    alert_id: int | None = 1,
    batch: str | None = None,
) -> Waiting:
    return Waiting(number, alert_id, transition, severity, number, batch)


def ids(rows: list[Waiting]) -> list[int]:
    return [row.id for row in rows]


def test_all_that_is_new_goes_together() -> None:
    assert ids(next_parcel([waiting(1), waiting(2)], False)) == [1, 2]


def test_an_attempt_is_made_again_as_it_was() -> None:
    assert ids(next_parcel([waiting(1, batch="a"), waiting(2, batch="a"), waiting(3)], False)) == [1, 2]


def test_quiet_hours_let_through_what_is_critical() -> None:
    rows = [waiting(1), waiting(2, Severity.CRITICAL), waiting(3, Severity.INFO)]
    assert ids(next_parcel(rows, True)) == [2]
    assert next_parcel([waiting(1)], True) == []


def test_an_attempt_of_before_the_quiet_hours_waits_unless_something_in_it_is_critical() -> None:
    harmless, critical = waiting(1, batch="a"), waiting(2, Severity.CRITICAL)
    assert ids(next_parcel([harmless, critical], True)) == [2]
    mixed = [waiting(1, batch="a"), waiting(2, Severity.CRITICAL, batch="a")]
    assert ids(next_parcel(mixed, True)) == [1, 2]


def test_a_thousand_at_most_go_at_once() -> None:
    assert len(next_parcel([waiting(number) for number in range(1, 1500)], False)) == 1000


def test_only_what_began_and_ended_in_the_quiet_is_no_longer_news() -> None:
    fired, resolved = waiting(1), waiting(2, transition=Transition.RESOLVED)
    reminded = waiting(3, transition=Transition.REMINDED)
    assert no_longer_news([fired, resolved, reminded], lambda _: True) == {1, 2, 3}
    assert no_longer_news([fired, reminded], lambda _: True) == set()
    assert no_longer_news([resolved], lambda _: True) == set()
    assert no_longer_news([fired, resolved], lambda at: at > 1) == set()
    back = waiting(4, transition=Transition.FLAPPING)
    assert no_longer_news([fired, resolved, back], lambda _: True) == set()
    tried = waiting(1, batch="a")
    assert no_longer_news([tried, resolved], lambda _: True) == set()
    report = waiting(4, alert_id=None)
    assert no_longer_news([fired, resolved, report], lambda _: True) == {1, 2}


@settings(deadline=None)
@given(st.integers(1, 200), st.floats(0, 1))
def test_pauses_grow_and_have_an_end(failures: int, luck: float) -> None:
    assert 8 * SECOND <= backoff_us(failures, luck) <= 600 * SECOND


def test_the_receivers_wish_counts_up_to_an_hour() -> None:
    assert backoff_us(9, 0.5, 3.5) == 3.5 * SECOND
    assert backoff_us(1, 0.5, 1e9) == 3600 * SECOND
    assert backoff_us(1, 0.5, 0.0) == 10 * SECOND
