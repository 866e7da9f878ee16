"""Demo data: believable, the same for the same seed, and of one piece: checks, ledger, states and sums agree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Row

from config import Settings
from statusapp.domain.enums import CheckKind, Outcome, Rule, Status
from statusapp.domain.histogram import decode
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.latency import LatencySums
from statusapp.domain.transitions import decide
from statusapp.domain.values import EndpointHealth, Policy, ProbeResult
from statusapp.extensions import db
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.status_page import load_status_page
from statusapp.services.demo.catalogue import MOST_SERVICES, Temper, services
from statusapp.services.demo.episodes import episodes_of, shared_episodes
from statusapp.services.demo.history import History
from statusapp.services.demo.loading import DemoRefused, DemoReport, fill
from statusapp.services.demo.plans import Plan, timeline
from statusapp.services.demo.replay import APPLIED_AFTER, Replay
from statusapp.services.demo.samples import character_of
from statusapp.services.metric_rollups import roll_up_metrics
from statusapp.services.rollups import roll_up_checks
from statusapp.services.uptime import update_uptime
from tests.world import T0, World

# A dozen has something of everything: troubled ones, a young one, a paused one, a private one.
PLAN = Plan(12, 8, 3, 300, 1)
ALL_RAW = Plan(12, 8, 8, 300, 1)
NOW = from_us(T0)
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TABLES = {
    "latency_rollup": "endpoint_id, step_s, start",
    "uptime_day": "endpoint_id, day",
    "uptime_strip": "endpoint_id",
    "watermark": "name",
}


# The file with the history of a plan, and what was said of it.
_filled: dict[Plan, tuple[bytes, DemoReport]] = {}
# What a test looks at was written by the same statements on both databases.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"])


def rows_of(world: World, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, in the order of its key."""
    return [tuple(row) for row in world.rows(f"SELECT * FROM {table} ORDER BY {TABLES[table]}")]


def ledger_of(world: World, endpoint_id: int, condition: str = "true") -> list[Row[Any]]:
    """The ledger of one endpoint as it was written down."""
    statement = f"SELECT * FROM status_change WHERE endpoint_id = :id AND {condition} ORDER BY recorded_at, id"
    return world.rows(statement, id=endpoint_id)


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    """Which history is made up."""
    plan: Plan = getattr(request, "param", PLAN)
    return plan


@pytest.fixture
def report(world: World, settings: Settings, plan: Plan) -> DemoReport:
    """An installation with a made-up history, and what was said of it. A SQLite file is filled once for each plan."""
    if not settings.uses_sqlite:
        return fill(plan, settings, NOW, lambda _count: None)
    file = settings.instance_path / "statusapp.sqlite3"
    if plan not in _filled:
        report = fill(plan, settings, NOW, lambda _count: None)
        db.session.remove()
        # The last connection puts what is in the write-ahead log into the file.
        db.engine.dispose()
        _filled[plan] = file.read_bytes(), report
    db.engine.dispose()
    file.write_bytes(_filled[plan][0])
    return _filled[plan][1]


@pytest.fixture
def filled(world: World, report: DemoReport) -> World:
    """An installation with a made-up history."""
    return world


def test_the_ledger_is_whole(filled: World, report: DemoReport) -> None:
    ids = filled.rows("SELECT id, created_at FROM service_endpoint")
    assert len(ids) == PLAN.endpoints
    for endpoint_id, _ in ids:
        found = ledger_of(filled, endpoint_id, "NOT superseded")
        assert [row.ended_at is None for row in found] == [False] * (len(found) - 1) + [True]
        for one, other in pairwise(found):
            assert one.ended_at == other.started_at
            assert one.status == other.previous or other.rule == Rule.FIRST_RESULT
        assert all(row.started_at <= row.recorded_at <= T0 for row in found)
    assert report.changes == filled.scalar("SELECT COUNT(*) FROM status_change") - PLAN.endpoints
    assert report.checks == filled.scalar("SELECT COUNT(*) FROM health_check")


