"""Single requests and their errors, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union_all

from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import RequestError, RequestLog, RequestLoss, TrackedHost, TrackedRoute
from statusapp.queries.request_sums import ALL_ROUTES, RouteFilter

# SQLite puts no more than 500 selects together.
MOST_ROUTES_APART = 200


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


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request. Durations are microseconds, sizes bytes."""

    id: int
    at: datetime
    service: str
    host: str
    method: str
    route: str
    status: int
    duration_us: int
    request_size: int | None
    response_size: int | None
    user: str | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    error_message: str | None
    is_slow: bool
    is_probe: bool
    went_away: bool


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one class from one place: "first seen 14:02, 37 times, 12 clients"."""

    id: int
    service: str
    error_class: str
    message: str
    method: str
    route: str
    first_at: datetime
    last_at: datetime
    count: int
    clients: int


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost on the way to the log since the beginning; `last_at` is None when nothing was."""

    dropped: int = 0
    unreadable: int = 0
    last_at: datetime | None = None


def list_requests(
    wanted: RequestFilter, limit: int = 100, before: tuple[datetime, int] | None = None
) -> list[LoggedRequest]:
    """Requests, the newest first.

    Args:
        before: time and id of the last one of the page before.
    """
    log = RequestLog
    conditions = _conditions(wanted)
    if before is not None:
        at = to_us(before[0])
        conditions += [log.at <= at, or_(log.at < at, log.id < before[1])]
    routes = wanted.routes.conditions()
    if routes:
        conditions.append(_of_routes(_ids(select(TrackedRoute.id).where(*routes)), conditions, limit))
    statement = (
        select(log, TrackedRoute, TrackedHost.name)
        .join(TrackedRoute, TrackedRoute.id == log.route_id)
        .join(TrackedHost, TrackedHost.id == log.host_id)
        .where(*conditions)
        .order_by(log.at.desc(), log.id.desc())
        .limit(limit)
    )
    return [_logged(*row) for row in db.session.execute(statement)]


def find_request(request_id: int) -> LoggedRequest | None:
    """The request of this number."""
    row = db.session.execute(
        select(RequestLog, TrackedRoute, TrackedHost.name)
        .join(TrackedRoute, TrackedRoute.id == RequestLog.route_id)
        .join(TrackedHost, TrackedHost.id == RequestLog.host_id)
        .where(RequestLog.id == request_id)
    ).one_or_none()
    return None if row is None else _logged(*row)


def list_errors(start: datetime, end: datetime, service: str | None = None, limit: int = 50) -> list[ErrorGroup]:
    """Groups of errors that were met in a span, the newest first."""
    return _error_groups(RequestError.last_at, start, end, service, limit)


def list_new_errors(start: datetime, end: datetime, service: str | None = None, limit: int = 50) -> list[ErrorGroup]:
    """Groups of errors that were met for the first time in a span, the newest first."""
    return _error_groups(RequestError.first_at, start, end, service, limit)


def load_losses() -> Losses:
    """What did not get into the log."""
    row = db.session.get(RequestLoss, 1)
    return Losses() if row is None else Losses(row.dropped, row.unreadable, from_us(row.last_at))


def _error_groups(column: Any, start: datetime, end: datetime, service: str | None, limit: int) -> list[ErrorGroup]:
    statement = (
        select(RequestError, TrackedRoute)
        .join(TrackedRoute, TrackedRoute.id == RequestError.route_id)
        .where(column >= to_us(start), column < to_us(end))
        .order_by(column.desc(), RequestError.id)
        .limit(limit)
    )
    if service is not None:
        statement = statement.where(RequestError.service == service)
    return [_group(*row) for row in db.session.execute(statement)]


def _conditions(wanted: RequestFilter) -> list[Any]:
    log = RequestLog
    found: list[Any] = [log.at >= to_us(wanted.start), log.at < to_us(wanted.end)]
    if wanted.status is not None:
        low = wanted.status * 100 if wanted.status < 10 else wanted.status
        high = low + 99 if wanted.status < 10 else low
        found += [log.status >= low, log.status <= high]
    if wanted.user is not None:
        found.append(log.user_id == wanted.user)
    if wanted.error_id is not None:
        found.append(log.error_id == wanted.error_id)
    if wanted.slow_only:
        found.append(log.is_slow)
    return found


def _of_routes(ids: list[int], conditions: list[Any], limit: int) -> ColumnElement[bool]:
    """The condition that a request is to one of some routes.

    The newest of a few routes are looked for in each of them, along the index of routes: reading the log backwards
    until there are enough of a rare route would take its whole length, and so would sorting all of a busy one.
    """
    log = RequestLog
    if not 0 < len(ids) <= MOST_ROUTES_APART:
        return log.route_id.in_(ids)
    newest = [
        select(
            select(log.id)
            .where(log.route_id == route_id, *conditions)
            .order_by(log.at.desc(), log.id.desc())
            .limit(limit)
            .subquery()
            .c.id
        )
        for route_id in ids
    ]
    return log.id.in_(union_all(*newest) if len(newest) > 1 else newest[0])


def _ids(statement: Select[Any]) -> list[int]:
    """The ids themselves, so that the database knows how many there are when it chooses an index."""
    return list(db.session.scalars(statement))


def _logged(row: RequestLog, route: TrackedRoute, host: str) -> LoggedRequest:
    return LoggedRequest(
        id=row.id,
        at=from_us(row.at),
        service=route.service,
        host=host,
        method=route.method,
        route=route.route,
        status=row.status,
        duration_us=row.duration_us,
        request_size=row.request_size,
        response_size=row.response_size,
        user=row.user_id,
        address=row.address,
        user_agent=row.user_agent,
        request_id=row.request_id,
        error_message=row.error_message,
        is_slow=row.is_slow,
        is_probe=row.is_probe,
        went_away=row.went_away,
    )


def _group(row: RequestError, route: TrackedRoute) -> ErrorGroup:
    return ErrorGroup(
        id=row.id,
        service=row.service,
        error_class=row.error_class,
        message=row.message,
        method=route.method,
        route=route.route,
        first_at=from_us(row.first_at),
        last_at=from_us(row.last_at),
        count=row.count,
        clients=row.clients,
    )
