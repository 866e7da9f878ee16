"""Series: what a chart needs, gaps as gaps, and never more than 300 points."""

from __future__ import annotations

import random

import pytest

from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.queries.series import SPANS, Series, load_series
from statusapp.queries.status_page import load_status_page
from statusapp.services.rollups import roll_up_checks
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR
COLUMNS = ("starts", "count", "mean_us", "p50_us", "p95_us", "error_percent", "uptime_percent")


def test_a_point_is_the_sum_of_its_checks_and_a_gap_is_a_gap(world: World) -> None:
    endpoint_id = world.add(at=T0 - 50 * DAY)
    chance = random.Random(7)
    slots = [*range(T0 - 50 * DAY, T0 - 3 * DAY, 45 * MINUTE), *range(T0 - 9 * HOUR, T0, 4 * MINUTE)]
    checks = [(slot, chance.choice((Outcome.OK, Outcome.FAILED)), chance.randrange(1000, 90_000)) for slot in slots]
    world.store_checks(endpoint_id, checks)
    roll_up_checks(from_us(T0 - 20 * MINUTE))
    for name in SPANS:
        _is_the_sum(load_series(endpoint_id, name, from_us(T0), 0.3), checks)


def _is_the_sum(series: Series, checks: list[tuple[int, Outcome, int]]) -> None:
    assert len(series.starts) <= 300
    assert {len(getattr(series, column)) for column in COLUMNS} == {len(series.starts)}
    step = series.step_s * SECOND
    assert floor_to(T0, series.step_s) == to_us(series.starts[-1])
    gaps = 0
    for place, moment in enumerate(series.starts):
        start = to_us(moment)
        members = [check for check in checks if start <= check[0] < start + step]
        good = [total_us for _, outcome, total_us in members if outcome is Outcome.OK]
        assert series.count[place] == len(members)
        assert series.mean_us[place] == (pytest.approx(sum(good) / len(good)) if good else None)
        assert (series.p95_us[place] is None) == (not good)
        expected = pytest.approx(100 * (len(members) - len(good)) / len(members)) if members else None
        assert series.error_percent[place] == expected
        gaps += not members
    assert gaps > 0


def test_uptime_comes_from_the_ledger(world: World) -> None:
    endpoint_id = world.add(at=T0 - 10 * DAY)
    world.change(endpoint_id, Status.OPERATIONAL, floor_to(T0, HOUR_S) - 5 * HOUR)
    world.change(endpoint_id, Status.MAJOR_OUTAGE, floor_to(T0, HOUR_S) - 90 * MINUTE)
    series = load_series(endpoint_id, "7d", from_us(T0), 0.3)
    assert series.uptime_percent[-7:] == [None, 100, 100, 100, pytest.approx(50), 0, 0]
    assert load_series(endpoint_id, "90d", from_us(T0), 0.3).uptime_percent[:-1] == [None] * 89


def test_the_percentiles_of_a_day_that_is_not_over_are_there(world: World) -> None:
    endpoint_id = world.add(at=T0)
    midnight = floor_to(T0, DAY_S)
    world.store_checks(endpoint_id, [(slot, Outcome.OK, 50_000) for slot in range(midnight, T0, MINUTE)])
    roll_up_checks(from_us(T0 - 3 * HOUR))
    series = load_series(endpoint_id, "90d", from_us(T0), 0.3)
    assert (series.p50_us[-1], series.p95_us[-1]) == (50_000, 50_000)
    assert series.count[-1] == len(range(midnight, T0, MINUTE))


def test_all_public_services_together(world: World) -> None:
    first, second = world.add("One", at=T0 - DAY), world.add("Two", at=T0 - DAY)
    private = world.add("Three", at=T0 - DAY, is_public=False)
    hour = floor_to(T0, HOUR_S)
    for endpoint_id, total_us in ((first, 1000), (second, 3000), (private, 500_000)):
        world.store_checks(endpoint_id, [(hour - HOUR + MINUTE, Outcome.OK, total_us)])
        world.change(endpoint_id, Status.OPERATIONAL, hour - 2 * HOUR)
    world.change(second, Status.MAJOR_OUTAGE, hour - HOUR)
    world.change(private, Status.MAJOR_OUTAGE, hour - 2 * HOUR)
    roll_up_checks(from_us(T0))
    page = load_status_page(from_us(T0), 0.3)
    assert len(page.performance.starts) == 24
    assert page.performance.response_us.values[-2:] == (2000, None)
    assert page.performance.response_us.mean == 2000
    assert page.uptime_by_hour[-3:] == (100, 50, 50)
    assert page.uptime_by_hour[0] is None


def test_without_any_service_there_are_only_gaps(world: World) -> None:
    page = load_status_page(from_us(T0), 0.3)
    assert page.performance.response_us.values == page.uptime_by_hour == (None,) * 24
