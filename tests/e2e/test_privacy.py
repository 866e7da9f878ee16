"""A secret in every place of real requests to the running product is in no table, no log and no key of Redis."""

from __future__ import annotations

import base64
import http.client
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from redis import Redis

from statusapp.redis_address import socket_path
from tests.instance import Instance, wait_for

pytestmark = pytest.mark.e2e
SECRET = "CANARY7f3a9c21"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = base64.b64encode(f"bob:{SECRET}".encode()).decode()
BOUNDARY = "b0undary"
NAMED = f'Content-Disposition: form-data; name="file"; filename="{SECRET}.txt"'
PART = f"--{BOUNDARY}\r\n{NAMED}\r\n\r\nx\r\n--{BOUNDARY}--\r\n"

# Method, address, headers, body: the twelve places that a secret gets into.
REQUESTS: dict[str, tuple[str, str, dict[str, str], str | None]] = {
    "query": ("GET", f"/health/status-page/?token={SECRET}", {}, None),
    "path": ("GET", f"/nothing/{SECRET}/here", {}, None),
    "header": ("GET", "/health/", {"X-Api-Key": SECRET}, None),
    "cookie": ("GET", "/health/", {"Cookie": f"session={SECRET}"}, None),
    "bearer token": ("GET", "/health/api/overview/", {"Authorization": f"Bearer {SECRET}"}, None),
    "basic authentication": ("GET", "/health/api/overview/", {"Authorization": f"Basic {BASIC}"}, None),
    "referrer": ("GET", "/health/", {"Referer": f"https://shop.example/?code={SECRET}"}, None),
    "user agent": ("GET", "/health/", {"User-Agent": f"{SECRET}/1.0 ({SECRET})"}, None),
    "request id": ("GET", "/health/", {"X-Request-ID": f"{SECRET} {SECRET}"}, None),
    "form": ("POST", "/auth/login", FORM, f"email={SECRET}@shop.example&password={SECRET}"),
    "json": ("POST", "/api/v1/auth/login/", {"Content-Type": "application/json"}, f'{{"password": "{SECRET}"}}'),
    "file name": ("POST", "/auth/login", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, PART),
    "address before a proxy": ("GET", "/health/", {"X-Forwarded-For": SECRET}, None),
}


@pytest.fixture
def instance() -> Iterator[Instance]:
    """An installation that logs all it has to say, and checks nothing."""
    instance = Instance(LOG_LEVEL="DEBUG", TRACK_REQUESTS="true")
    instance.prepare(
        "from statusapp.extensions import db\nfrom statusapp.database import write_connection\n"
        "with write_connection(db.engine) as connection:\n"
        "    connection.exec_driver_sql('DELETE FROM service_endpoint')"
    )
    instance.start()
    yield instance
    instance.remove()


def send(instance: Instance, method: str, address: str, headers: dict[str, str], body: str | None) -> int:
    """One request as it is written here; the status of its answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", instance.port, timeout=10)) as connection:
        connection.request(method, address, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def everything_stored(instance: Instance) -> Iterator[tuple[str, str]]:
    """Every value of every table."""
    with closing(sqlite3.connect(instance.database)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield table, repr(row)


def everything_in_redis(instance: Instance) -> Iterator[tuple[str, str]]:
    """Every key and what stands under it."""
    with Redis(unix_socket_path=str(socket_path(instance.folder))) as client:
        for key in client.scan_iter():
            yield key.decode(errors="replace"), repr(client.dump(key))


def test_a_secret_in_any_place_of_a_request_is_stored_nowhere(instance: Instance) -> None:
    statuses = {place: send(instance, *request) for place, request in REQUESTS.items()}
    assert all(200 <= status < 500 for status in statuses.values()), statuses
    posted = (
        "SELECT COUNT(*) FROM api_request_log JOIN tracked_route ON tracked_route.id = route_id WHERE method = 'POST'"
    )
    wait_for(lambda: instance.rows(posted)[0][0] >= 3, 40)
    found = [
        name
        for name, text in (*everything_stored(instance), *everything_in_redis(instance), ("log", instance.log))
        if SECRET.lower() in text.lower()
    ]
    assert found == []
    # Not for want of looking: what may be kept of the same requests is there.
    assert ("/health/status-page/", 200) in set(
        instance.rows("SELECT route, status FROM api_request_log JOIN tracked_route ON tracked_route.id = route_id")
    )


def test_what_cannot_be_stored_while_redis_is_away_is_counted_and_shown(instance: Instance) -> None:
    (server,) = instance.named("redis-server")
    server.suspend()
    try:
        until = time.monotonic() + 8
        sent = 0
        while time.monotonic() < until:
            assert send(instance, "GET", "/health/live", {}, None) == 200
            sent += 1
    finally:
        server.resume()
    told = (
        "SELECT (SELECT COALESCE(SUM(count), 0) FROM request_rollup JOIN tracked_route ON tracked_route.id = route_id "
        "WHERE route = '/health/live' AND step_s = 300), (SELECT COALESCE(SUM(dropped), 0) FROM request_loss)"
    )
    # Nothing is lost silently: each is stored or counted as lost.
    wait_for(lambda: sum(instance.rows(told)[0]) >= sent, 60)
