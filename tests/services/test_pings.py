"""Heartbeats: pings are recorded, and judged as of the instant at which they were read."""

from __future__ import annotations

from typing import Any

import pytest

from statusapp.clock import now_us
from statusapp.domain.enums import PingSignal, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.values import ProbeResult
from statusapp.extensions import db
from statusapp.services.check_runs import check_now
from statusapp.services.endpoints import pause_endpoint, ping_path
from statusapp.services.pings import record_ping
from statusapp.services.probing import current_probing
from tests.world import T0, World

HOUR = 3600 * SECOND


def add(world: World, at: int | None = None, **options: Any) -> tuple[int, str]:
    """A heartbeat and its secret."""
    options = {"period": 3600, "grace": 60} | options
    endpoint_id = world.add("Backup", url="heartbeat:", at=at or now_us(), options=options)
    return endpoint_id, str(ping_path(endpoint_id)).split("/")[2]


def look(endpoint_id: int) -> ProbeResult:
    """Check now; what was found."""
    results: list[ProbeResult] = []
    left = check_now(db.engine, current_probing(), [endpoint_id], 1, lambda _id, result: results.append(result))
    assert left == []
    return results[0]


def test_before_the_first_ping_it_waits(world: World) -> None:
    endpoint_id, _ = add(world)
    assert look(endpoint_id).outcome.word == "waiting"
    assert world.state(endpoint_id).status == Status.UNKNOWN


def test_a_ping_makes_it_operational_at_the_next_look(world: World) -> None:
    endpoint_id, token = add(world)
    assert record_ping(token, PingSignal.SUCCESS, None, now_us())
    assert world.state(endpoint_id).extra_at is not None
    assert look(endpoint_id).outcome.word == "ok"
    assert world.state(endpoint_id).status == Status.OPERATIONAL


def test_a_ping_that_does_not_come_is_an_outage(world: World) -> None:
    endpoint_id, token = add(world, at=now_us() - 3 * HOUR)
    assert record_ping(token, PingSignal.SUCCESS, None, now_us() - 2 * HOUR)
    result = look(endpoint_id)
    assert (result.outcome.word, result.error_kind.word) == ("failed", "late")
    assert "the last ping was at" in str(result.error)
    assert world.state(endpoint_id).status == Status.MAJOR_OUTAGE


def test_the_first_ping_may_be_late_too(world: World) -> None:
    endpoint_id, _ = add(world, at=now_us() - 2 * HOUR)
    assert "no ping ever" in str(look(endpoint_id).error)


def test_a_reported_failure_is_looked_at_at_once(world: World) -> None:
    endpoint_id, token = add(world)
    record_ping(token, PingSignal.SUCCESS, None, now_us())
    look(endpoint_id)
    world.execute("UPDATE endpoint_state SET extra_at = NULL, extra_kind = NULL")
    record_ping(token, PingSignal.SUCCESS, None, now_us())
    assert world.state(endpoint_id).extra_at is None
    record_ping(token, PingSignal.FAIL, 3, now_us())
    assert world.state(endpoint_id).extra_at == world.state(endpoint_id).due_at is not None
    result = look(endpoint_id)
    assert (result.error_kind.word, result.error) == ("reported", "the job ended with exit code 3")
    assert world.state(endpoint_id).status == Status.MAJOR_OUTAGE
    record_ping(token, PingSignal.SUCCESS, 0, now_us())
    assert look(endpoint_id).outcome.word == "ok"
    assert world.state(endpoint_id).status == Status.OPERATIONAL


def test_a_job_that_began_and_does_not_end_is_late(world: World) -> None:
    endpoint_id, token = add(world, at=now_us() - HOUR)
    record_ping(token, PingSignal.SUCCESS, None, now_us() - 300 * SECOND)
    record_ping(token, PingSignal.START, None, now_us() - 30 * SECOND)
    assert look(endpoint_id).outcome.word == "ok"
    record_ping(token, PingSignal.START, None, now_us() - 90 * SECOND)
    assert "has not ended since" in str(look(endpoint_id).error)


def test_cron_expressions_have_a_time_zone(world: World) -> None:
    _, token = add(world, at=T0 - 30 * HOUR, cron="15 3 * * *", time_zone="Europe/Berlin")
    # 03:15 in Berlin is 02:15 UTC in November.
    last = T0 - (T0 % (24 * HOUR)) + 2 * HOUR + 16 * 60 * SECOND
    record_ping(token, PingSignal.SUCCESS, None, last)
    from statusapp.probes.heartbeat import HeartbeatOptions, deadline

    options = HeartbeatOptions(cron="15 3 * * *", time_zone="Europe/Berlin", grace=60)
    assert from_us(deadline(options, last)).isoformat() == "2026-11-25T02:16:00+00:00"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"period": 5}, "period must be a whole number from 10"),
        ({"cron": "every day"}, "no cron expression"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"nonsense": 1}, "no option of this kind"),
    ],
)
def test_what_cannot_be_kept_is_refused(world: World, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        add(world, **options)


def test_an_unknown_token_is_nothing(world: World) -> None:
    add(world)
    assert not record_ping("x" * 32, PingSignal.SUCCESS, None, T0)
    assert world.scalar("SELECT COUNT(*) FROM heartbeat_ping") == 0


def test_every_ping_is_kept_and_a_paused_heartbeat_is_not_looked_at(world: World) -> None:
    endpoint_id, token = add(world)
    pause_endpoint(endpoint_id, from_us(now_us()))
    record_ping(token, PingSignal.START, None, T0)
    record_ping(token, PingSignal.FAIL, 1, T0 + 1)
    record_ping(token, PingSignal.SUCCESS, 0, T0 + 2)
    rows = world.rows("SELECT signal, exit_code FROM heartbeat_ping ORDER BY received_at")
    assert [tuple(row) for row in rows] == [(1, None), (2, 1), (0, 0)]
    assert world.state(endpoint_id).due_at is None


def test_the_secret_is_not_in_the_database(world: World) -> None:
    endpoint_id, token = add(world)
    dump = str(world.rows("SELECT * FROM service_endpoint")) + str(world.rows("SELECT * FROM heartbeat"))
    assert token not in dump
    assert ping_path(endpoint_id) == f"/ping/{token}/"