@pytest.mark.parametrize("plan", [ALL_RAW], indirect=True)
def test_deciding_anew_over_the_checks_gives_the_ledger_and_the_state(filled: World) -> None:
    policy = Policy(ALL_RAW.interval_us)
    rules = set()
    for state in filled.rows(
        "SELECT s.*, e.is_enabled FROM endpoint_state s JOIN service_endpoint e ON id = endpoint_id"
    ):
        created, *changes = ledger_of(filled, state.endpoint_id, "rule <> 11")
        health = EndpointHealth(status_since=created.started_at)
        decided = []
        for check in filled.rows(
            "SELECT * FROM health_check WHERE endpoint_id = :id ORDER BY slot", id=state.endpoint_id
        ):
            started_at = check.slot + check.late_us
            result = ProbeResult(started_at, Outcome(check.outcome), total_us=check.total_us)
            decision = decide(health, result, policy, started_at + check.total_us + APPLIED_AFTER)
            health = decision.health
            decided += [(change.previous, change.status, change.started_at, change.rule) for change in decision.changes]
        assert [(row.previous, row.status, row.started_at, row.rule) for row in changes] == decided
        rules |= {rule for *_, rule in decided}
        if state.is_enabled:
            names = ("status", "status_since", "history", "successes", "fast", "run_since", "last_checked_at")
            assert [getattr(state, name) for name in names] == [getattr(health, name) for name in names]
            assert state.due_at == state.next_check_at == check.slot + ALL_RAW.interval_us
    assert rules >= {Rule.FIRST_RESULT, Rule.FAILED_IN_A_ROW, Rule.RECOVERED, Rule.NOT_CHECKED}


@pytest.mark.parametrize("plan", [ALL_RAW], indirect=True)
def test_the_sums_are_those_that_the_jobs_make_of_the_checks(filled: World) -> None:
    before = {table: rows_of(filled, table) for table in TABLES}
    assert {row[1] for row in before["latency_rollup"]} == {3600, 10800, 86400}
    for table in TABLES:
        filled.execute(f"DELETE FROM {table}")
    roll_up_checks(NOW)
    roll_up_metrics(NOW)
    update_uptime(NOW)
    assert {table: rows_of(filled, table) for table in TABLES} == before


def test_running_the_jobs_again_is_little_work_and_changes_nothing(filled: World) -> None:
    before = {table: rows_of(filled, table) for table in TABLES}
    assert int(roll_up_checks(NOW).split()[0]) <= 2 * PLAN.endpoints
    assert update_uptime(NOW).startswith("1 days")
    assert {table: rows_of(filled, table) for table in TABLES} == before


@ON_SQLITE
def test_days_without_checks_have_sums_that_add_up(filled: World) -> None:
    first_check = filled.scalar("SELECT MIN(slot) FROM health_check")
    assert T0 - PLAN.raw_days * DAY - HOUR <= first_check <= T0 - PLAN.raw_days * DAY + 300 * SECOND
    sums: dict[tuple[int, int, int], Row[Any]] = {
        (row.endpoint_id, row.step_s, row.start): row for row in filled.rows("SELECT * FROM latency_rollup")
    }
    longer = [row for row in sums.values() if row.step_s > 3600]
    assert len([row for row in longer if row.step_s == 86400 and row.start + DAY < first_check]) > PLAN.endpoints
    for row in longer:
        total = LatencySums()
        for start in range(row.start, row.start + row.step_s * SECOND, HOUR):
            hour = sums.get((row.endpoint_id, 3600, start))
            if hour is not None:
                total.add(*hour[3:8], decode(bytes(hour.histogram)))
        told = (row.count, row.failures, row.sum_us, row.min_us, row.max_us, decode(bytes(row.histogram)))
        assert told == (total.count, total.failures, total.sum_us, total.min_us, total.max_us, total.histogram)
        assert (row.p50_us, row.p95_us) == (total.percentile(0.5), total.percentile(0.95))


@ON_SQLITE
def test_each_check_is_of_one_piece(filled: World) -> None:
    checks = filled.rows("SELECT * FROM health_check")
    assert {row.outcome for row in checks} >= {Outcome.OK, Outcome.FAILED}
    assert {row.kind for row in checks} == {CheckKind.SCHEDULED, CheckKind.RETRY}
    for row in checks:
        phases = (row.dns_us, row.connect_us, row.tls_us, row.wait_us, row.transfer_us)
        if row.status_code is None:
            assert row.outcome == Outcome.FAILED
            assert sum(phase or 0 for phase in phases) <= row.total_us
        else:
            assert sum(phases) == row.total_us
            assert min(phases) >= 0
            assert (row.status_code == 200) == (row.outcome != Outcome.FAILED)
        assert (row.error_kind != 0) == (row.outcome == Outcome.FAILED)
    bad = {(row.endpoint_id, row.slot) for row in checks if row.outcome != Outcome.OK}
    details = filled.rows("SELECT * FROM check_detail")
    assert {(row.endpoint_id, row.slot) for row in details} == bad
    assert all(row.error and row.data is None for row in details)


