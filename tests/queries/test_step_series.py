"""Series of any span and step are what the single checks and the ledger say, whatever of them is still kept."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from statusapp.domain.blocks import DAY_S, HOUR_S, ceil_to, floor_to
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.series_cuts import Kept, SeriesCut, cut_between, cut_span
from statusapp.queries.step_series import StepPoint, load_step_series
from statusapp.services.rollups import roll_up_checks
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Days instead of months, for each hour that is summed takes its time.
KEPT = Kept(T0 - 4 * DAY, T0 - 10 * DAY)
Checks = list[tuple[int, Outcome, int]]


def plant(world: World, chance: random.Random) -> tuple[int, Checks, list[tuple[int, Status]]]:
    """A service with two weeks of checks, of which the old ones are there only as sums."""
    endpoint_id = world.add(at=T0 - 14 * DAY)
    slots = [*range(T0 - 14 * DAY, T0 - 9 * HOUR, 23 * MINUTE), *range(T0 - 9 * HOUR, T0, 2 * MINUTE)]
    outcomes = (Outcome.OK, Outcome.OK, Outcome.SLOW, Outcome.FAILED)
    checks = [(slot, chance.choice(outcomes), chance.randrange(1000, 90_000)) for slot in slots]
    world.store_checks(endpoint_id, [*checks, (T0 - HOUR + 1, Outcome.INTERNAL_ERROR, 7)])
    roll_up_checks(from_us(T0 - 20 * MINUTE))
    # What retention takes away: single checks, then hours and three hours.
    world.execute("DELETE FROM health_check WHERE slot < :before", before=KEPT.checks_from)
    world.execute("DELETE FROM latency_rollup WHERE step_s < 86400 AND start < :before", before=KEPT.hours_from)
    changes = [(T0 - 13 * DAY, Status.OPERATIONAL)]
    statuses = (Status.MAJOR_OUTAGE, Status.OPERATIONAL, Status.PARTIAL_OUTAGE, Status.OPERATIONAL)
    changes += [
        (T0 - 12 * DAY + number * 7 * HOUR + chance.randrange(4 * HOUR), statuses[number % 4]) for number in range(40)
    ]
    for at, status in changes:
        world.change(endpoint_id, status, at)
    return endpoint_id, checks, changes


def uptime(changes: list[tuple[int, Status]], start: int, end: int) -> float | None:
    """The uptime of a stretch, second by second of the ledger."""
    spent: dict[Status, int] = {}
    for (at, status), (ended, _) in pairwise([*changes, (T0, Status.UNKNOWN)]):
        spent[status] = spent.get(status, 0) + max(min(ended, end) - max(at, start), 0)
    known = sum(spent.values())
    lost = spent.get(Status.MAJOR_OUTAGE, 0) + 0.3 * spent.get(Status.PARTIAL_OUTAGE, 0)
    return 100 * (1 - lost / known) if known else None


def ranked(values: list[int], share: float) -> int:
    return values[math.ceil(share * len(values)) - 1]


def agrees(point: StepPoint, end: int, checks: Checks, changes: list[tuple[int, Status]]) -> None:
    inside = [check for check in checks if point.start <= check[0] < end]
    good = sorted(total_us for _, outcome, total_us in inside if outcome is not Outcome.FAILED)
    sums = point.sums
    assert (sums.count, sums.failures, sums.sum_us) == (len(inside), len(inside) - len(good), sum(good))
    for share in (0.5, 0.95, 0.99):
        expected = pytest.approx(ranked(good, share), rel=0.05) if good else None
        assert sums.percentile(share) == expected
    expected_uptime = uptime(changes, point.start, end)
    assert point.uptime_percent == (None if expected_uptime is None else pytest.approx(expected_uptime, abs=1e-6))


def test_every_point_is_what_its_checks_say(world: World) -> None:
    chance = random.Random(5)
    endpoint_id, checks, changes = plant(world, chance)
    cuts = [
        cut_span(T0, 36 * HOUR_S, 300, 60, KEPT),
        cut_span(T0, 36 * HOUR_S, 420, 60, KEPT),
        cut_span(T0, DAY_S, 5400, 60, KEPT),
        cut_span(T0, 9 * DAY_S, 7 * HOUR_S, 60, KEPT),
        cut_span(T0, 10 * DAY_S, 3 * HOUR_S, 60, KEPT),
        cut_span(T0, 10 * DAY_S, None, 60, KEPT),
        cut_span(T0 - 3 * DAY, 5 * DAY_S, 2 * HOUR_S, 60, KEPT),
        cut_between(T0 - 20 * DAY, T0, 7 * DAY_S, 60, KEPT),
        cut_between(T0 - 12 * DAY, T0 - 8 * DAY, None, 60, KEPT),
        cut_between(T0 - 7 * HOUR, T0 - 7 * HOUR + SECOND, 60, 60, KEPT),
    ]
    for cut in cuts:
        points = load_step_series(endpoint_id, cut, T0, 0.3)
        assert [point.start for point in points] == list(cut.edges[:-1])
        assert len(points) <= 1000
        for point, end in zip(points, cut.edges[1:], strict=True):
            agrees(point, end, checks, changes)
    # Another service has nothing of it.
    points = load_step_series(world.add("Other"), cut_span(T0, DAY_S, HOUR_S, 60, KEPT), T0, 0.3)
    assert {(point.sums.count, point.uptime_percent) for point in points} == {(0, None)}


def test_the_last_point_holds_now_and_the_first_lies_in_the_span() -> None:
    cut = cut_span(T0, DAY_S, None, 60, KEPT)
    assert (cut.step_s, len(cut.edges)) == (300, 289)
    assert cut.edges[-1] == ceil_to(T0, 300)
    between = cut_between(T0 - HOUR, T0, 300, 60, KEPT)
    assert between == SeriesCut(300, tuple(range(floor_to(T0 - HOUR, 300), ceil_to(T0, 300) + 1, 300 * SECOND)))
