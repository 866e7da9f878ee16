"""Services as the API gives them to everybody, and where a service of somebody who is signed in stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select

from statusapp.domain.enums import ErrorKind, Outcome, Status
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import EndpointState, ServiceEndpoint, ServiceGroup
from statusapp.queries.page_settings import load_page_settings
from statusapp.queries.paging import Order, Page, Wanted, load_page

MISSING = "There is no such service."
_NAME = func.lower(ServiceEndpoint.name)
_ID: Any = ServiceEndpoint.id
# What was never checked comes before what was.
_NEVER = 0

PUBLIC_ORDERS: dict[str, Order] = {
    "name": Order((_NAME, _ID), (str, int)),
    "checked": Order((func.coalesce(EndpointState.last_checked_at, _NEVER), _ID), (int, int)),
}


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """What everybody may know of a service. `response_us` is None where the page does not show it."""

    id: int
    name: str
    description: str
    group: str | None
    status: Status
    since: datetime
    last_checked_at: datetime | None
    response_us: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a service stands. Durations are microseconds; of one that is paused or not checked any more nothing is
    known."""

    status: Status
    since: datetime
    last_checked_at: datetime | None
    last_outcome: Outcome | None
    last_error_kind: ErrorKind | None
    last_status_code: int | None
    response_us: int | None
    next_check_at: datetime | None
    certificate_expires_at: datetime | None


def page_of_public_endpoints(wanted: Wanted, now: datetime) -> Page[PublicEndpoint]:
    """The services on the status page: two statements. Filters: status, and group (an id)."""
    here = to_us(now)
    statement: Any = _public(here)
    if "status" in wanted.filters:
        statement = statement.where(_status(here) == wanted.filters["status"])
    if "group" in wanted.filters:
        statement = statement.where(ServiceEndpoint.group_id == wanted.filters["group"])
    shows_times = load_page_settings().shows_response_times
    return load_page(statement, PUBLIC_ORDERS, wanted, lambda row: _shown(row, shows_times))


def get_public_endpoint(endpoint_id: int, now: datetime) -> PublicEndpoint:
    """One of them.

    Raises:
        NotFound: when it is not there, when it is private and when it is paused.
    """
    row = db.session.execute(_public(to_us(now)).where(endpoint_id == _ID)).first()
    if row is None:
        raise NotFound(MISSING)
    return _shown(row, load_page_settings().shows_response_times)


def get_standing(endpoint_id: int, now: datetime) -> Standing:
    """Where a service stands.

    Raises:
        NotFound: when it is not there.
    """
    here, state = to_us(now), EndpointState
    row: Any = db.session.execute(
        select(state, _status(here).label("shown"), ServiceEndpoint.url)
        .join(ServiceEndpoint, ServiceEndpoint.id == state.endpoint_id)
        .where(endpoint_id == _ID)
    ).first()
    if row is None:
        raise NotFound(MISSING)
    found = row.EndpointState
    return Standing(
        status=Status(row.shown),
        since=from_us(found.status_since),
        last_checked_at=_moment(found.last_checked_at),
        last_outcome=found.last_outcome,
        last_error_kind=found.last_error_kind,
        last_status_code=found.last_status_code,
        response_us=None if row.url == HEARTBEAT else found.last_total_us,
        next_check_at=_moment(found.next_check_at),
        certificate_expires_at=_moment(found.certificate_expires_at),
    )


def id_of_name(name: str) -> int | None:
    """The service of this name, as it is written."""
    return db.session.scalar(select(_ID).where(ServiceEndpoint.name == name))


def _public(now: int) -> Select[Any]:
    endpoint, state = ServiceEndpoint, EndpointState
    return (
        select(
            endpoint.id,
            endpoint.name,
            endpoint.description,
            endpoint.url,
            endpoint.shows_url,
            ServiceGroup.name.label("group"),
            _status(now).label("shown"),
            state.status_since,
            state.last_checked_at,
            state.last_total_us,
        )
        .join(state, state.endpoint_id == endpoint.id)
        .outerjoin(ServiceGroup, ServiceGroup.id == endpoint.group_id)
        .where(endpoint.is_enabled, endpoint.is_public)
    )


def _status(now: int) -> Any:
    """The status as it is shown: silence is not health."""
    state, endpoint = EndpointState, ServiceEndpoint
    is_known = endpoint.is_enabled & (state.silent_after.is_(None) | (state.silent_after >= now))
    return case((is_known, state.status), else_=int(Status.UNKNOWN))


def _shown(row: Any, shows_times: bool) -> PublicEndpoint:
    status = Status(row.shown)
    return PublicEndpoint(
        id=row.id,
        name=row.name,
        description=row.description,
        group=row.group,
        status=status,
        since=from_us(row.status_since),
        last_checked_at=_moment(row.last_checked_at),
        response_us=row.last_total_us if shows_times and row.url != HEARTBEAT else None,
        url=row.url if row.shows_url else None,
    )


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else from_us(instant)
