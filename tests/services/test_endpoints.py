"""Endpoints: what cannot be checked is refused with a reason, what can is on its grid at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statusapp.database import write_transaction
from statusapp.domain.enums import CheckKind, Outcome, Rule, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.schedule import next_slot
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.endpoint_drafts import EndpointDraft, InvalidEndpoint
from statusapp.services.endpoints import (
    create_endpoint,
    create_endpoints,
    pause_endpoint,
    repair_schedule,
    reschedule,
    resume_endpoint,
)
from tests.world import MINUTE, T0, World

GOOD = EndpointDraft("Shop", "https://shop.example.org/health")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"url": "shop.example.org"}, "https://example.org/"),
        ({"url": "ftp://example.org/"}, "https://example.org/"),
        ({"url": "http://exa mple.org/"}, "cannot|not an address"),
        ({"url": "http://example.org:99999/"}, "not an address"),
        ({"method": "GET /"}, "not an HTTP method"),
        ({"expected_status_codes": "2xx"}, "200-299, 401"),
        ({"expected_status_codes": ""}, "200-299, 401"),
        ({"interval_s": 4}, "5 seconds to 1 day"),
        ({"interval_s": 86_401}, "5 seconds to 1 day"),
        ({"timeout_ms": 99}, "0.1 seconds"),
        ({"interval_s": 10}, "shorter than the interval of 10 seconds"),
        ({"retries": -1}, "0 to 10 retries"),
        ({"successes_to_confirm": 0}, "1 to 10 successes"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_a_reason(world: World, change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidEndpoint, match=message):
        create_endpoint(replace(GOOD, **change), from_us(T0))  # type: ignore[arg-type]
    assert world.scalar("SELECT COUNT(*) FROM service_endpoint") == 0


def test_two_endpoints_of_one_name_are_refused_and_nothing_is_saved(world: World) -> None:
    other = replace(GOOD, name="Other")
    with pytest.raises(InvalidEndpoint, match="another name"):
        create_endpoints([other, GOOD, GOOD], from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM service_endpoint") == 0
    create_endpoint(GOOD, from_us(T0))
    with pytest.raises(InvalidEndpoint, match="another name"):
        create_endpoint(replace(GOOD, url="http://example.org/"), from_us(T0))


def test_endpoints_made_together_do_not_fall_due_together(world: World) -> None:
    ids = create_endpoints([replace(GOOD, name=f"S{number}", interval_s=60) for number in range(60)], from_us(T0))
    slots = sorted(world.state(endpoint_id).next_check_at for endpoint_id in ids)
    in_one_second = max(sum(start <= slot < start + SECOND for slot in slots) for start in slots)
    assert in_one_second <= 3


def test_a_shorter_interval_counts_at_once(world: World) -> None:
    endpoint_id = world.add(at=T0, interval_s=3600)
    world.check(T0)
    with write_transaction(db.session) as session:
        session.get_one(ServiceEndpoint, endpoint_id).interval_s = 30
        session.flush()
        reschedule(session, endpoint_id, T0 + MINUTE)
    state = world.state(endpoint_id)
    assert state.next_check_at == next_slot(endpoint_id, 30 * SECOND, T0 + MINUTE)
    assert state.due_at == state.next_check_at


def test_run_now_comes_first_and_leaves_the_grid_alone(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    with write_transaction(db.session) as session:
        reschedule(session, endpoint_id, T0 + SECOND, check_at=T0 + SECOND, check_kind=CheckKind.MANUAL)
    ((claim, _, _),) = world.claim(T0 + SECOND)
    assert (claim.kind, claim.slot) == (CheckKind.MANUAL, T0 + SECOND)
    assert world.state(endpoint_id).next_check_at == next_slot(endpoint_id, MINUTE, T0)


def test_a_paused_endpoint_is_unknown_and_not_checked(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    pause_endpoint(endpoint_id, from_us(T0 + MINUTE))
    state = world.state(endpoint_id)
    assert (state.status, state.due_at, state.next_check_at) == (Status.UNKNOWN, None, None)
    assert world.claim(T0 + 100 * MINUTE) == []
    newest = world.rows("SELECT * FROM status_change WHERE ended_at IS NULL")[0]
    assert (newest.rule, newest.status, newest.started_at) == (Rule.PAUSED, Status.UNKNOWN, T0 + MINUTE)
    pause_endpoint(endpoint_id, from_us(T0 + 2 * MINUTE))
    assert world.scalar("SELECT COUNT(*) FROM status_change WHERE rule = :rule", rule=int(Rule.PAUSED)) == 1


def test_a_result_that_comes_after_the_pause_is_refused(world: World) -> None:
    endpoint_id = world.add(at=T0)
    (claimed,) = world.claim(T0)
    pause_endpoint(endpoint_id, from_us(T0 + 1))
    assert world.apply(claimed, T0 + 2, Outcome.FAILED) == []
    assert world.state(endpoint_id).due_at is None


def test_a_resumed_endpoint_is_checked_at_once(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.check(T0)
    pause_endpoint(endpoint_id, from_us(T0 + MINUTE))
    resume_endpoint(endpoint_id, from_us(T0 + 60 * MINUTE))
    resume_endpoint(endpoint_id, from_us(T0 + 60 * MINUTE))
    (applied,) = world.check(T0 + 60 * MINUTE)
    assert applied.change.status is Status.OPERATIONAL
    rules = [row.rule for row in world.rows("SELECT rule FROM status_change ORDER BY id")]
    assert rules == [Rule.CREATED, Rule.FIRST_RESULT, Rule.PAUSED, Rule.RESUMED, Rule.FIRST_RESULT]


def test_a_schedule_that_nobody_would_find_is_repaired(world: World) -> None:
    lost, far, fine = (world.add(name, at=T0) for name in ("Lost", "Far", "Fine"))
    for claimed in world.claim(T0):
        world.apply(claimed, T0 + 10)
    world.execute("UPDATE endpoint_state SET due_at = NULL WHERE endpoint_id = :id", id=lost)
    world.execute("UPDATE endpoint_state SET due_at = due_at + 86400000000 WHERE endpoint_id = :id", id=far)
    before = world.state(fine)
    assert repair_schedule(T0 + SECOND) == 2
    assert world.state(fine) == before
    # The third may fall due by itself: where in its interval an endpoint is checked follows from its id.
    assert {item[0].endpoint_id for item in world.claim(T0 + SECOND)} - {fine} == {lost, far}
