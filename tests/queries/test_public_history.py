"""What other programs may read: planned work, recent incidents, dates and figures, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statusapp.database import write_transaction
from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import LatencyRollup
from statusapp.queries.public_figures import (
    load_overall_response,
    load_overall_uptime,
    load_service_response,
    load_service_uptime,
)
from statusapp.queries.public_history import load_dates, load_public_work, load_recent_incidents
from statusapp.queries.watermarks import LATENCY
from statusapp.services import maintenance_plans as plans
from statusapp.services import watermarks
from statusapp.services.incident_updates import IncidentDraft, open_incident
from tests.services.planting import HOUR, NOON, Plant
from tests.world import MINUTE, T0, World

ME = "ann@example.org"


def test_work_is_told_with_what_is_public_of_its_targets(world: World) -> None:
    plant = Plant(world)
    shop, bank = world.add("Shop", group="Payments"), world.add("Bank", group="Payments", is_public=False)
    vault = world.add("Vault", group="Vaults", is_public=False)
    (payments,) = world.rows("SELECT id FROM service_group WHERE name = 'Payments'")
    (vaults,) = world.rows("SELECT id FROM service_group WHERE name = 'Vaults'")
    plant.plan(NOON, endpoint_ids=[shop, bank], group_ids=[payments.id, vaults.id])
    plant.plan(NOON + HOUR, endpoint_ids=[vault], group_ids=[vaults.id])
    plant.plan(NOON + 2 * HOUR)
    plant.plan(NOON + 3 * HOUR, is_public=False)
    everything, some = load_public_work(from_us(T0))
    assert (everything.covers_all, everything.affects) == (True, ("All services",))
    assert some.affects == ("Payments", "Shop")
    assert (some.service_ids, some.group_ids) == ({shop}, {payments.id})
    assert some.is_ahead(from_us(T0))
    assert some.is_going_on(from_us(NOON))
    assert not some.is_going_on(from_us(NOON + HOUR))
    assert (some.told_at, some.changed_at) == (from_us(T0), from_us(T0))


def test_work_keeps_its_plan_and_what_came_of_it(world: World) -> None:
    plant, key = Plant(world), world.add()
    window = plant.plan(NOON, rule="FREQ=DAILY;COUNT=3", announce_s=30 * 86_400, endpoint_ids=[key])
    plant.keep(NOON)
    plans.cancel_occurrence(window, NOON, from_us(NOON + 10 * MINUTE), ME)
    plans.cancel_occurrence(window, NOON + 24 * HOUR, from_us(NOON + 20 * MINUTE), ME)
    third, second, first = load_public_work(from_us(NOON + HOUR))
    assert (first.ends_at, first.ended_at) == (from_us(NOON + HOUR), from_us(NOON + 10 * MINUTE))
    assert not first.never_began
    assert second.never_began
    assert second.changed_at == second.last_told_at == from_us(NOON + 20 * MINUTE)
    assert (third.cancelled_at, third.updates) == (None, ())
    assert [entry.body for entry in first.updates][-1] == "The maintenance has begun."


def test_what_was_called_off_before_anybody_was_told_is_left_out(world: World) -> None:
    plant, key = Plant(world), world.add()
    window = plant.plan(NOON + 72 * HOUR, announce_s=0, endpoint_ids=[key])
    plans.cancel_occurrence(window, NOON + 72 * HOUR, from_us(NOON), ME)
    assert load_public_work(from_us(NOON)) == []


def test_open_incidents_are_always_among_the_recent_ones(world: World) -> None:
    key = world.add()
    for number in range(52):
        open_incident(IncidentDraft(f"Hour {number}", "We look.", endpoint_ids=[key]), ME, from_us(T0 - number * HOUR))
    world.execute("UPDATE incident SET resolved_at = started_at WHERE title <> 'Hour 51'")
    found = load_recent_incidents()
    assert [incident.title for incident in found] == [f"Hour {number}" for number in (*range(50), 51)]
    assert found[-1].updates[0].body == "We look."


def test_the_dates_of_what_is_on_the_page(world: World) -> None:
    key = world.add()
    world.add("Vault", is_public=False)
    assert {found: dates.created_at for found, dates in load_dates().items()} == {key: from_us(T0)}


@pytest.mark.parametrize(("span", "mean_us"), [("24h", 2000), ("7d", 2000), ("30d", 4000), ("90d", 4000)])
def test_response_times_of_all_public_services(world: World, span: str, mean_us: int) -> None:
    one, two, vault = world.add("One"), world.add("Two"), world.add("Vault", is_public=False)
    beat = world.add("Beat", url="heartbeat:")
    day, hour = floor_to(T0 - 20 * 24 * HOUR, DAY_S), floor_to(T0, HOUR_S)
    with write_transaction(db.session) as session:
        watermarks.begin(session, LATENCY, hour)
        for key, step_s, start, sum_us in (
            (one, HOUR_S, hour, 10_000),
            (two, HOUR_S, hour, 30_000),
            (vault, HOUR_S, hour, 990_000),
            (beat, HOUR_S, hour, 990_000),
            (one, DAY_S, day, 80_000),
        ):
            values = {"count": 11, "failures": 1, "sum_us": sum_us, "histogram": b""}
            session.add(LatencyRollup(endpoint_id=key, step_s=step_s, start=start, **values))
    assert load_overall_response(span, from_us(T0)) == mean_us
    world.store_checks(one, [(T0 - MINUTE, Outcome.OK, 7000), (T0 - MINUTE + 1, Outcome.FAILED, 9000)])
    assert load_service_response(two, "24h", from_us(T0)) is None


@pytest.mark.parametrize("span", ["24h", "7d", "90d"])
def test_uptime_of_all_public_services(world: World, span: str) -> None:
    one, two, vault = world.add("One"), world.add("Two"), world.add("Vault", is_public=False)
    for key in (one, two, vault):
        world.change(key, Status.OPERATIONAL, T0)
    world.change(one, Status.MAJOR_OUTAGE, T0 + 3 * HOUR)
    world.change(vault, Status.MAJOR_OUTAGE, T0 + 1)
    now = from_us(T0) + timedelta(hours=4)
    assert load_overall_uptime(span, now, 0.3) == pytest.approx(87.5)
    assert load_service_uptime(one, span, now, 0.3) == pytest.approx(75)
