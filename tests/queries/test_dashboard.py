"""What the dashboard asks of the database: figures, cards, series over a range, and one service; the same on both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from statusapp.database import write_connection, write_transaction
from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import AlertKind, CheckKind, ErrorKind, Outcome, Rule, Severity, Status
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import (
    AlertRule,
    CheckDetail,
    EndpointState,
    HealthCheck,
    LatencyRollup,
    RequestRollup,
    ServiceEndpoint,
    StatusChangeRow,
    TrackedRoute,
)
from statusapp.queries.dashboard import list_cards, load_first_steps, load_service_figures
from statusapp.queries.dashboard_monitor import load_database_size, load_mutes
from statusapp.queries.dashboard_series import (
    cut,
    load_checks_series,
    load_hosts_series,
    load_requests_series,
)
from statusapp.queries.dashboard_service import get_service, list_last_checks
from statusapp.queries.metrics import list_hosts
from statusapp.services.metric_rollups import roll_up_metrics
from tests.queries.test_metrics import row, store
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
NOW = from_us(T0)


def add_service(name: str, status: Status = Status.OPERATIONAL, **columns: Any) -> int:
    """A service that was checked just now."""
    state = {"silent_after": T0 + HOUR, "status": status, "status_since": T0 - 2 * HOUR}
    state |= {key: columns.pop(key) for key in list(columns) if key in EndpointState.__table__.c}
    values = {"url": "http://127.0.0.1:1/", "created_at": NOW, "updated_at": NOW} | columns
    endpoint = ServiceEndpoint(name=name, **values)
    endpoint.state = EndpointState(**state)
    with write_transaction(db.session) as session:
        session.add(endpoint)
        session.flush()
        return endpoint.id


def check(endpoint_id: int, slot: int, outcome: Outcome = Outcome.OK, total_us: int = 100_000) -> dict[str, Any]:
    """One check."""
    kinds = {"kind": CheckKind.SCHEDULED, "error_kind": ErrorKind.NONE, "location": 0, "late_us": 0}
    return {"endpoint_id": endpoint_id, "slot": slot, "outcome": outcome, "total_us": total_us, **kinds}


def put(model: Any, *rows: dict[str, Any]) -> None:
    """Write rows."""
    with write_connection(db.engine) as connection:
        connection.execute(insert(model), list(rows))


def block(endpoint_id: int, start: int, count: int, failures: int = 0, step_s: int = HOUR_S) -> dict[str, Any]:
    """The sums of a block whose answers took a tenth of a second."""
    sums = {"sum_us": 100_000 * (count - failures), "histogram": b""}
    return {"endpoint_id": endpoint_id, "step_s": step_s, "start": start, "count": count, "failures": failures, **sums}


def test_figures_count_silence_as_unknown_and_pauses_apart(world: World) -> None:
    up = add_service("Up")
    add_service("Slow", Status.DEGRADED)
    add_service("Down", Status.MAJOR_OUTAGE)
    add_service("Silent", silent_after=T0 - 1)
    add_service("Paused", is_enabled=False)
    put(HealthCheck, *(check(up, T0 - number * MINUTE) for number in range(10)))
    found = load_service_figures(NOW)
    assert found.by_status == {
        Status.OPERATIONAL: 1,
        Status.DEGRADED: 1,
        Status.MAJOR_OUTAGE: 1,
        Status.UNKNOWN: 1,
    }
    assert (found.up, found.watched, found.paused) == (2, 4, 1)
    # Those of the last five minutes; the one that is due just now is not among them.
    assert found.checks_per_minute == 1.0


def test_cards_begin_with_what_is_down_and_have_a_day_of_hours(world: World) -> None:
    names = {"Well": Status.OPERATIONAL, "Down": Status.MAJOR_OUTAGE, "Slow": Status.DEGRADED}
    ids = {name: add_service(name, status) for name, status in names.items()}
    add_service("Paused", Status.MAJOR_OUTAGE, is_enabled=False)
    hour = floor_to(T0, HOUR_S)
    put(LatencyRollup, block(ids["Down"], hour, 10, 10), block(ids["Down"], hour - HOUR, 10, 2))
    cards = list_cards(NOW)
    assert [card.name for card in cards] == ["Down", "Slow", "Well", "Paused"]
    assert cards[0].response_us[-2:] == (100_000, None)
    assert cards[0].failures[-2:] == (2, 10)
    assert set(cards[1].response_us) == {None}
    assert [card.name for card in list_cards(NOW, limit=2)] == ["Down", "Slow"]


@pytest.mark.parametrize(
    ("length", "step_s", "points"),
    [
        (timedelta(hours=1), 300, 12),
        (timedelta(hours=24), HOUR_S, 24),
        (timedelta(days=7), 3 * HOUR_S, 56),
        (timedelta(days=90), 24 * HOUR_S, 90),
    ],
)
def test_a_range_is_cut_into_a_hundred_points_at_most(length: timedelta, step_s: int, points: int) -> None:
    found = cut(NOW - length, NOW)
    assert found.step_s == step_s
    # Widened to whole points.
    assert points <= len(found.starts) <= points + 1 <= 100


def test_an_hour_of_checks_is_read_from_the_checks(world: World) -> None:
    first, second = add_service("A"), add_service("B")
    paused, heartbeat = add_service("C", is_enabled=False), add_service("D", url="heartbeat:")
    at = floor_to(T0, 300) - 10 * MINUTE
    put(
        HealthCheck,
        check(first, at, total_us=100_000),
        check(second, at + MINUTE, total_us=300_000),
        check(first, at + 2 * MINUTE, Outcome.FAILED, 9_000_000),
        check(first, at + 3 * MINUTE, Outcome.INTERNAL_ERROR),
        check(paused, at, Outcome.FAILED),
        check(heartbeat, at, Outcome.FAILED),
    )
    found = load_checks_series(NOW - timedelta(hours=1), NOW)
    place = found.cut.edges.index(at)
    assert found.response_us[place] == 200_000
    assert found.error_percent[place] == pytest.approx(100 / 3)
    assert found.response_us[place + 1] is None
    assert found.error_percent[place + 1] is None


def test_longer_ranges_are_read_from_the_sums(world: World) -> None:
    key = add_service("A")
    hour = floor_to(T0, HOUR_S)
    put(LatencyRollup, block(key, hour, 4, 1), block(key, hour - HOUR, 10))
    for days in (1, 7, 30):
        found = load_checks_series(NOW - timedelta(days=days), NOW)
        sums = [value for value in found.error_percent if value is not None]
        # What is not summed up into longer blocks yet is taken from the hours.
        assert max(sums) == pytest.approx(25 if found.cut.step_s == HOUR_S else 100 / 14)
        assert [value for value in found.response_us if value] == [100_000] * len(sums)


def test_requests_of_a_range_by_point_and_by_route(world: World) -> None:
    put(TrackedRoute, *({"id": key, "service": "shop", "method": "GET", "route": f"/{key}"} for key in (1, 2)))
    at = floor_to(T0, 300) - 5 * MINUTE
    one = {"step_s": 300, "client_errors": 0, "slow": 0, "went_away": 0, "histogram": b"", "min_us": 1, "max_us": 1}
    put(
        RequestRollup,
        {"route_id": 1, "start": at, "count": 50, "failures": 5, "sum_us": 50, **one},
        {"route_id": 2, "start": at, "count": 100, "failures": 0, "sum_us": 100, **one},
        {"route_id": 2, "start": at - 48 * HOUR, "count": 9, "failures": 0, "sum_us": 9, **one},
    )
    for hours in (1, 24):
        found = load_requests_series(NOW - timedelta(hours=hours), NOW)
        assert [(route.route, route.sums.count) for route in found.routes] == [("/2", 100), ("/1", 50)]
        assert (found.overall.count, found.overall.failures) == (150, 5)
        assert sum(point.count for point in found.points) == 150
        assert 150 / (hours * 60 + 60) <= found.per_minute <= 150 / (hours * 60)
    last_hour = load_requests_series(NOW - timedelta(hours=1), NOW)
    assert last_hour.rates[last_hour.cut.edges.index(at)] == 30
    assert load_requests_series(NOW - timedelta(hours=72), NOW - timedelta(hours=60)).overall.count == 0


@pytest.mark.parametrize("hours", [1, 24, 24 * 7])
def test_hosts_over_a_range(world: World, hours: int) -> None:
    readings = [row(at, "a", cpu=20.0) for at in range(T0 - 3 * HOUR, T0, 10 * MINUTE)]
    store(*readings, row(T0 - MINUTE, "b", cpu=60.0))
    roll_up_metrics(NOW)
    found, hosts = load_hosts_series(NOW - timedelta(hours=hours), NOW)
    assert sorted(hosts) == ["a", "b"]
    assert {point.cpu for point in hosts["a"] if point} == {20.0}
    assert [point.cpu for point in hosts["b"] if point] == [60.0]
    assert all(len(points) == len(found.starts) for points in hosts.values())


def test_the_database_grows_from_reading_to_reading(world: World) -> None:
    assert load_database_size(list_hosts()) is None
    store(row(T0, details={"database_size_bytes": 900}), row(T0 - 24 * HOUR, details={"database_size_bytes": 400}))
    found = load_database_size(list_hosts())
    assert found is not None
    assert (found.size, found.grown_in_day, found.grown_in_week) == (900, 500, None)


def test_what_is_muted(world: World) -> None:
    for_good, over = add_service("A", is_muted=True), add_service("B", is_muted=True, muted_until=T0 - 1)
    rule = {"severity": Severity.WARNING, "is_muted": True}
    put(
        AlertRule,
        {"kind": AlertKind.DISK, "muted_until": T0 + HOUR, "endpoint_id": None, **rule},
        {"kind": AlertKind.CPU, "muted_until": None, "endpoint_id": over, **rule},
    )
    found = load_mutes(T0)
    assert found.services == {for_good: None}
    assert found.kinds == {AlertKind.DISK: T0 + HOUR}


def test_one_service_with_the_rule_that_counts_and_its_last_checks(world: World) -> None:
    key = add_service("A", Status.MAJOR_OUTAGE, retries=1)
    change = {"endpoint_id": key, "previous": Status.UNKNOWN, "recorded_at": T0, "superseded": False}
    put(
        StatusChangeRow,
        {
            "status": Status.MAJOR_OUTAGE,
            "started_at": T0 - HOUR,
            "rule": Rule.FAILED_IN_A_ROW,
            "reason": "HTTP 502",
            **change,
        },
    )
    put(HealthCheck, *(check(key, T0 - number * MINUTE, Outcome.FAILED) for number in range(30)))
    put(CheckDetail, {"endpoint_id": key, "location": 0, "slot": T0, "error": "HTTP 502", "data": {"dns": {}}})
    found = get_service(key, NOW)
    assert (found.status, found.rule, found.reason) == (Status.MAJOR_OUTAGE, Rule.FAILED_IN_A_ROW, "HTTP 502")
    checks = list_last_checks(key)
    assert [one.slot for one in checks[:2]] == [T0, T0 - MINUTE]
    assert len(checks) == 20
    assert (checks[0].error, checks[0].detail, checks[1].error) == ("HTTP 502", {"dns": {}}, None)
    silent = get_service(key, from_us(T0 + 2 * HOUR))
    assert (silent.status, silent.rule, silent.reason) == (Status.UNKNOWN, Rule.NOT_CHECKED, None)
    assert silent.since == from_us(T0 + HOUR)
    with pytest.raises(NotFound):
        get_service(key + 1, NOW)


def test_first_steps_of_an_empty_installation(world: World) -> None:
    steps = load_first_steps()
    assert (steps.has_service, steps.has_channel, steps.is_styled, steps.are_done) == (False, False, False, False)
    add_service("A")
    assert load_first_steps().has_service
