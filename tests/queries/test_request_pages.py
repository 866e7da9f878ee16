"""Pages of the request log, however it is narrowed, are those of a plain search through all of it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from statusapp.database import write_transaction
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import RequestLog, TrackedHost, TrackedRoute
from statusapp.queries.admin_requests import page_of_requests
from statusapp.queries.paging import Wanted
from statusapp.queries.request_pages import MOST_TOGETHER
from statusapp.queries.request_sums import RouteFilter
from tests.world import T0, World

NOW = from_us(T0)
Row = dict[str, Any]


def plant(chance: random.Random, routes: int, count: int) -> list[Row]:
    """A log; of each request what it can be narrowed by."""
    known = [{"id": key, "service": "shop" if key % 3 else "till", "method": chance.choice(("GET", "DELETE")),
              "route": f"/things/{key}"} for key in range(1, routes + 1)]  # fmt: skip
    rest = {"host_id": 1, "duration_us": 5, "is_probe": False, "went_away": False, "weight": 1.0}
    rows = [
        {
            # Some at the same microsecond.
            "at": T0 - chance.randrange(1, 500) * 1_000_000,
            "route_id": chance.randrange(1, routes + 1),
            "status": chance.choice((0, 200, 200, 200, 204, 302, 404, 404, 422, 500, 503)),
            "user_id": chance.choice((None, "u1", "u2")),
            "error_id": chance.choice((None, None, 1)),
            "is_slow": chance.random() < 0.1,
            **rest,
        }
        for _ in range(count)
    ]
    with write_transaction(db.session) as session:
        session.execute(insert(TrackedHost), [{"id": 1, "name": "web-1"}])
        session.execute(insert(TrackedRoute), known)
        session.execute(insert(RequestLog), rows)
    by_id = {route["id"]: route for route in known}
    stored = db.session.query(RequestLog.id, RequestLog.at, *(getattr(RequestLog, name) for name in rows[0])).all()
    db.session.rollback()
    return [{**row._asdict(), "of": by_id[row.route_id]} for row in stored]


def fits(row: Row, given: Row) -> bool:
    """Whether a request is one of those that are wanted."""
    status, route = given.get("status"), given.get("route") or RouteFilter()
    return (
        (status is None or (row["status"] // 100 == status if status < 10 else row["status"] == status))
        and given.get("user") in (None, row["user_id"])
        and given.get("error") in (None, row["error_id"])
        and (not given.get("slow") or row["is_slow"])
        and given.get("method") in (None, row["of"]["method"])
        and route.service in (None, row["of"]["service"])
        and route.route in (None, row["of"]["route"])
        and to_us(given["since"]) <= row["at"] < to_us(given["until"])
    )


def walk(wanted: Wanted) -> tuple[list[int], list[int]]:
    """The ids of all pages from the first on, and of all from the last one back."""
    forward, last, key = [], None, None
    while True:
        page = page_of_requests(Wanted(**wanted_values(wanted), key=key), NOW)
        forward += [row.id for row in page.rows]
        last = (page.rows[-1].at, page.rows[-1].id) if page.rows else last
        key = page.after
        if key is None:
            break
    backward = [] if last is None else [last[1]]
    key = last
    while key is not None:
        page = page_of_requests(Wanted(**wanted_values(wanted), key=key, backward=True), NOW)
        backward = [row.id for row in page.rows] + backward
        key = page.before
    return forward, backward


def wanted_values(wanted: Wanted) -> Row:
    return {name: getattr(wanted, name) for name in ("sort", "descending", "filters", "limit")}


@pytest.fixture(autouse=True)
def _few_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a log of some hundred requests is a long one."""
    monkeypatch.setattr("statusapp.queries.request_pages.NEXT_ONES", (30, 90))


@pytest.mark.parametrize(("routes", "searches"), [(7, 24), (MOST_TOGETHER + 20, 6)])
def test_pages_are_those_of_a_plain_search(world: World, routes: int, searches: int) -> None:
    chance = random.Random(routes)
    rows = plant(chance, routes, 400)
    for number in range(searches):
        given: Row = {"since": NOW - timedelta(hours=1), "until": NOW}
        if chance.random() < 0.2:
            given |= {"since": NOW - timedelta(seconds=400), "until": NOW - timedelta(seconds=100)}
        choices: Row = {
            "status": chance.choice((200, 404, 503, 418, 2, 3, 4, 5)),
            "user": chance.choice(("u1", "nobody")),
            "error": 1,
            "slow": True,
            "method": chance.choice(("GET", "DELETE", "BREW")),
            "route": chance.choice((RouteFilter("shop"), RouteFilter("till"), RouteFilter(route="/things/1"))),
        }
        given |= {name: choices[name] for name in chance.sample(sorted(choices), chance.randrange(4))}
        descending = bool(number % 2)
        fitting = [(row["at"], row["id"]) for row in rows if fits(row, given)]
        ids = [key for _, key in sorted(fitting, reverse=descending)]
        found = walk(Wanted("time", descending, filters=given, limit=chance.choice((17, 50, 300))))
        assert found == (ids, ids), given
