"""Alerts as stories: who is told, once, of what; and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from statusapp.database import write_connection
from statusapp.domain.actors import Actor
from statusapp.domain.alert_life import Step
from statusapp.domain.alert_rules import Case, Judgement, RuleValues
from statusapp.domain.enums import AlertKind, IncidentStatus, Outcome, Severity, Status, Transition
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.queries.dependencies import load_affected
from statusapp.services import alerts, rules
from statusapp.services import incident_updates as people
from statusapp.services import incidents as machine
from statusapp.services.alert_sweep import evaluate_all
from statusapp.services.alerting import sweep
from tests.services.alert_story import HOUR, data_of, depend, fail_until, make_page, told
from tests.services.planting import NOON, Plant
from tests.world import MINUTE, T0, World

ANN = Actor(None, "ann@example.org")


@pytest.fixture(autouse=True)
def page(world: World) -> None:
    """A page with one channel."""
    make_page()


def test_down_for_ten_minutes_is_told_once_and_its_end_once(world: World) -> None:
    world.add("Shop", at=T0)
    fail_until(world, T0 + 9 * MINUTE)
    assert told(world) == []
    fail_until(world, T0 + 30 * MINUTE)
    sweep(from_us(T0 + 30 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop")]
    fail_until(world, T0 + 34 * MINUTE, Outcome.OK)
    sweep(from_us(T0 + 35 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop"), (Transition.RESOLVED, "Shop")]
    fired, resolved = (data_of(row) for row in world.rows("SELECT data FROM alert_delivery ORDER BY id"))
    began = world.scalar("SELECT started_at FROM status_change WHERE status = 4")
    assert (fired["since"], fired["found"], fired["status"]) == (began, "connection refused", "major_outage")
    assert resolved["resolved_at"] == world.scalar("SELECT status_since FROM endpoint_state")
    assert resolved["lasted_us"] == resolved["resolved_at"] - began


def test_without_a_delay_the_confirming_check_itself_tells(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 2 * MINUTE)
    (alert,) = world.rows("SELECT fired_at, since FROM alert")
    (change,) = world.rows("SELECT recorded_at, started_at FROM status_change WHERE status = 4")
    assert (alert.fired_at, alert.since) == (change.recorded_at, change.started_at)


def test_two_evaluators_tell_of_it_once(world: World) -> None:
    world.add("Shop", at=T0)
    fail_until(world, T0 + 9 * MINUTE)
    world.execute("DELETE FROM alert_delivery")
    for _ in range(3):
        evaluate_all(T0 + 20 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop")]
    assert world.scalar("SELECT COUNT(*) FROM alert") == 1


def test_a_reminder_comes_at_its_interval_until_somebody_is_at_it(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "repeat_s": 3600})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 3 * HOUR)
    assert [transition for transition, _ in told(world)] == [Transition.FIRED, Transition.REMINDED, Transition.REMINDED]
    alert_id = world.scalar("SELECT id FROM alert")
    alerts.acknowledge(alert_id, "Looking at it", T0 + 3 * HOUR, ANN)
    fail_until(world, T0 + 6 * HOUR)
    assert len(told(world)) == 3
    (entry,) = world.rows("SELECT actor, subject FROM audit_entry WHERE kind = 5")
    assert tuple(entry) == ("ann@example.org", "down: Shop")
    fail_until(world, T0 + 6 * HOUR + 4 * MINUTE, Outcome.OK)
    assert told(world)[-1] == (Transition.RESOLVED, "Shop")
    with pytest.raises(NotFound):
        alerts.acknowledge(alert_id, "", T0 + 7 * HOUR, ANN)


def test_a_child_of_what_is_down_is_not_told_of_but_named(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    parent = world.add("Database", at=T0)
    depend(world, world.add("Shop", at=T0), parent)
    fail_until(world, T0 + 10 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Database")]
    assert data_of(world.rows("SELECT data FROM alert_delivery")[0])["affected"] == ["Shop"]


@pytest.mark.parametrize("between", ["failing", "paused", "working"])
def test_what_needs_it_by_way_of_others_is_not_told_of_either(world: World, between: str) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    root, middle, leaf = (world.add(name, at=T0) for name in ("Database", "Login", "Shop"))
    depend(world, middle, root)
    depend(world, leaf, middle)
    if between == "paused":
        world.execute("UPDATE service_endpoint SET is_enabled = false WHERE id = :id", id=middle)
    if between != "failing":
        world.execute("UPDATE endpoint_state SET due_at = NULL WHERE endpoint_id = :id", id=middle)
    fail_until(world, T0 + 10 * MINUTE)
    evaluate_all(T0 + 11 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Database")]
    affected = ["Login", "Shop"] if between == "failing" else ["Shop"]
    # Who fails first is told of at once, with those that fail by then; the next message has them all.
    rules.set_rule(AlertKind.DOWN, {"repeat_s": 60})
    world.execute("UPDATE alert SET remind_at = 0")
    evaluate_all(T0 + 12 * MINUTE)
    assert data_of(world.rows("SELECT data FROM alert_delivery ORDER BY id")[-1])["affected"] == affected
    assert load_affected(with_private=True)[leaf][0] == "Database"


def test_services_that_need_each_other_are_both_told_of_and_what_needs_them_is_not(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    left, right, itself, leaf = (world.add(name, at=T0) for name in ("Left", "Right", "Itself", "Shop"))
    for child, parent in ((left, right), (right, left), (itself, itself), (leaf, left)):
        depend(world, child, parent)
    fail_until(world, T0 + 10 * MINUTE)
    assert sorted(name for _, name in told(world)) == ["Itself", "Left", "Right"]
    assert load_affected(with_private=True) == {leaf: ("Left", "Right")}


def test_a_muted_service_alerts_nobody_until_its_time_is_over(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    endpoint_id = world.add("Shop", at=T0)
    rules.mute_endpoint(endpoint_id, muted=True, until=T0 + HOUR)
    fail_until(world, T0 + HOUR - SECOND)
    assert told(world) == []
    fail_until(world, T0 + HOUR + 3 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop")]


def test_a_muted_rule_raises_nothing(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    rules.mute_rule(AlertKind.DOWN, muted=True)
    world.add("Shop", at=T0)
    fail_until(world, T0 + 10 * MINUTE)
    assert told(world) == []
    rules.mute_rule(AlertKind.DOWN, muted=False)
    sweep(from_us(T0 + 11 * MINUTE))
    assert told(world) == [(Transition.FIRED, "Shop")]


def test_a_rule_can_be_muted_for_one_service_alone(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    quiet = world.add("Quiet", at=T0)
    world.add("Loud", at=T0)
    rules.mute_rule(AlertKind.DOWN, muted=True, endpoint_id=quiet)
    fail_until(world, T0 + 5 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Loud")]
    rules.mute_rule(AlertKind.DOWN, muted=False, endpoint_id=quiet)
    sweep(from_us(T0 + 6 * MINUTE))
    assert told(world)[-1] == (Transition.FIRED, "Quiet")


def test_the_rule_of_a_service_goes_before_the_one_for_everything(world: World) -> None:
    quick, slow = world.add("Quick", at=T0), world.add("Slow", at=T0)
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "severity": Severity.WARNING}, endpoint_id=quick)
    fail_until(world, T0 + 5 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Quick")]
    assert world.scalar("SELECT severity FROM alert") == Severity.WARNING
    rules.reset_rule(AlertKind.DOWN, endpoint_id=quick)
    with pytest.raises(NotFound):
        rules.reset_rule(AlertKind.DOWN, endpoint_id=slow)


def test_silence_and_maintenance_neither_fire_nor_resolve(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    endpoint_id = world.add("Shop", at=T0)
    last = fail_until(world, T0 + 5 * MINUTE)
    sweep(from_us(last + HOUR))  # Nothing has been checked since.
    assert world.state(endpoint_id).status == Status.UNKNOWN
    assert told(world) == [(Transition.FIRED, "Shop")]
    assert world.scalar("SELECT resolved_at FROM alert") is None


@pytest.mark.parametrize("broke", ["before", "meanwhile"])
def test_what_is_still_broken_at_the_end_of_maintenance_is_told_then(world: World, broke: str) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "repeat_s": 60})
    plant = Plant(world)
    world.add("Shop", at=T0)
    fail_until(world, NOON - 10 * MINUTE, Outcome.OK)
    fail_until(world, NOON - MINUTE, Outcome.FAILED if broke == "before" else Outcome.OK)
    plant.plan(now=NOON - MINUTE, announce_s=0)
    plant.keep(NOON)
    before = len(told(world))
    fail_until(world, NOON + 59 * MINUTE)
    evaluate_all(NOON + 59 * MINUTE)
    assert [transition for transition, _ in told(world)[before:]] == []
    plant.keep(NOON + HOUR)
    fail_until(world, NOON + HOUR + 3 * MINUTE)
    since = [transition for transition, _ in told(world)[before:]]
    assert since[:2] == [Transition.MAINTENANCE, Transition.REMINDED if broke == "before" else Transition.FIRED]


def test_what_comes_and_goes_is_said_once(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0, retries=0, successes_to_confirm=1)
    now = T0
    for number in range(40):
        due = world.scalar("SELECT MIN(due_at) FROM endpoint_state")
        now = max(now, due)
        (claimed,) = world.claim(now)
        world.apply(claimed, max(now, claimed[0].slot) + 10_000, Outcome.FAILED if number % 2 else Outcome.OK)
    transitions = [transition for transition, _ in told(world)]
    assert Transition.FLAPPING in transitions
    assert len(transitions) <= 4
    fail_until(world, now + 40 * MINUTE, Outcome.OK)
    sweep(from_us(now + 41 * MINUTE))
    assert told(world)[-1] == (Transition.RESOLVED, "Shop")
    assert world.scalar("SELECT COUNT(*) FROM alert WHERE resolved_at IS NULL") == 0


def incidents(world: World) -> list[tuple[int, bool, list[str]]]:
    """Of each incident its status, whether it is over, and what machines have said in it, from the oldest on."""
    return [
        (
            row.status,
            row.resolved_at is not None,
            [
                update.body
                for update in world.rows(
                    "SELECT body FROM incident_update WHERE incident_id = :id AND author IS NULL ORDER BY id", id=row.id
                )
            ],
        )
        for row in world.rows("SELECT id, status, resolved_at FROM incident ORDER BY id")
    ]


@pytest.mark.parametrize("person", ["nobody", "is at it", "has ended it"])
def test_the_page_never_says_that_it_is_over_while_the_service_is_down_again(world: World, person: str) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 5 * MINUTE)
    incident_id, ann = world.scalar("SELECT id FROM incident"), "ann@example.org"
    if person == "is at it":
        people.add_update(incident_id, "We know.", ann, from_us(T0 + 5 * MINUTE), IncidentStatus.IDENTIFIED)
    last = fail_until(world, T0 + 9 * MINUTE, Outcome.OK)
    if person == "has ended it":
        people.resolve_incident(incident_id, "It is mended.", ann, from_us(last))
    fail_until(world, T0 + 14 * MINUTE)
    first, *others = incidents(world)
    before = [machine.OPENED, machine.RECOVERED]
    if person == "has ended it":
        assert first == (IncidentStatus.RESOLVED, True, before)
        assert others == [(IncidentStatus.INVESTIGATING, False, [machine.OPENED])]
    else:
        status = IncidentStatus.IDENTIFIED if person == "is at it" else IncidentStatus.INVESTIGATING
        assert first == (status, False, [*before, machine.AGAIN])
        assert others == []
    newest = world.scalar("SELECT MAX(id) FROM incident")
    assert world.scalar("SELECT incident_id FROM alert") == newest
    assert data_of(world.rows("SELECT data FROM alert_delivery ORDER BY id")[-1])["incident_id"] == newest


def test_who_ends_an_incident_of_a_service_that_stays_down_has_until_the_next_reminder(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0, "repeat_s": 3600})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 30 * MINUTE)
    ended = world.scalar("SELECT id FROM incident")
    people.resolve_incident(ended, "It is mended.", "ann@example.org", from_us(T0 + 30 * MINUTE))
    fail_until(world, T0 + 55 * MINUTE)
    assert len(incidents(world)) == 1
    fail_until(world, T0 + 65 * MINUTE)
    assert [is_over for _, is_over, _ in incidents(world)] == [True, False]
    fail_until(world, T0 + 3 * HOUR)
    assert len(incidents(world)) == 2


def test_what_is_paused_is_over(world: World) -> None:
    rules.set_rule(AlertKind.DOWN, {"for_s": 0})
    world.add("Shop", at=T0)
    fail_until(world, T0 + 5 * MINUTE)
    world.execute("UPDATE service_endpoint SET is_enabled = false")
    evaluate_all(T0 + 6 * MINUTE)
    assert told(world) == [(Transition.FIRED, "Shop"), (Transition.RESOLVED, "Shop")]


def test_a_thousand_at_once_cost_a_number_of_statements_that_does_not_grow_with_them(world: World) -> None:
    from sqlalchemy import event

    counts = []
    for size in (10, 1000):
        rule = RuleValues(AlertKind.MONITOR, Severity.CRITICAL)
        cases = [
            Case(rule, f"monitor:{size}-{number}", f"Part {number}", Judgement.WRONG, severity=Severity.CRITICAL)
            for number in range(size)
        ]
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            with write_connection(db.engine) as connection:
                assert alerts.settle(connection, cases, T0) == {Step.FIRE: size}
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 6
    assert world.scalar("SELECT COUNT(*) FROM alert_delivery") == 1010
