"""Single requests and their errors, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import RequestError, RequestLog, RequestLoss, TrackedHost, TrackedRoute
from statusapp.queries.request_pages import Place, RequestFilter, find_ids


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
    wanted: RequestFilter, limit: int = 100, behind: Place | None = None, *, is_ascending: bool = False
) -> list[LoggedRequest]:
    """Requests, the newest first, or the oldest.

    Args:
        behind: time and id of the last one of the page before.
    """
    ids = find_ids(wanted, limit, behind, is_ascending=is_ascending)
    if not ids:
        return []
    log = RequestLog
    statement = (
        select(log, TrackedRoute, TrackedHost.name)
        .join(TrackedRoute, TrackedRoute.id == log.route_id)
        .join(TrackedHost, TrackedHost.id == log.host_id)
        .where(log.id.in_(ids))
    )
    place = {key: number for number, key in enumerate(ids)}
    found = [_logged(*row) for row in db.session.execute(statement)]
    return sorted(found, key=lambda request: place[request.id])


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
