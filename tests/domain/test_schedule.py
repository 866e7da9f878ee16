"""When things are due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.schedule import RETRY_PAUSE, next_run_after, next_slot, phase, retry_due

ids = st.integers(1, 10_000_000)
intervals = st.integers(5, 86_400).map(lambda seconds: seconds * SECOND)
instants = st.integers(0, 4_000_000_000 * SECOND)


@given(ids, intervals, instants)
def test_the_next_slot_is_the_first_of_the_grid_after_now(endpoint_id: int, interval: int, now: int) -> None:
    slot = next_slot(endpoint_id, interval, now)
    assert now < slot <= now + interval
    assert slot % interval == phase(endpoint_id, interval)
    assert next_slot(endpoint_id, interval, slot) == slot + interval
    assert next_slot(endpoint_id, interval, slot - 1) == slot


@pytest.mark.parametrize("first", [1, 37, 100_000])
@pytest.mark.parametrize("count", [10, 100, 1000])
def test_neighbours_are_spread_over_the_interval(first: int, count: int) -> None:
    interval = 60 * SECOND
    phases = sorted(phase(number, interval) for number in range(first, first + count))
    gaps = [after - before for before, after in zip(phases, [*phases[1:], phases[0] + interval], strict=True)]
    # Three-gap theorem: the golden ratio leaves no gap above twice and a bit the even one.
    assert max(gaps) < 2.7 * interval / count


@given(instants, intervals, st.integers(1, 11))
def test_all_retries_fit_into_one_interval(now: int, interval: int, confirmations: int) -> None:
    due = retry_due(now, interval, confirmations)
    assert now < due <= now + RETRY_PAUSE
    assert (due - now) * confirmations <= interval


def test_a_run_every_so_often() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert next_run_after(now, timedelta(minutes=3), None, ZoneInfo("UTC")) == now + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24T00:29:00+01:00", "2026-11-24T00:30:00+01:00"),
        ("2026-11-24T00:30:00+01:00", "2026-11-25T00:30:00+01:00"),
        ("2026-10-24T23:00:00+02:00", "2026-10-25T00:30:00+02:00"),
        ("2026-10-25T12:00:00+01:00", "2026-10-26T00:30:00+01:00"),
    ],
)
def test_a_run_each_day_at_a_wall_clock_time(now: str, expected: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    moment = datetime.fromisoformat(now).astimezone(UTC)
    assert next_run_after(moment, None, time(0, 30), berlin) == datetime.fromisoformat(expected)


def test_a_time_that_summer_time_skips_is_run_all_the_same() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    skipped = next_run_after(datetime(2026, 3, 29, 0, 0, tzinfo=UTC), None, time(2, 30), berlin)
    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.sampled_from(["Europe/Berlin", "America/Sao_Paulo"])
)
def test_the_next_run_is_within_a_day_and_an_hour(now: datetime, zone: str) -> None:
    moment = now.replace(tzinfo=UTC)
    following = next_run_after(moment, None, time(0, 30), ZoneInfo(zone))
    assert timedelta() < following - moment <= timedelta(hours=25)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))
def test_instants_go_there_and_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert from_us(to_us(aware)) == aware
