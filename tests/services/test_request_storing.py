"""Requests from the stream into the database: once each, with sums that say what the rows say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from config import Settings
from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import ClientKind
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import redis_connection
from statusapp.queries.request_sums import (
    RouteFilter,
    list_clients,
    load_traffic,
    load_traffic_series,
    slowest_first,
)
from statusapp.queries.requests import (
    RequestFilter,
    list_errors,
    list_new_errors,
    list_requests,
    load_losses,
)
from statusapp.queries.watermarks import REQUESTS, complete_until
from statusapp.services import retention
from statusapp.services.request_rollups import roll_up_requests
from statusapp.services.request_storing import store_requests
from statusapp.tracking.fields import PROBE, WENT_AWAY, Record
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, Batch, encode_batch
from tests.conftest import settings_for
from tests.redis_process import run_redis
from tests.world import MINUTE, T0, World

HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = from_us(T0)


@pytest.fixture
def settings(tmp_path: Path, settings: Settings) -> Iterator[Settings]:
    """Settings of an instance whose Redis runs."""
    with run_redis(tmp_path) as url:
        environment = {} if settings.uses_sqlite else {"DATABASE_URL": settings.database_url}
        yield settings_for(settings.instance_path, REDIS_URL=url, **environment)


@pytest.fixture
def stream(app: Flask) -> Redis:
    """The Redis that the stream is in."""
    return redis_connection()


def record(at: int = T0 - MINUTE, **values: object) -> Record:
    """A request that went well."""
    usual = Record(at, "GET", "/things/<id>", 200, 5000, 0, 900, "", "", "", "", "", "", "", 0, 1.0)
    return usual._replace(**values)  # type: ignore[arg-type]


def send(stream: Redis, *records: Record, service: str = "shop", dropped: int = 0, number: str = "") -> None:
    """What a host application does."""
    document = encode_batch(Batch(service, "web-1", dropped, records, number))
    stream.xadd(STREAM_KEY, {STREAM_FIELD: document})


def test_a_request_is_kept_as_it_was_reported(world: World, stream: Redis) -> None:
    send(
        stream,
        record(user="42", address="192.0.2.0", agent="Firefox/128 Linux", request_id="abcdefgh", duration_us=1_500_000),
        record(T0 - 2 * MINUTE, method="POST", route="/pay", status=0, flags=WENT_AWAY),
    )
    assert store_requests(NOW) == "2 requests"
    newest, other = list_requests(RequestFilter(NOW - timedelta(hours=1), NOW))
    assert (newest.service, newest.host, newest.method, newest.route) == ("shop", "web-1", "GET", "/things/<id>")
    assert (newest.user, newest.address, newest.user_agent) == ("42", "192.0.2.0", "Firefox/128 Linux")
    assert (newest.request_id, newest.is_slow, newest.response_size) == ("abcdefgh", True, 900)
    assert (other.status, other.went_away, other.user, other.is_slow) == (0, True, None, False)
    assert stream.xlen(STREAM_KEY) == 0


def test_a_batch_that_comes_twice_counts_once(world: World, stream: Redis) -> None:
    for _ in range(2):
        send(stream, record(), dropped=3, number="a" * 32)
        store_requests(NOW)
    send(stream, record(), number="b" * 32)
    store_requests(NOW)
    assert world.scalar("SELECT COUNT(*) FROM api_request_log") == 2
    assert load_traffic(NOW - timedelta(hours=1), NOW).overall.count == 2
    assert load_losses().dropped == 3


def test_rubbish_in_the_stream_is_counted_and_stops_nothing(world: World, stream: Redis) -> None:
    stream.xadd(STREAM_KEY, {STREAM_FIELD: b"rubbish"})
    stream.xadd(STREAM_KEY, {b"another": b"field"})
    send(stream, record())
    assert store_requests(NOW) == "1 requests"
    losses = load_losses()
    assert (losses.unreadable, losses.dropped, losses.last_at) == (2, 0, NOW)


def test_without_redis_the_task_says_so_and_goes_on(world: World, stream: Redis, tmp_path: Path) -> None:
    stream.shutdown(nosave=True)
    assert store_requests(NOW).startswith("0 requests, then Redis was away")


def test_our_own_probes_are_kept_and_counted_nowhere(world: World, stream: Redis) -> None:
    send(stream, record(flags=PROBE, user="1"), record())
    store_requests(NOW)
    assert load_traffic(NOW - timedelta(hours=1), NOW).overall.count == 1
    assert list_clients(ClientKind.USER, NOW - timedelta(hours=1), NOW) == []
    assert [row.is_probe for row in list_requests(RequestFilter(NOW - timedelta(hours=1), NOW))].count(True) == 1


@pytest.mark.parametrize("seed", range(2))
def test_sums_over_any_span_are_those_of_the_requests(world: World, stream: Redis, seed: int) -> None:
    chance = random.Random(seed)
    sent: list[Record] = []
    now = T0 - 2 * DAY
    while now < T0:
        now = min(now + chance.randrange(20 * MINUTE, 6 * HOUR), T0)
        batch = [
            record(
                # Some come hours after they were made.
                now - chance.randrange(1, 5 * HOUR if chance.random() < 0.1 else 10 * MINUTE),
                route=chance.choice(("/a", "/b")),
                status=chance.choice((200, 200, 200, 404, 500)),
                duration_us=chance.randrange(1000, 2_000_000),
                address=chance.choice(("192.0.2.0", "198.51.100.0")),
            )
            for _ in range(chance.randrange(1, 30))
        ]
        sent += batch
        send(stream, *batch)
        store_requests(from_us(now))
        if chance.random() < 0.7:
            roll_up_requests(from_us(now))
    roll_up_requests(NOW)
    assert complete_until(REQUESTS)[0] > T0 - 2 * HOUR
    for length in (30 * MINUTE, 5 * HOUR, 30 * HOUR, 2 * DAY):
        start = floor_to(T0 - length, 300)
        found = load_traffic(from_us(start), from_us(T0 + MINUTE))
        members = [item for item in sent if item.started_us >= start]
        assert found.overall.count == len(members)
        assert found.overall.failures == sum(item.status == 500 for item in members)
        assert found.overall.client_errors == sum(item.status == 404 for item in members)
        assert found.overall.slow == sum(item.duration_us >= 1_000_000 for item in members)
        assert found.overall.sum_us == sum(item.duration_us for item in members)
        if members:
            ranked = sorted(item.duration_us for item in members)
            assert (found.overall.min_us, found.overall.max_us) == (ranked[0], ranked[-1])
        points = load_traffic_series(from_us(start), from_us(T0 + MINUTE))
        assert len(points) <= 300
        step = to_us(points[1].start) - to_us(points[0].start)
        for point in points:
            first = to_us(point.start)
            inside = [item for item in sent if first <= item.started_us < first + step]
            assert point.count == len(inside)
            assert (point.p50_us is None) == (not inside)
    only_a = load_traffic(from_us(T0 - 2 * DAY), from_us(T0 + MINUTE), RouteFilter(route="/a"))
    assert [route.route for route in only_a.routes] == ["/a"]
    assert only_a.overall.count == sum(item.route == "/a" for item in sent if item.started_us >= T0 - 2 * DAY)
    clients = list_clients(ClientKind.ADDRESS, from_us(T0 - 3 * DAY), from_us(T0 + HOUR))
    assert sum(client.count for client in clients) == len(sent)
    # A chart of all routes is read from their sums together, and from those of single routes where these are missing.
    series = load_traffic_series(from_us(T0 - 2 * DAY), from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM request_rollup WHERE route_id = 0") > 20
    world.execute("DELETE FROM request_rollup WHERE route_id = 0")
    assert load_traffic_series(from_us(T0 - 2 * DAY), from_us(T0)) == series


def test_errors_are_grouped_with_their_clients(world: World, stream: Redis) -> None:
    error = {"status": 500, "error_class": "KeyError", "fingerprint": "0123456789abcdef"}
    for number in range(37):
        at = T0 - 40 * MINUTE + number * MINUTE
        send(stream, record(at, address=f"192.0.{number % 12}.0", error_message=f"try {number}", **error))
    store_requests(NOW)
    (group,) = list_errors(NOW - timedelta(hours=1), NOW)
    assert (group.count, group.clients, group.error_class, group.message) == (37, 12, "KeyError", "try 36")
    assert to_us(group.first_at) == T0 - 40 * MINUTE
    assert list_new_errors(NOW - timedelta(minutes=30), NOW) == []
    assert len(list_new_errors(NOW - timedelta(hours=1), NOW)) == 1
    assert len(list_requests(RequestFilter(NOW - timedelta(hours=1), NOW, error_id=group.id))) == 37


def test_filters_and_pages(world: World, stream: Redis) -> None:
    for number in range(30):
        status = (200, 404, 503)[number % 3]
        send(stream, record(T0 - number * SECOND - 1, status=status, user=f"u{number % 2}", method="GET"))
    send(stream, record(T0 - 100 * SECOND, method="DELETE", duration_us=3_000_000))
    store_requests(NOW)
    everything = RequestFilter(NOW - timedelta(hours=1), NOW)
    page = list_requests(everything, limit=10)
    seen = [row.id for row in page]
    while page:
        page = list_requests(everything, limit=10, behind=(page[-1].at, page[-1].id))
        seen += [row.id for row in page]
    assert len(seen) == len(set(seen)) == 31

    def count(**values: object) -> int:
        return len(list_requests(RequestFilter(NOW - timedelta(hours=1), NOW, **values)))  # type: ignore[arg-type]

    assert (count(status=503), count(status=5), count(status=4), count(user="u1")) == (10, 10, 10, 15)
    assert (count(slow_only=True), count(routes=RouteFilter(method="DELETE")), count(status=5, user="u0")) == (1, 1, 5)
    assert count(routes=RouteFilter(service="nobody")) == 0


@pytest.mark.parametrize("routes", [3, 230])
def test_the_newest_of_many_routes_come_in_order_page_by_page(world: World, stream: Redis, routes: int) -> None:
    sent = [record(T0 - 1 - number * 1000, route=f"/things/{number % routes}") for number in range(2 * routes)]
    send(stream, *sent, record(T0 - 1, method="DELETE"))
    store_requests(NOW)
    gets = RequestFilter(NOW - timedelta(hours=1), NOW, RouteFilter(method="GET"))
    page = list_requests(gets, limit=4)
    seen = list(page)
    while page:
        page = list_requests(gets, limit=4, behind=(page[-1].at, page[-1].id))
        seen += page
    assert [to_us(request.at) for request in seen] == [item.started_us for item in sent]


def test_a_routes_own_threshold_decides_what_is_slow(world: World, stream: Redis) -> None:
    send(stream, record(duration_us=200_000))
    store_requests(NOW)
    world.execute("UPDATE tracked_route SET slow_ms = 100")
    send(stream, record(duration_us=200_000))
    store_requests(NOW)
    traffic = load_traffic(NOW - timedelta(hours=1), NOW)
    assert (traffic.overall.slow, traffic.routes[0].slow_us) == (1, 100_000)
    assert [route.route for route in slowest_first(traffic)] == ["/things/<id>"]


def test_what_is_too_old_goes(world: World, stream: Redis) -> None:
    for days in (91, 15, 1):
        mark = f"{days:016x}"
        send(stream, record(T0 - days * DAY, status=500, error_class="E", fingerprint=mark, address="192.0.2.0"))
    store_requests(NOW)
    roll_up_requests(NOW)
    report = retention.clean_up(NOW)
    assert "2 requests" in report
    assert "1 groups of errors" in report
    assert world.scalar("SELECT COUNT(*) FROM api_request_log") == 1
    assert world.scalar("SELECT COUNT(*) FROM request_error") == 2
    assert world.scalar("SELECT COUNT(*) FROM request_error_client") == 2
    assert world.scalar("SELECT MIN(start) FROM request_rollup") >= floor_to(T0 - 91 * DAY, HOUR_S) + DAY
    assert world.scalar("SELECT COUNT(*) FROM request_client") == 2
    assert world.scalar("SELECT COUNT(*) FROM request_client_day") == 2


def test_a_stranger_cannot_make_routes_without_end(
    world: World, stream: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statusapp.services.request_names.MOST_ROUTES", 5)
    send(stream, *(record(route=f"/r{number}") for number in range(20)))
    store_requests(NOW)
    assert world.scalar("SELECT COUNT(*) FROM tracked_route") == 6
    assert load_traffic(NOW - timedelta(hours=1), NOW).overall.count == 20
