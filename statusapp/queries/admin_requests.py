"""Logged requests as lists of operators need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import RequestLog, TrackedRoute
from statusapp.queries.paging import Key, Order, Page, Wanted, cut_page
from statusapp.queries.request_pages import Place, RequestFilter
from statusapp.queries.request_sums import RouteFilter
from statusapp.queries.requests import LoggedRequest, find_request, list_requests

ORDERS = {"time": Order((RequestLog.at, RequestLog.id), (datetime, int))}
MOST_ROUTES = 500
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def page_of_requests(wanted: Wanted, now: datetime) -> Page[LoggedRequest]:
    """Requests by their time. Filters: since, until, route (a `RouteFilter`), method, status (a code, or the first
    digit of one), user, error (the id of a group) and slow (only those)."""
    given = wanted.filters
    route: RouteFilter = given.get("route") or RouteFilter()
    if route.method and given.get("method", route.method) != route.method:
        return Page([])
    asked = RequestFilter(
        given.get("since", _BEGINNING),
        given.get("until", now + timedelta(days=1)),
        RouteFilter(route.service, given.get("method") or route.method, route.route),
        given.get("status"),
        given.get("user"),
        given.get("error"),
        bool(given.get("slow")),
    )
    behind: Place | None = wanted.key  # type: ignore[assignment]
    is_ascending = wanted.descending == wanted.backward
    rows = list_requests(asked, wanted.limit + 1, behind, is_ascending=is_ascending)
    found: list[tuple[LoggedRequest, Key]] = [(row, (row.at, row.id)) for row in rows]
    return cut_page(found, wanted)


def get_request(request_id: int) -> LoggedRequest:
    """One request.

    Raises:
        NotFound: when it is not there, or not any more.
    """
    found = find_request(request_id)
    if found is None:
        raise NotFound("There is no such request, or not any more: single requests are kept for some days.")
    return found


def route_choices() -> list[tuple[int, RouteFilter]]:
    """Routes that have been seen, with their numbers; the first by name where there are very many."""
    route = TrackedRoute
    rows = db.session.execute(
        select(route.id, route.service, route.method, route.route)
        .order_by(route.service, route.route, route.method)
        .limit(MOST_ROUTES)
    )
    return [(row.id, RouteFilter(row.service, row.method, row.route)) for row in rows]


def method_choices() -> list[str]:
    """The methods of the routes that have been seen."""
    return list(db.session.scalars(select(TrackedRoute.method).distinct().order_by(TrackedRoute.method)))