@ON_SQLITE
def test_the_page_is_full_and_fresh(filled: World) -> None:
    page = load_status_page(NOW, 0.3)
    assert not page.is_stale
    assert page.statuses == (Status.OPERATIONAL,) * (PLAN.endpoints - 2)
    assert page.performance.cpu.mean is not None
    assert page.performance.errors.mean is not None
    assert {group.name: group.is_collapsed for group in page.groups}["Partners"]
    assert not {group.name: group.is_collapsed for group in page.groups}["Shop"]
    youngest = [service for service in page.services if service.name == "Recommendations"]
    for service in page.services:
        filled_days = sum(map(any, service.days))
        assert filled_days == (3 if service in youngest else PLAN.days + 1)
    for name in SPANS:
        series = load_series(page.services[0].id, name, NOW, 0.3)
        assert sum(count > 0 for count in series.count) >= PLAN.days
        assert max(point for point in series.p95_us if point) > 0


@ON_SQLITE
def test_one_is_paused_and_one_is_private(filled: World) -> None:
    (paused,) = filled.rows("SELECT id FROM service_endpoint WHERE NOT is_enabled")
    newest = ledger_of(filled, paused.id)[-1]
    assert (newest.rule, newest.status, newest.ended_at) == (Rule.PAUSED, Status.UNKNOWN, None)
    assert filled.state(paused.id).due_at is None
    assert filled.scalar("SELECT MAX(slot) FROM health_check WHERE endpoint_id = :id", id=paused.id) < newest.started_at
    assert filled.scalar("SELECT COUNT(*) FROM service_endpoint WHERE NOT is_public") == 1


@ON_SQLITE
def test_a_database_in_use_is_refused(filled: World, settings: Settings) -> None:
    checks = filled.scalar("SELECT COUNT(*) FROM health_check")
    with pytest.raises(DemoRefused):
        fill(PLAN, settings, NOW, lambda _count: None)
    assert filled.scalar("SELECT COUNT(*) FROM health_check") == checks


def test_endpoints_of_an_operator_are_left_alone(world: World, settings: Settings) -> None:
    world.add("Shop")
    with pytest.raises(DemoRefused):
        fill(PLAN, settings, NOW, lambda _count: None)
    assert world.scalar("SELECT name FROM service_endpoint") == "Shop"


def test_the_command_fills_a_fresh_installation_once(app: Flask, world: World) -> None:
    runner = app.test_cli_runner()
    arguments = ["demo-data", "--endpoints", "3", "--days", "2", "--interval", "600", "--raw-days", "9"]
    result = runner.invoke(args=arguments)
    assert result.exit_code == 0, result.output
    checks = world.scalar("SELECT COUNT(*) FROM health_check")
    assert result.output.startswith(f"3 endpoints, 2 days: {checks:,} checks, ")
    assert world.scalar("SELECT COUNT(*) FROM service_endpoint") == 3
    again = runner.invoke(args=arguments)
    assert again.exit_code == 1
    assert "INSTANCE_PATH=./demo" in again.output
    assert again.output.count("\n") == 1
    assert world.scalar("SELECT COUNT(*) FROM health_check") == checks


def made_up(plan: Plan, settings: Settings) -> tuple[Any, ...]:
    """The whole history of one invented endpoint."""
    time = timeline(plan, settings, T0)
    service = services(6)[5]
    assert service.temper is Temper.TROUBLED
    chance = plan.randomness("test")
    character = character_of(service, 5, plan, chance)
    episodes = episodes_of(service.temper, shared_episodes(plan, time), chance, plan, time, time.start)
    replay = Replay(7, Policy(plan.interval_us), character, (time.off_from, time.off_until), chance)
    story = replay.tell(episodes, time.start, time.last_result)
    history = History(7, plan, time, character, chance, lambda values: values)
    checks = list(history.stream(story, time.start, time.last_result))
    return checks, history.sums, story


@ON_SQLITE
def test_the_same_seed_tells_the_same_and_another_seed_another(settings: Settings) -> None:
    checks, *others = made_up(PLAN, settings)
    assert (checks, *others) == made_up(PLAN, settings)
    assert checks != made_up(Plan(12, 8, 3, 300, 2), settings)[0]
    assert len({rest for chunk in checks for _, rest in chunk}) > 500


@ON_SQLITE
def test_names_differ_and_dependencies_come_first(database: str) -> None:
    everything = services(MOST_SERVICES)
    assert len({service.name for service in everything}) == MOST_SERVICES
    assert everything[:40] == services(40)
    known: set[str] = set()
    for service in everything:
        assert known.issuperset(service.depends_on), service.name
        known.add(service.name)
