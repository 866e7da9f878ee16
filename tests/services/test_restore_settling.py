"""Settling: after a restore there is neither a storm of alerts nor one of checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from config import Settings
from statusapp.database import write_connection, write_transaction
from statusapp.domain.enums import Outcome, PingSignal, Rule, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.models import UserSession
from statusapp.services import accounts, alerting, check_windows, periodic, sessions
from statusapp.services.endpoints import pause_endpoint, ping_path
from statusapp.services.pings import record_ping
from statusapp.services.restore_settling import settle
from tests.world import MINUTE, T0, World

DAY = 24 * 60 * MINUTE
WEEK = 7 * DAY


def settled(now: int) -> None:
    """Settle at an instant in microseconds."""
    settle(from_us(now))


def ledger(world: World, endpoint_id: int) -> list[Row[Any]]:
    """The intervals of a service that count."""
    return world.rows(
        "SELECT status, started_at, rule FROM status_change WHERE endpoint_id = :id AND NOT superseded "
        "ORDER BY started_at, id",
        id=endpoint_id,
    )


def test_the_time_since_is_unknown_from_the_last_check_on(world: World) -> None:
    shop = world.add()
    world.check(T0)
    last = world.state(shop).last_checked_at
    settled(T0 + WEEK)
    state = world.state(shop)
    assert (state.status, state.status_since) == (Status.UNKNOWN, last)
    assert ledger(world, shop)[-1] == (Status.UNKNOWN, last, Rule.NOT_CHECKED)
    # The alerting sweep has nothing left to say.
    assert "0 became unknown" in alerting.sweep(from_us(T0 + WEEK + SECOND))


def test_what_was_checked_a_moment_ago_stays_as_it_was(world: World) -> None:
    shop = world.add()
    world.check(T0)
    before = ledger(world, shop)
    settled(T0 + 30 * SECOND)
    assert world.state(shop).status == Status.OPERATIONAL
    assert ledger(world, shop) == before


@pytest.mark.parametrize("later", [30 * SECOND, WEEK])
def test_a_failure_of_then_and_one_of_now_confirm_nothing(world: World, later: int) -> None:
    shop = world.add(retries=1)
    world.check(T0)
    world.check(world.state(shop).next_check_at, Outcome.FAILED)
    assert world.state(shop).failures == 1
    now = world.state(shop).last_checked_at + later
    settled(now)
    status = world.state(shop).status
    assert world.check(world.state(shop).due_at, Outcome.FAILED) == []
    assert world.state(shop).status == status != Status.MAJOR_OUTAGE
    # The second one in a row does.
    (applied,) = world.check(world.state(shop).due_at, Outcome.FAILED)
    assert applied.change.status is Status.MAJOR_OUTAGE
    assert applied.change.started_at > now


def test_failures_on_and_off_of_then_are_no_partial_outage_now(world: World) -> None:
    shop = world.add()
    world.check(T0)
    for number in range(10):
        world.check(world.state(shop).next_check_at, Outcome.FAILED if number % 2 else Outcome.OK)
        world.execute("UPDATE endpoint_state SET extra_at = NULL, due_at = next_check_at")
    assert world.state(shop).status == Status.OPERATIONAL
    settled(world.state(shop).last_checked_at + 10 * SECOND)
    assert world.check(world.state(shop).due_at, Outcome.FAILED) == []


def test_each_service_is_checked_once_in_the_first_minute_and_they_are_spread(world: World) -> None:
    ids = [world.add(f"S{number}", interval_s=(60, 90, 300, 3600, 86_400)[number % 5]) for number in range(40)]
    paused = world.add("Paused")
    pause_endpoint(paused, from_us(T0))
    for claimed in world.claim(T0):
        world.apply(claimed, T0 + SECOND)
    now = T0 + WEEK + 123_456
    settled(now)
    slots: dict[int, list[int]] = {}
    for second in range(61):
        for claimed in world.claim(now + second * SECOND - 2 * SECOND):
            slots.setdefault(claimed[0].endpoint_id, []).append(claimed[0].slot)
            world.apply(claimed, claimed[0].slot + SECOND // 10)
    assert {key: len(found) for key, found in slots.items()} == dict.fromkeys(ids, 1)
    instants = sorted(slot - now for found in slots.values() for slot in found)
    assert instants[0] > 0
    assert instants[-1] <= MINUTE
    per_ten_seconds = [sum(start <= at // (10 * SECOND) < start + 1 for at in instants) for start in range(6)]
    assert max(per_ten_seconds) <= 14, per_ten_seconds
    assert max(sum(abs(at - other) < SECOND // 10 for other in instants) for at in instants) <= 4
    assert world.state(paused).due_at is None


def test_who_held_a_claim_before_is_refused_and_the_claim_is_gone(world: World) -> None:
    shop = world.add()
    (old,) = world.claim(T0)
    settled(T0 + WEEK)
    assert world.state(shop).claimed_slot is None
    world.apply(old, T0 + WEEK + 1)
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 0
    # Nor does the number of a claim come back that was made after the backup.
    assert world.state(shop).fence >= T0 + WEEK
    settled(T0 + WEEK)
    assert world.state(shop).fence > T0 + WEEK


@pytest.fixture
def heartbeat(world: World) -> int:
    """A job that runs each day and has an hour's grace; it was done at T0, and its check saw that."""
    endpoint_id = world.add("Nightly", url="heartbeat:", options={"period": 86_400, "grace": 3600})
    ping(endpoint_id, PingSignal.SUCCESS, T0)
    return endpoint_id


