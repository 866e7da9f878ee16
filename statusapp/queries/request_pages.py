"""Which requests stand on a page of the log: by whatever it is narrowed, no page takes longer as the log grows.

A plan that a database would choose by itself reads the log backwards until there are enough that fit, which takes its
whole length when few or none do. So what is looked for is looked for along an index that holds little else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column, or_, select, text, true, union_all

from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import RequestLog, TrackedRoute
from statusapp.queries.request_sums import ALL_ROUTES, RouteFilter

# SQLite puts no more than 500 selects together.
MOST_TOGETHER = 200
# So many of the next requests are looked through before each route is: the page of what is usual is among the first
# few, and that of what is one in a hundred among the others.
NEXT_ONES = (1500, 15_000)
USUAL_STATUS = 200
# As the indexes of a part of the log have them: written out, so that both databases see that they fit.
_IS_SLOW: tuple[Any, ...] = (literal_column("api_request_log.is_slow"), RequestLog.is_slow == true())
_IS_UNUSUAL: ColumnElement[bool] = literal_column("api_request_log.status <> 200")
# With a sign before it, so that SQLite does not look along the index of routes, which is the longer way here.
_ROUTE: Any = literal_column("+api_request_log.route_id")
_NEXT_STATUS = (
    "SELECT status FROM api_request_log WHERE status <> 200 AND status > {after} AND status <= :high "
    "ORDER BY status LIMIT 1"
)
# From one to the next along the index: that is as many steps as there are different ones.
_STATUSES = text(f"""
WITH RECURSIVE seen(status) AS (
    SELECT ({_NEXT_STATUS.format(after=":low - 1")})
    UNION ALL
    SELECT ({_NEXT_STATUS.format(after="seen.status")}) FROM seen WHERE seen.status IS NOT NULL
)
SELECT status FROM seen WHERE status IS NOT NULL
""")  # noqa: S608

Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests are looked at. `status` is a code, or the first digit of one for all of its class."""

    start: datetime
    end: datetime
    routes: RouteFilter = ALL_ROUTES
    status: int | None = None
    user: str | None = None
    error_id: int | None = None
    slow_only: bool = False

    @property
    def statuses(self) -> tuple[int, int] | None:
        """The lowest and the highest status that is wanted; None for all."""
        if self.status is None:
            return None
        return (self.status * 100, self.status * 100 + 99) if self.status < 10 else (self.status, self.status)


@dataclass(frozen=True, slots=True)
class _Search:
    """A page that is looked for: its conditions but for route and status, how many, and in which order."""

    conditions: tuple[Any, ...]
    limit: int
    is_ascending: bool

    def select(self, *more: Any) -> Select[Any]:
        """The time and the id of those of the page that also fit `more`."""
        log = RequestLog
        return self.ordered(select(log.at, log.id).where(*self.conditions, *more), log.at, log.id).limit(self.limit)

    def ordered(self, statement: Any, *columns: Any) -> Select[Any]:
        """A statement in the order of the page."""
        found: Select[Any] = statement.order_by(*(one.asc() if self.is_ascending else one.desc() for one in columns))
        return found

    def run(self, statement: Select[Any]) -> list[tuple[int, int]]:
        """What a statement finds."""
        return [(at, key) for at, key in db.session.execute(statement)]

    def merged(self, parts: Sequence[Select[Any]]) -> list[tuple[int, int]]:
        """The first ones of several searches together."""
        found: list[tuple[int, int]] = []
        for chunk in _chunks(parts):
            if len(chunk) == 1:
                found += self.run(chunk[0])
                continue
            whole = union_all(*(select(part.subquery()) for part in chunk)).subquery()
            found += self.run(self.ordered(select(whole.c.at, whole.c.id), whole.c.at, whole.c.id).limit(self.limit))
        return sorted(found, reverse=not self.is_ascending)[: self.limit]


