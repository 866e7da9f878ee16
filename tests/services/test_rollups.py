"""Sums of checks: what they say is what the checks say, also after late results and second runs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest

from statusapp.domain.blocks import DAY_S, HOUR_S, STEPS_S, THREE_HOURS_S, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, from_us
from statusapp.queries.latency import load_checks, load_latency
from statusapp.queries.watermarks import LATENCY, complete_until
from statusapp.services.rollups import roll_up_checks
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR
Check = tuple[int, Outcome, int]


def made_up(chance: random.Random, start: int, end: int, every: int) -> list[Check]:
    """Checks of a service that is mostly well."""
    outcomes = [Outcome.OK] * 16 + [Outcome.SLOW, Outcome.FAILED, Outcome.INTERNAL_ERROR, Outcome.WAITING]
    return [
        (slot, chance.choice(outcomes), round(chance.lognormvariate(math.log(80_000), 1.2)))
        for slot in range(start, end, every)
    ]


def expected(checks: Iterable[Check]) -> tuple[int, int, int, list[int]]:
    """Count, failures and sum of checks, and the durations of the good ones in order."""
    counted = [check for check in checks if check[1] in (Outcome.OK, Outcome.SLOW, Outcome.FAILED)]
    good = sorted(total_us for _, outcome, total_us in counted if outcome is not Outcome.FAILED)
    return len(counted), len(counted) - len(good), sum(good), good


def assert_sums_are_those_of(world: World, endpoint_id: int, checks: list[Check], complete: int) -> None:
    for step_s in STEPS_S:
        step = step_s * SECOND
        blocks: dict[int, list[Check]] = {}
        for check in checks:
            if step_s == HOUR_S or floor_to(check[0], step_s) + step <= complete:
                blocks.setdefault(floor_to(check[0], step_s), []).append(check)
        rows = world.rows(
            "SELECT * FROM latency_rollup WHERE endpoint_id = :id AND step_s = :step ORDER BY start",
            id=endpoint_id, step=step_s,
        )  # fmt: skip
        found = {row.start: row for row in rows}
        blocks = {start: members for start, members in blocks.items() if expected(members)[0]}
        assert found.keys() == blocks.keys()
        for start, members in blocks.items():
            count, failures, sum_us, good = expected(members)
            row = found[start]._mapping
            assert (row["count"], row["failures"], row["sum_us"]) == (count, failures, sum_us)
            assert (row["min_us"], row["max_us"]) == ((good[0], good[-1]) if good else (None, None))
            for name, share in (("p50_us", 0.5), ("p95_us", 0.95), ("p99_us", 0.99)):
                exact = good[math.ceil(share * len(good) - 1e-9) - 1] if good else None
                assert row[name] == (None if exact is None else pytest.approx(exact, rel=0.05))


@pytest.mark.parametrize("seed", range(2))
def test_sums_are_those_of_the_checks_with_late_results_and_second_runs(world: World, seed: int) -> None:
    chance = random.Random(seed)
    shop, mail = world.add("Shop", at=T0), world.add("Mail", at=T0)
    start = floor_to(T0, DAY_S) - 2 * DAY
    checks = {shop: made_up(chance, start + 5 * HOUR, T0, 4 * MINUTE), mail: made_up(chance, start, T0, 9 * MINUTE)}
    stored: dict[int, list[Check]] = {shop: [], mail: []}
    now = start
    while now < T0:
        now = min(now + chance.randrange(5 * MINUTE, 7 * HOUR), T0)
        for endpoint_id, made in checks.items():
            due = [check for check in made if check[0] < now]
            # Some results are stored only later, hours late.
            ready = [check for check in due if chance.random() < 0.8 or now == T0]
            oldest = min((check[0] for check in ready), default=now)
            checks[endpoint_id] = [check for check in made if check not in ready]
            world.store_checks(endpoint_id, ready)
            stored[endpoint_id] += ready
            world.pull_back(LATENCY, oldest)
        for _ in range(chance.randrange(1, 3)):
            roll_up_checks(from_us(now))
    complete = complete_until(LATENCY)[0]
    assert T0 - 2 * HOUR < complete <= T0
    for endpoint_id in (shop, mail):
        assert_sums_are_those_of(world, endpoint_id, stored[endpoint_id], complete)


def test_a_result_that_was_held_up_for_hours_is_counted_in(world: World) -> None:
    endpoint_id = world.add(at=T0 - 6 * HOUR)
    (claimed,) = world.claim(T0 - 6 * HOUR)
    roll_up_checks(from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM latency_rollup") == 0
    world.apply(claimed, T0)
    roll_up_checks(from_us(T0 + MINUTE))
    hours = "SELECT start FROM latency_rollup WHERE endpoint_id = :id AND step_s = 3600"
    assert world.scalar(hours, id=endpoint_id) == floor_to(T0 - 6 * HOUR, HOUR_S)


def test_a_run_in_the_same_hour_sums_little(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.store_checks(endpoint_id, made_up(random.Random(1), T0 - 3 * DAY, T0, MINUTE))
    roll_up_checks(from_us(T0))
    assert roll_up_checks(from_us(T0 + MINUTE)) == "1 sums of services and hours"


@pytest.mark.parametrize("seed", range(2))
def test_any_span_is_the_sum_of_its_checks(world: World, seed: int) -> None:
    chance = random.Random(seed)
    endpoint_id = world.add(at=T0)
    checks = made_up(chance, T0 - 9 * DAY, T0, 3 * MINUTE)
    world.store_checks(endpoint_id, checks)
    roll_up_checks(from_us(T0 - chance.randrange(HOUR)))
    for length in (MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 8 * DAY):
        end = T0 - chance.randrange(6 * HOUR)
        start = end - length
        found = load_latency(endpoint_id, from_us(start), from_us(end))
        first = start if length <= DAY else floor_to(start, HOUR_S)
        count, failures, sum_us, good = expected(check for check in checks if first <= check[0] < end)
        assert (found.count, found.failures, found.sum_us) == (count, failures, sum_us)
        if good:
            assert (found.min_us, found.max_us) == (good[0], good[-1])
            for share in (0.5, 0.95, 0.99):
                assert found.percentile(share) == pytest.approx(good[math.ceil(share * len(good)) - 1], rel=0.05)


def test_sums_of_deleted_endpoints_do_not_come_back(world: World) -> None:
    endpoint_id = world.add(at=T0)
    world.store_checks(endpoint_id, [(T0 - HOUR, Outcome.OK, 5)])
    world.execute("DELETE FROM service_endpoint WHERE id = :id", id=endpoint_id)
    roll_up_checks(from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM latency_rollup") == 0


def test_three_hours_and_days_are_summed_once_they_are_over(world: World) -> None:
    endpoint_id = world.add(at=T0)
    midnight = floor_to(T0, DAY_S)
    world.store_checks(endpoint_id, [(midnight - MINUTE, Outcome.OK, 5), (midnight + MINUTE, Outcome.FAILED, 9)])
    steps = "SELECT step_s, start FROM latency_rollup WHERE step_s > 3600 ORDER BY step_s"
    roll_up_checks(from_us(midnight + 10 * MINUTE))
    assert world.rows(steps) == []
    roll_up_checks(from_us(midnight + 16 * MINUTE))
    assert [tuple(row) for row in world.rows(steps)] == [(THREE_HOURS_S, midnight - 3 * HOUR), (DAY_S, midnight - DAY)]
    assert len(load_checks(endpoint_id, midnight - DAY, midnight + DAY)) == 2