def ping(endpoint_id: int, signal: PingSignal, now: int) -> None:
    """Have the job call in."""
    path = ping_path(endpoint_id)
    db.session.rollback()
    assert path is not None
    assert record_ping(path.split("/")[2], signal, None, now)


def heartbeat_row(world: World) -> tuple[Any, ...]:
    """When it was made, when the last ping came, since when the job runs, what it reported."""
    (row,) = world.rows("SELECT created_at, last_ping_at, started_at, failure FROM heartbeat")
    return tuple(row)


def test_a_heartbeat_whose_ping_may_have_been_lost_is_awaited_anew(world: World, heartbeat: int) -> None:
    ping(heartbeat, PingSignal.FAIL, T0 + SECOND)
    ping(heartbeat, PingSignal.START, T0 + MINUTE)
    settled(T0 + 25 * 60 * MINUTE)
    assert heartbeat_row(world) == (T0 + 25 * 60 * MINUTE, None, None, None)
    assert world.scalar("SELECT COUNT(*) FROM heartbeat_ping") == 3


def test_a_heartbeat_that_is_not_due_yet_stays_as_it_was(world: World, heartbeat: int) -> None:
    settled(T0 + 23 * 60 * MINUTE)
    assert heartbeat_row(world) == (T0, T0, None, None)


def test_tasks_run_at_their_next_usual_time(world: World, settings: Settings) -> None:
    periodic.ensure_tasks(settings, from_us(T0))
    world.execute("UPDATE periodic_task SET running_until = next_run_at, last_result = 'kept'")
    now = datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    settle(now)
    due = periodic.due_times()
    assert set(due) == {cadence.name for cadence in periodic.cadences(settings)}
    assert periodic.overdue_tasks(now, timedelta(0)) == []
    assert due["generate_daily_report_task"] == datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
    assert due["collect_system_metrics_task"] == now + timedelta(seconds=settings.metrics_interval)
    assert world.scalar("SELECT COUNT(*) FROM periodic_task WHERE running_until IS NOT NULL") == 0
    assert world.scalar("SELECT COUNT(*) FROM periodic_task WHERE last_result = 'kept'") == len(due)


def test_jobs_that_checked_have_ended_and_what_they_knew_of_the_network_is_forgotten(world: World) -> None:
    with write_connection(db.engine) as connection:
        window = check_windows.begin(connection, T0, 15 * SECOND)
        assert window is not None
        check_windows.beat(connection, window, T0 + SECOND, 5, T0)
    settled(T0 + 2 * SECOND)
    with db.engine.connect() as connection:
        assert not check_windows.has_live_claimer(connection, T0 + 2 * SECOND)
        assert check_windows.cut_off_since(connection) is None
    assert world.scalar("SELECT ended_at FROM check_window") == T0 + SECOND


def test_sessions_end_and_the_offer_of_the_first_account_stays(world: World) -> None:
    now = from_us(T0)
    token = accounts.offer_first_account(now)
    assert token is not None
    settled(T0 + SECOND)
    assert accounts.opens_first_account(token)
    accounts.create_first_account(token, "me@example.org", "correct horse battery", now)
    signed_in = sessions.sign_in("me@example.org", "correct horse battery", now)
    assert settle(from_us(T0 + MINUTE)).sessions_ended == 1
    with write_transaction(db.session) as session:
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0
    assert signed_in.expires_at > from_us(T0 + MINUTE)
