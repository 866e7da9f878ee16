"""The queries of the request log over many requests: `python -m benchmarks.tracking queries` runs it in an instance of
its own; prints a line of JSON per query with its milliseconds (the worst of five calls, and the first one).
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from config import load_settings
from statusapp import create_app
from statusapp.clock import utcnow
from statusapp.database import write_connection
from statusapp.domain.enums import ClientKind
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.queries.request_sums import (
    RouteFilter,
    list_clients,
    load_traffic,
    load_traffic_series,
    slowest_first,
)
from statusapp.queries.requests import RequestFilter, list_errors, list_requests
from statusapp.services.request_rollups import roll_up_requests
from statusapp.services.request_writing import RequestWriter
from statusapp.tracking.fields import Record
from statusapp.tracking.wire import Batch

DAYS = 14
ROUTES = 50
USERS = 5000
BATCHES_AT_ONCE = 100
DAY_US = 86_400_000_000


def main(count: int) -> None:
    """Fill the instance that the environment names, and ask."""
    with create_app(load_settings()).app_context():
        now = utcnow()
        began = time.monotonic()
        fill(count, now)
        roll_up_requests(now)
        if db.engine.dialect.name == "postgresql":
            with write_connection(db.engine) as connection:
                connection.exec_driver_sql("ANALYZE")
        print(json.dumps({"filled_s": time.monotonic() - began}), flush=True)
        for name, ask in questions(now).items():
            times = []
            for _ in range(5):
                db.session.remove()
                started = time.perf_counter()
                ask()
                times.append((time.perf_counter() - started) * 1000)
            print(json.dumps({"name": name, "first": times[0], "worst": max(times[1:])}), flush=True)


def fill(count: int, now: datetime) -> None:
    """Write so many requests of the last two weeks, through the product's own writer."""
    chance = random.Random(1)
    writer = RequestWriter(1_000_000, "a secret of the benchmark", to_us(now))
    start, step = to_us(now) - DAYS * DAY_US, DAYS * DAY_US // count
    batch: list[Record] = []
    waiting: list[Batch] = []
    pool = [record(chance) for _ in range(20_000)]
    for number in range(count):
        batch.append(pool[number % len(pool)]._replace(started_us=start + number * step))
        if len(batch) == 500:
            waiting.append(Batch("shop", "web-1", 0, batch))
            batch = []
        if len(waiting) == BATCHES_AT_ONCE:
            with write_connection(db.engine) as connection:
                writer.write(connection, waiting)
            waiting = []


def record(chance: random.Random) -> Record:
    """A request as a shop has them."""
    draw = chance.random()
    status = 500 if draw < 0.004 else 404 if draw < 0.03 else 200
    method = chance.choices(("GET", "POST", "DELETE"), (90, 9, 1))[0]
    user = f"u{chance.randrange(USERS)}" if chance.random() < 0.3 else ""
    address = f"203.0.{chance.randrange(250)}.0"
    duration = min(round(chance.lognormvariate(10.5, 1.1)), 60_000_000)
    mark = f"{chance.randrange(30):016x}" if status == 500 else ""
    error = ("KeyError", "a key", mark) if mark else ("", "", "")
    route = f"/things/{chance.randrange(ROUTES)}/<id>"
    return Record(0, method, route, status, duration, 0, 2000, user, address, "Firefox/128 Linux", *error, "", 0, 1.0)


def questions(now: datetime) -> dict[str, Callable[[], object]]:
    """Each query of the request log, over a day and over all two weeks."""
    asked: dict[str, Callable[[], object]] = {}
    for name, length in (("24 h", timedelta(days=1)), ("14 days", timedelta(days=DAYS))):
        start = now - length

        def add(title: str, ask: Callable[[datetime], object], start: datetime = start, name: str = name) -> None:
            asked[f"{title}, {name}"] = lambda: ask(start)

        add("requests a minute, errors, percentiles by route", lambda start: load_traffic(start, now))
        add("slowest routes", lambda start: slowest_first(load_traffic(start, now), 20))
        add("the same of one route", lambda start: load_traffic(start, now, RouteFilter(route="/things/7/<id>")))
        add("series", lambda start: load_traffic_series(start, now))
        add("newest errors, grouped", lambda start: list_errors(start, now))
        add("users", lambda start: list_clients(ClientKind.USER, start, now))
        add("addresses", lambda start: list_clients(ClientKind.ADDRESS, start, now))
        add("newest requests", lambda start: list_requests(RequestFilter(start, now)))
        for title, values in (
            ("of a route", {"routes": RouteFilter(route="/things/7/<id>")}),
            ("by DELETE", {"routes": RouteFilter(method="DELETE")}),
            ("with status 500", {"status": 500}),
            ("with status 4xx", {"status": 4}),
            ("of a user", {"user": "u77"}),
            ("that were slow", {"slow_only": True}),
            ("slow ones of a user", {"user": "u77", "slow_only": True}),
            ("of an error", {"error_id": 1}),
        ):
            add(
                f"requests {title}",
                lambda start, values=values: list_requests(RequestFilter(start, now, **values)),  # type: ignore[misc, arg-type]
            )
    return asked


if __name__ == "__main__":
    main(int(sys.argv[1]))
