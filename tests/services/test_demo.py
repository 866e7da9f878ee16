"""Demo data: believable, the same for the same seed, and of one piece."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from config import Settings
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import from_us, to_us
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.status_page import load_status_page
from statusapp.services.demo.loading import DemoRefused, fill
from statusapp.services.demo.plans import Plan
from statusapp.services.rollups import roll_up_checks
from statusapp.services.uptime import update_uptime
from tests.world import T0, World

PLAN = Plan(12, 6, 3, 300, 1)
NOW = from_us(T0)
SUMS = "SELECT * FROM latency_rollup ORDER BY endpoint_id, step_s, start"
DAYS = "SELECT * FROM uptime_day ORDER BY endpoint_id, day"
CHECKS = "SELECT endpoint_id, slot, outcome, total_us FROM health_check ORDER BY endpoint_id, slot"


@pytest.fixture
def filled(world: World, settings: Settings) -> World:
    """An installation with made-up history."""
    fill(PLAN, settings, NOW, lambda _count: None)
    return world


def test_the_ledger_is_whole(filled: World) -> None:
    for (endpoint_id,) in filled.rows("SELECT id FROM service_endpoint"):
        found = filled.rows(
            "SELECT * FROM status_change WHERE endpoint_id = :id AND NOT superseded ORDER BY started_at, id",
            id=endpoint_id,
        )
        assert [row.ended_at is None for row in found] == [False] * (len(found) - 1) + [True]
        for one, other in pairwise(found):
            assert one.ended_at == other.started_at


def test_checks_agree_with_the_ledger_and_their_phases_with_their_duration(filled: World) -> None:
    outages = filled.rows("SELECT * FROM status_change WHERE NOT superseded AND status = 4")
    assert outages
    for row in outages:
        checks = filled.rows(
            "SELECT outcome FROM health_check WHERE endpoint_id = :id AND slot > :start AND slot < :end",
            id=row.endpoint_id, start=row.started_at, end=row.ended_at or T0,
        )  # fmt: skip
        assert {check.outcome for check in checks} <= {Outcome.FAILED, Outcome.OK}
    wrong = (
        "SELECT COUNT(*) FROM health_check WHERE outcome = 0 AND total_us <> COALESCE(dns_us, 0) + "
        "COALESCE(connect_us, 0) + COALESCE(tls_us, 0) + COALESCE(wait_us, 0) + COALESCE(transfer_us, 0)"
    )
    assert filled.scalar(wrong) == 0


def test_the_sums_are_those_that_the_jobs_make(filled: World) -> None:
    raw_from = filled.scalar("SELECT MIN(slot) FROM health_check")
    sums, days = filled.rows(SUMS), filled.rows(DAYS)
    filled.execute("DELETE FROM watermark")
    roll_up_checks(NOW)
    update_uptime(NOW)
    day = 86_400_000_000
    whole = raw_from // day * day + day

    def told(rows: list) -> list:  # type: ignore[type-arg]
        return [tuple(row)[:9] for row in rows if row.start >= whole]

    assert told(filled.rows(SUMS)) == told(sums)
    columns = [name for name in days[0]._mapping if name != "computed_at"]
    assert [[row._mapping[name] for name in columns] for row in filled.rows(DAYS)] == [
        [row._mapping[name] for name in columns] for row in days
    ]


def test_the_page_is_full_and_fresh(filled: World) -> None:
    page = load_status_page(NOW, 0.3)
    assert not page.is_stale
    assert len(page.services) >= PLAN.endpoints - 2
    assert sum(any(map(sum, service.days)) for service in page.services) == len(page.services)
    assert any(service.status is Status.OPERATIONAL for service in page.services)
    for name in SPANS:
        series = load_series(page.services[0].id, name, NOW, 0.3)
        assert sum(count > 0 for count in series.count) >= 3


def test_the_same_seed_gives_the_same_and_a_second_time_is_refused(world: World, settings: Settings) -> None:
    fill(PLAN, settings, NOW, lambda _count: None)
    checks = world.rows(CHECKS)
    assert len({row.total_us for row in checks}) > 100
    assert to_us(datetime(2026, 11, 18, tzinfo=UTC)) < min(row.slot for row in checks) <= T0
    with pytest.raises(DemoRefused):
        fill(PLAN, settings, NOW, lambda _count: None)
