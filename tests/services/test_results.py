"""Results: stored once, with the state and the ledger in step."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy.exc import IntegrityError

from statusapp.database import write_connection
from statusapp.domain.enums import CheckKind, ErrorKind, Outcome, Rule, Status
from statusapp.domain.instants import SECOND
from statusapp.domain.values import Claim, Policy, ProbeResult
from statusapp.extensions import db
from statusapp.services.check_runs import apply_each
from statusapp.services.results import Finished
from tests.world import MINUTE, T0, World

LEDGER = "SELECT * FROM status_change WHERE endpoint_id = :id AND NOT superseded ORDER BY started_at, id"


def test_a_check_keeps_its_phases_and_how_late_it_was(world: World) -> None:
    world.add(at=T0)
    ((claim, _, policy),) = world.claim(T0)
    result = ProbeResult(
        T0 + 1500, Outcome.OK, status_code=204, dns_us=1, connect_us=2, tls_us=3, wait_us=4, transfer_us=5,
        total_us=15, size=99, peer=b"\x7f\0\0\1",
    )  # fmt: skip
    with write_connection(db.engine) as connection:
        apply_each(connection, [Finished(claim, policy, result)], T0 + SECOND)
    row = world.rows("SELECT * FROM health_check")[0]
    assert (row.slot, row.late_us, row.status_code, row.location) == (T0, 1500, 204, 0)
    assert (row.dns_us, row.connect_us, row.tls_us, row.wait_us, row.transfer_us, row.total_us) == (1, 2, 3, 4, 5, 15)
    assert (row.size, bytes(row.peer)) == (99, b"\x7f\0\0\1")
    assert world.scalar("SELECT COUNT(*) FROM check_detail") == 0


def test_the_first_good_result_makes_a_service_operational(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (applied,) = world.check(T0)
    assert (applied.change.status, applied.change.rule) == (Status.OPERATIONAL, Rule.FIRST_RESULT)
    state = world.state(endpoint_id)
    assert (state.status, state.successes, state.last_outcome) == (Status.OPERATIONAL, 1, Outcome.OK)
    assert [row.status for row in world.rows(LEDGER, id=endpoint_id)] == [Status.UNKNOWN, Status.OPERATIONAL]


def go_down(world: World, endpoint_id: int) -> int:
    """Bring an endpoint up, then down by a failure and two retries. Returns the start of the first bad check."""
    world.check(T0)
    slot = world.state(endpoint_id).next_check_at
    assert world.check(slot, Outcome.FAILED) == []
    for _ in range(2):
        state = world.state(endpoint_id)
        assert state.extra_kind == CheckKind.RETRY
        assert state.due_at == state.extra_at
        assert state.due_at <= slot + 15 * SECOND
        applied = world.check(state.extra_at, Outcome.FAILED)
    assert [item.change.status for item in applied] == [Status.MAJOR_OUTAGE]
    return int(slot)


def test_an_outage_is_told_after_the_retries_and_dated_to_the_first_failure(world: World) -> None:
    endpoint_id = world.add(at=T0)
    slot = go_down(world, endpoint_id)
    state = world.state(endpoint_id)
    assert (state.status, state.extra_at) == (Status.MAJOR_OUTAGE, None)
    assert slot <= state.status_since < slot + SECOND
    created, up, down = world.rows(LEDGER, id=endpoint_id)
    assert (created.ended_at, up.ended_at, down.ended_at) == (up.started_at, down.started_at, None)
    assert (down.rule, down.reason) == (Rule.FAILED_IN_A_ROW, "connection refused")
    assert down.recorded_at - down.started_at >= 9 * SECOND
    assert world.scalar("SELECT COUNT(*) FROM check_detail WHERE error = 'connection refused'") == 3


def test_one_failure_says_nothing(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    world.check(world.state(endpoint_id).next_check_at, Outcome.FAILED)
    assert world.check(world.state(endpoint_id).extra_at) == []
    assert world.state(endpoint_id).status == Status.OPERATIONAL


def test_a_recovery_wants_confirming_too(world: World) -> None:
    endpoint_id = world.add(at=T0)
    go_down(world, endpoint_id)
    slot = world.state(endpoint_id).next_check_at
    assert world.check(slot) == []
    (applied,) = world.check(world.state(endpoint_id).extra_at)
    assert (applied.change.status, applied.change.rule) == (Status.OPERATIONAL, Rule.RECOVERED)
    assert slot <= applied.change.started_at < slot + SECOND


def test_the_ledger_has_no_gap_and_no_overlap(world: World) -> None:
    endpoint_id = world.add(at=T0)
    now = T0
    for number in range(120):
        state = world.state(endpoint_id)
        now = state.due_at
        outcome = Outcome.FAILED if (number // 7) % 3 == 1 or number % 5 == 0 else Outcome.OK
        if number % 40 == 39:
            now += 10 * MINUTE
        world.check(now, outcome)
    rows = world.rows(LEDGER, id=endpoint_id)
    assert len(rows) > 5
    for before, after in pairwise(rows):
        assert before.ended_at == after.started_at
        assert before.started_at <= before.ended_at
    assert rows[-1].ended_at is None


def test_our_own_trouble_is_stored_and_changes_nothing(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    before = world.state(endpoint_id)
    for _ in range(5):
        assert world.check(world.state(endpoint_id).due_at, Outcome.INTERNAL_ERROR) == []
    after = world.state(endpoint_id)
    assert (after.status, after.failures, after.history) == (before.status, 0, before.history)
    assert world.scalar("SELECT COUNT(*) FROM health_check WHERE outcome = 3") == 5


def test_a_slot_never_has_two_rows(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (claimed,) = world.claim(T0)
    world.apply(claimed, T0 + 10)
    world.execute("UPDATE endpoint_state SET fence = :fence", fence=claimed[0].fence)
    world.apply(claimed, T0 + 20, Outcome.FAILED)
    assert world.scalar("SELECT COUNT(*) FROM health_check WHERE endpoint_id = :id", id=endpoint_id) == 1


def test_the_result_of_a_deleted_endpoint_is_left_out(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (claimed,) = world.claim(T0)
    world.execute("DELETE FROM service_endpoint WHERE id = :id", id=endpoint_id)
    assert world.apply(claimed, T0 + 10) == []
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 0
    assert world.scalar("SELECT COUNT(*) FROM endpoint_state") == 0


def test_one_result_that_cannot_be_stored_leaves_the_others_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [world.add(f"S{number}", at=T0) for number in range(4)]
    batch = [Finished(claim, policy, ProbeResult(T0, Outcome.OK, total_us=1)) for claim, _, policy in world.claim(T0)]
    batch[1].result.total_us = None  # type: ignore[assignment]
    with write_connection(db.engine) as connection:
        apply_each(connection, batch, T0 + 10)
    bad = batch[1].claim.endpoint_id
    assert {row.endpoint_id for row in world.rows("SELECT endpoint_id FROM health_check")} == set(ids) - {bad}
    assert f"endpoint {bad} cannot be stored" in caplog.text


def test_the_ledger_refuses_two_open_intervals(world: World) -> None:
    endpoint_id = world.add(at=T0)
    with pytest.raises(IntegrityError):
        world.execute(
            "INSERT INTO status_change (endpoint_id, previous, status, started_at, recorded_at, rule, superseded) "
            "VALUES (:id, 0, 1, :now, :now, 1, false)",
            id=endpoint_id,
            now=T0 + 5,
        )


def test_a_claim_that_nobody_gave_is_refused(world: World) -> None:
    endpoint_id = world.add(at=T0)
    made_up = Finished(
        Claim(endpoint_id, T0, CheckKind.SCHEDULED, 99), Policy(MINUTE), ProbeResult(T0, Outcome.FAILED, ErrorKind.DNS)
    )
    with write_connection(db.engine) as connection:
        assert apply_each(connection, [made_up], T0) == []
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 0
