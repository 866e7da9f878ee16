"""Uptime: days are the ledger's, past ones stay, and change when the ledger changes in them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.strips import NO_DATA, STRIP_DAYS, day_of, unpack
from statusapp.domain.uptime import day_start, time_per_status
from statusapp.extensions import db
from statusapp.models import StatusPageSettings, UptimeDay, UptimeStrip
from statusapp.queries.ledger import explain_uptime, load_ledger
from statusapp.queries.uptime import load_strips, load_uptimes
from statusapp.queries.watermarks import UPTIME, complete_until
from statusapp.services import watermarks
from statusapp.services.uptime import update_uptime
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = to_us(datetime.fromisoformat("2026-11-25T00:00:00+00:00"))


def set_zone(name: str) -> None:
    with write_transaction(db.session) as session:
        session.merge(StatusPageSettings(id=1, time_zone=name))


def stored_days(endpoint_id: int) -> dict[date, dict[Status, float]]:
    db.session.rollback()
    return {
        row.day: {status: getattr(row, f"{status.word}_s") for status in Status}
        for row in db.session.query(UptimeDay).filter_by(endpoint_id=endpoint_id)
    }


def days_of_ledger(endpoint_id: int, zone: ZoneInfo, until: int) -> dict[date, dict[Status, float]]:
    """The same from the whole ledger at once."""
    intervals = load_ledger(0, until)[endpoint_id]
    days: dict[date, dict[Status, float]] = {}
    day = from_us(intervals[0].start).astimezone(zone).date()
    while day_start(day, zone) < until:
        spent = time_per_status(intervals, day_start(day, zone), day_start(day + timedelta(days=1), zone))
        if spent:
            days[day] = {status: spent.get(status, 0) / SECOND for status in Status}
        day += timedelta(days=1)
    return days


@pytest.mark.parametrize("seed", range(3))
def test_whenever_it_runs_the_days_are_those_of_the_ledger(world: World, seed: int) -> None:
    chance = random.Random(seed)
    set_zone("Europe/Berlin")
    start = to_us(datetime.fromisoformat("2026-10-20T10:00:00+00:00"))
    shop, mail = world.add("Shop", at=start), world.add("Mail", at=start + 2 * DAY)
    now = start + 2 * DAY
    for _ in range(60):
        now += chance.randrange(10 * MINUTE, 9 * HOUR)
        if chance.random() < 0.4:
            update_uptime(from_us(now))
        at = now - chance.randrange(0, 3 * HOUR)  # Confirmed later than it began, also across midnight.
        world.change(chance.choice((shop, mail)), chance.choice(list(Status)), at, now)
    update_uptime(from_us(now + HOUR))
    for endpoint_id in (shop, mail):
        expected = days_of_ledger(endpoint_id, BERLIN, now + HOUR)
        assert stored_days(endpoint_id) == {day: pytest.approx(seconds) for day, seconds in expected.items()}
        strip = db.session.get_one(UptimeStrip, endpoint_id)
        assert len(unpack(strip.days)) == STRIP_DAYS
        for age, packed in enumerate(reversed(unpack(strip.days))):
            day = strip.last_day - timedelta(days=age)
            assert packed == (day_of(expected[day]) if day in expected else NO_DATA)


def test_days_of_summer_times_end_have_twenty_five_hours(world: World) -> None:
    set_zone("Europe/Berlin")
    endpoint_id = world.add(at=to_us(datetime.fromisoformat("2026-10-24T00:00:00+00:00")))
    update_uptime(datetime.fromisoformat("2026-10-27T12:00:00+00:00"))
    assert sum(stored_days(endpoint_id)[date(2026, 10, 25)].values()) == pytest.approx(25 * 3600)
    assert sum(stored_days(endpoint_id)[date(2026, 10, 26)].values()) == pytest.approx(24 * 3600)


def test_a_past_day_is_left_alone_until_the_ledger_changes_in_it(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.change(endpoint_id, Status.OPERATIONAL, T0)
    update_uptime(from_us(MIDNIGHT + HOUR))
    first = db.session.get_one(UptimeDay, (endpoint_id, date(2026, 11, 24))).computed_at
    for hours in (2, 3, 4):
        update_uptime(from_us(MIDNIGHT + hours * HOUR))
    db.session.expire_all()
    assert db.session.get_one(UptimeDay, (endpoint_id, date(2026, 11, 24))).computed_at == first
    # Confirmed today, begun yesterday.
    world.change(endpoint_id, Status.MAJOR_OUTAGE, MIDNIGHT - 30 * MINUTE, MIDNIGHT + 5 * HOUR)
    update_uptime(from_us(MIDNIGHT + 6 * HOUR))
    assert stored_days(endpoint_id)[date(2026, 11, 24)][Status.MAJOR_OUTAGE] == pytest.approx(30 * 60)


def test_what_is_read_is_right_before_the_job_has_run(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.change(endpoint_id, Status.OPERATIONAL, T0)
    update_uptime(from_us(MIDNIGHT + HOUR))
    world.change(endpoint_id, Status.MAJOR_OUTAGE, MIDNIGHT - 30 * MINUTE, MIDNIGHT + 5 * HOUR)
    strips = load_strips(from_us(MIDNIGHT + 6 * HOUR))
    yesterday, today = strips.of_service(endpoint_id)[-2:]
    assert yesterday[Status.MAJOR_OUTAGE] == 30 * 60 * 1000
    assert today[Status.MAJOR_OUTAGE] == 6 * 3600 * 1000
    assert strips.days[-1] == date(2026, 11, 25)
    assert strips.rolling[endpoint_id][Status.MAJOR_OUTAGE] == 6 * HOUR + 30 * MINUTE


def test_another_time_zone_cuts_all_days_anew(world: World) -> None:
    set_zone("UTC")
    endpoint_id = world.add(at=MIDNIGHT + HOUR)
    world.change(endpoint_id, Status.OPERATIONAL, MIDNIGHT + HOUR)
    update_uptime(from_us(MIDNIGHT + 50 * HOUR))
    assert min(stored_days(endpoint_id)) == date(2026, 11, 25)
    set_zone("America/New_York")
    now = from_us(MIDNIGHT + 51 * HOUR)
    update_uptime(now)
    expected = days_of_ledger(endpoint_id, ZoneInfo("America/New_York"), to_us(now))
    assert stored_days(endpoint_id) == {day: pytest.approx(seconds) for day, seconds in expected.items()}
    set_zone("UTC")
    update_uptime(now)
    assert min(stored_days(endpoint_id)) == date(2026, 11, 25)
    assert complete_until(UPTIME)[1] == "UTC"


def test_a_change_while_the_job_runs_is_not_lost(world: World) -> None:
    endpoint_id = world.add(at=T0)
    update_uptime(from_us(MIDNIGHT + HOUR))
    with write_transaction(db.session) as session:
        watermarks.begin(session, UPTIME, 0, "UTC")
    world.change(endpoint_id, Status.MAJOR_OUTAGE, MIDNIGHT - MINUTE, MIDNIGHT + HOUR)
    with write_transaction(db.session) as session:
        watermarks.finish(session, UPTIME, MIDNIGHT)
    assert complete_until(UPTIME)[0] == MIDNIGHT - MINUTE


def test_a_job_that_was_killed_halfway_is_done_again(world: World) -> None:
    world.add(at=T0)
    update_uptime(from_us(T0 + HOUR))
    before = complete_until(UPTIME)[0]
    world.pull_back(UPTIME, before - DAY)
    with write_transaction(db.session) as session:
        assert watermarks.begin(session, UPTIME, 0, "UTC") == before - DAY
    assert complete_until(UPTIME)[0] == before - DAY


def test_every_figure_opens_into_the_intervals_that_it_is_made_of(world: World) -> None:
    endpoint_id = world.add(at=T0 - 40 * DAY)
    world.change(endpoint_id, Status.OPERATIONAL, T0 - 40 * DAY)
    world.change(endpoint_id, Status.DEGRADED, T0 - 5 * DAY)
    # An outage confirmed after the fact supersedes what was thought meanwhile.
    world.change(endpoint_id, Status.MAJOR_OUTAGE, T0 - 5 * DAY - HOUR, T0 - 5 * DAY + HOUR, "HTTP 502")
    world.change(endpoint_id, Status.PARTIAL_OUTAGE, T0 - 4 * DAY)
    world.change(endpoint_id, Status.OPERATIONAL, T0 - 3 * DAY)
    world.change(endpoint_id, Status.UNKNOWN, T0 - 2 * DAY)
    world.change(endpoint_id, Status.MAINTENANCE, T0 - DAY - 3 * HOUR)
    world.change(endpoint_id, Status.OPERATIONAL, T0 - DAY - 2 * HOUR)
    now = from_us(T0)
    update_uptime(now - timedelta(hours=3))
    uptimes = load_uptimes(endpoint_id, now, 0.3)
    assert list(uptimes) == ["24h", "7d", "30d", "90d", "365d"]
    for uptime in uptimes.values():
        opened = explain_uptime(endpoint_id, uptime.start, uptime.end, 0.3)
        assert opened.percent == pytest.approx(uptime.percent)
        assert opened.seconds == {s: pytest.approx(v, abs=1e-3) for s, v in uptime.seconds.items() if v}
        counted = sum(entry.counted_s for entry in opened.entries)
        assert counted == pytest.approx(sum(opened.seconds.values()))
    assert uptimes["24h"].percent == 100
    week = explain_uptime(endpoint_id, uptimes["7d"].start, now, 0.3)
    (superseded,) = (entry for entry in week.entries if entry.is_superseded)
    assert (superseded.status, superseded.counted_s) == (Status.DEGRADED, 0)
    (outage,) = (entry for entry in week.entries if entry.status is Status.MAJOR_OUTAGE)
    assert (outage.reason, outage.rule.word) == ("HTTP 502", "failed_in_a_row")
    known = (uptimes["7d"].end - uptimes["7d"].start).total_seconds() - (21 + 1) * 3600
    assert uptimes["7d"].percent == pytest.approx(100 * (1 - (25 + 0.3 * 24) * 3600 / known))


def test_the_weight_of_a_partial_outage_is_a_setting(world: World) -> None:
    endpoint_id = world.add(at=T0 - DAY)
    world.change(endpoint_id, Status.PARTIAL_OUTAGE, T0 - DAY)
    for weight, percent in ((0.0, 100.0), (0.3, 70.0), (1.0, 0.0)):
        assert load_uptimes(endpoint_id, from_us(T0), weight)["24h"].percent == pytest.approx(percent)