def find_ids(wanted: RequestFilter, limit: int, behind: Place | None, *, is_ascending: bool) -> list[int]:
    """The ids of the requests of a page, in its order.

    Args:
        behind: time and id of the last request of the page before.
    """
    log = RequestLog
    route_ids = _route_ids(wanted.routes)
    if route_ids == []:
        return []
    conditions = _times(wanted, behind, is_ascending)
    if wanted.user is not None:
        conditions.append(log.user_id == wanted.user)
    if wanted.error_id is not None:
        conditions.append(log.error_id == wanted.error_id)
    if wanted.slow_only:
        conditions += _IS_SLOW
    return [key for _, key in _find(_Search(tuple(conditions), limit, is_ascending), wanted, route_ids)]


def _find(search: _Search, wanted: RequestFilter, route_ids: list[int] | None) -> list[tuple[int, int]]:
    log, statuses = RequestLog, wanted.statuses
    more = [] if route_ids is None else [_ROUTE.in_(route_ids)]
    has_own_index = wanted.user is not None or wanted.error_id is not None or wanted.slow_only
    if statuses is not None and not has_own_index and not statuses[0] <= USUAL_STATUS <= statuses[1]:
        each = _known_statuses(*statuses)
        return search.merged([search.select(_IS_UNUSUAL, log.status == status, *more) for status in each])
    within = [] if statuses is None else [log.status >= statuses[0], log.status <= statuses[1]]
    if route_ids is None or has_own_index:
        return search.run(search.select(*within, *more))
    for count in NEXT_ONES if len(route_ids) > 1 else ():
        found = _among_next(search, count, statuses, route_ids)
        if len(found) == search.limit or not _goes_on(search, count):
            return found
    return search.merged([search.select(log.route_id == route_id, *within) for route_id in route_ids])


def _among_next(
    search: _Search, count: int, statuses: tuple[int, int] | None, route_ids: list[int]
) -> list[tuple[int, int]]:
    """Those that fit of the next `count` requests."""
    log = RequestLog
    following = search.ordered(select(log.at, log.id, log.route_id, log.status), log.at, log.id)
    near = following.where(*search.conditions).limit(count).subquery().c
    fitting = [near.route_id.in_(route_ids)]
    if statuses is not None:
        fitting.append(near.status.between(*statuses))
    return search.run(search.ordered(select(near.at, near.id).where(*fitting), near.at, near.id).limit(search.limit))


def _goes_on(search: _Search, count: int) -> bool:
    """Whether there are more than `count` requests from here on."""
    log = RequestLog
    beyond = search.ordered(select(log.id).where(*search.conditions), log.at, log.id).offset(count).limit(1)
    return db.session.execute(beyond).first() is not None


def _times(wanted: RequestFilter, behind: Place | None, is_ascending: bool) -> list[Any]:
    """The conditions on times: one on either side, for SQLite enters an index by one of them only."""
    log, low, high = RequestLog, to_us(wanted.start), to_us(wanted.end) - 1
    if behind is None:
        return [log.at >= low, log.at <= high]
    at, key = to_us(behind[0]), behind[1]
    if is_ascending:
        return [log.at >= max(low, at), log.at <= high, or_(log.at != at, log.id > key)]
    return [log.at >= low, log.at <= min(high, at), or_(log.at != at, log.id < key)]


def _route_ids(wanted: RouteFilter) -> list[int] | None:
    """The ids themselves, so that the database knows how many there are; None for all routes."""
    conditions = wanted.conditions()
    return list(db.session.scalars(select(TrackedRoute.id).where(*conditions))) if conditions else None


def _known_statuses(low: int, high: int) -> list[int]:
    """The statuses of the log from `low` to `high`."""
    return [low] if low == high else list(db.session.scalars(_STATUSES, {"low": low, "high": high}))


def _chunks(parts: Sequence[Select[Any]]) -> Iterator[list[Select[Any]]]:
    left = iter(parts)
    while chunk := list(islice(left, MOST_TOGETHER)):
        yield chunk
