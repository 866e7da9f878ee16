"""Claims: everything due is given out once, on the grid, and a late comer is refused."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from sqlalchemy import text

from statusapp.database import write_connection
from statusapp.domain.enums import CheckKind
from statusapp.domain.instants import SECOND
from statusapp.domain.schedule import next_slot
from statusapp.extensions import db
from statusapp.services.claims import CLAIM_AHEAD, LEASE_SLACK, claim_these, give_back
from statusapp.services.vault import current_vault
from tests.world import MINUTE, T0, World


def test_a_new_endpoint_is_due_at_once(world: World) -> None:
    endpoint_id = world.add(at=T0, method="POST", expected_status_codes="400", retries=4)
    ((claim, target, policy),) = world.claim(T0)
    assert (claim.endpoint_id, claim.slot, claim.kind) == (endpoint_id, T0, CheckKind.SCHEDULED)
    assert (target.method, target.expected.status_codes, target.timeout_ms) == ("POST", "400", 10_000)
    assert (policy.interval_us, policy.failures_to_confirm) == (MINUTE, 5)


def test_a_check_in_flight_is_not_given_out_again(world: World) -> None:
    world.add(at=T0)
    assert len(world.claim(T0)) == 1
    assert world.claim(T0) == []
    assert world.claim(T0 + CLAIM_AHEAD + LEASE_SLACK + 9 * SECOND) == []


def test_the_next_check_is_on_the_grid_whenever_the_result_comes(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (claimed,) = world.claim(T0)
    slot = next_slot(endpoint_id, MINUTE, T0)
    world.apply(claimed, slot - 1000)
    for number in range(5):
        due = slot + number * MINUTE
        assert world.claim(due - CLAIM_AHEAD - 1) == []
        (claimed,) = world.claim(due - CLAIM_AHEAD)
        assert claimed[0].slot == due
        world.apply(claimed, due + 9 * SECOND * (number % 2))


def test_slots_that_were_missed_are_made_up_for_by_one(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    slot = next_slot(endpoint_id, MINUTE, T0)
    late = slot + 10 * MINUTE + 7 * SECOND
    ((claim, _, _),) = world.claim(late)
    assert claim.slot == slot + 10 * MINUTE
    assert world.claim(late) == []
    assert world.state(endpoint_id).next_check_at == slot + 11 * MINUTE


def test_a_lost_claim_comes_back_for_the_same_slot_with_a_higher_fence(world: World) -> None:
    world.add(at=T0)
    (lost,) = world.claim(T0)
    lease_end = T0 + CLAIM_AHEAD + LEASE_SLACK + 10 * SECOND
    assert world.claim(lease_end - 1) == []
    (again,) = world.claim(lease_end)
    assert (again[0].slot, again[0].kind) == (lost[0].slot, lost[0].kind)
    assert again[0].fence > lost[0].fence


def test_the_result_of_a_lost_claim_is_refused(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (lost,) = world.claim(T0)
    (again,) = world.claim(T0 + MINUTE)
    world.apply(lost, T0 + MINUTE + 1)
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 0
    world.apply(again, T0 + MINUTE + 2)
    world.apply(lost, T0 + MINUTE + 3)
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 1
    assert world.state(endpoint_id).claimed_slot is None


def test_what_is_given_back_is_taken_at_once(world: World) -> None:
    world.add(at=T0)
    (claimed,) = world.claim(T0)
    with write_connection(db.engine) as connection:
        give_back(connection, [claimed[0]], T0 + 1)
    (again,) = world.claim(T0 + 1)
    assert again[0].slot == T0
    assert again[0].fence == claimed[0].fence + 1


def test_giving_back_what_another_holds_by_now_does_nothing(world: World) -> None:
    world.add(at=T0)
    (claimed,) = world.claim(T0)
    (again,) = world.claim(T0 + MINUTE)
    with write_connection(db.engine) as connection:
        give_back(connection, [claimed[0]], T0 + MINUTE)
    assert world.claim(T0 + MINUTE) == []
    world.apply(again, T0 + MINUTE)
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 1


def test_the_limit_takes_the_most_urgent_first(world: World) -> None:
    ids = [world.add(f"S{number}", at=T0 + number) for number in range(5)]
    first = world.claim(T0 + SECOND, limit=2)
    assert sorted(item[0].endpoint_id for item in first) == ids[:2]
    assert len(world.claim(T0 + SECOND)) == 3


def test_the_limit_holds_when_the_database_believes_that_there_is_one_row(world: World) -> None:
    # PostgreSQL then chooses a nested loop and would run the choice of what is due once for every endpoint.
    ids = [world.add("S0", at=T0)]
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("endpoint_state", "service_endpoint"):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"VACUUM (ANALYZE) {table}"))
    ids += [world.add(f"S{number}", at=T0 + number) for number in range(1, 5)]
    assert sorted(item[0].endpoint_id for item in world.claim(T0 + SECOND, limit=2)) == ids[:2]


def test_a_manual_check_is_refused_while_one_is_in_flight(world: World) -> None:
    endpoint_id = world.add(at=T0)

    def run_now(now: int) -> list[Any]:
        with write_connection(db.engine) as connection:
            return claim_these(connection, [endpoint_id], now, current_vault())

    (claimed,) = world.claim(T0)
    assert run_now(T0 + 5) == []
    world.apply(claimed, T0 + 10)
    before = world.state(endpoint_id).next_check_at
    (manual,) = run_now(T0 + 20)
    assert (manual[0].kind, manual[0].slot) == (CheckKind.MANUAL, T0 + 20)
    world.apply(manual, T0 + 30)
    assert world.state(endpoint_id).next_check_at == before


def test_claimers_that_race_never_get_the_same_check(app: Flask, world: World) -> None:
    ids = {world.add(f"S{number}", at=T0) for number in range(60)}
    taken: list[int] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        with app.app_context():
            for _ in range(4):
                taken.extend(item[0].endpoint_id for item in world.claim(T0, limit=4))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.extend(item[0].endpoint_id for item in world.claim(T0))
    assert len(taken) == len(ids)
    assert set(taken) == ids
