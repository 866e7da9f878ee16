"""What operators see of the services: also the private and the paused ones, and why each is where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from statusapp.domain.enums import ErrorKind, Outcome, Rule, Status
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import CheckDetail, EndpointState, EndpointTag, ServiceEndpoint, ServiceGroup, StatusChangeRow
from statusapp.models.check import HERE
from statusapp.queries.dependencies import load_affected
from statusapp.queries.endpoints import PAGE_ORDER


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One service. `rule` is what put it into its status; `error` is what the last check ran into, if it did."""

    id: int
    name: str
    method: str
    url: str
    is_enabled: bool
    is_public: bool
    interval_s: int
    status: Status
    since: datetime
    rule: Rule | None
    error: str | None
    last_checked_at: datetime | None
    next_check_at: datetime | None
    is_http: bool
    group: str | None
    tags: tuple[str, ...]
    affected_by: tuple[str, ...]


def list_services(now: datetime) -> list[OperatorRow]:
    """All services in the order of the page, in three statements."""
    endpoint, state, change, detail = ServiceEndpoint, EndpointState, StatusChangeRow, CheckDetail
    is_current = and_(change.endpoint_id == endpoint.id, change.ended_at.is_(None), change.superseded.is_(False))
    is_last = and_(detail.endpoint_id == endpoint.id, detail.location == HERE, detail.slot == state.last_slot)
    statement = (
        select(endpoint, state, change.rule, detail.error, ServiceGroup.name)
        .outerjoin(ServiceGroup, ServiceGroup.id == endpoint.group_id)
        .join(state, state.endpoint_id == endpoint.id)
        .outerjoin(change, is_current)
        .outerjoin(detail, is_last)
        .order_by(*PAGE_ORDER)
    )
    tags: dict[int, tuple[str, ...]] = {}
    for row in db.session.scalars(select(EndpointTag).order_by(EndpointTag.tag)):
        tags[row.endpoint_id] = (*tags.get(row.endpoint_id, ()), row.tag)
    affected = load_affected(with_private=True)
    return [
        _operator_row(*row, tags.get(row[0].id, ()), affected.get(row[0].id, ()), to_us(now))
        for row in db.session.execute(statement)
    ]


def _operator_row(
    endpoint: ServiceEndpoint,
    state: EndpointState,
    rule: Rule | None,
    error: str | None,
    group: str | None,
    tags: tuple[str, ...],
    affected_by: tuple[str, ...],
    now: int,
) -> OperatorRow:
    is_silent = state.silent_after is not None and now > state.silent_after and endpoint.is_enabled
    due = [instant for instant in (state.next_check_at, state.extra_at) if instant is not None]
    return OperatorRow(
        id=endpoint.id,
        name=endpoint.name,
        method=endpoint.method,
        url=endpoint.url,
        is_enabled=endpoint.is_enabled,
        is_public=endpoint.is_public,
        interval_s=endpoint.interval_s,
        status=Status.UNKNOWN if is_silent else state.status,
        since=from_us(state.status_since),
        rule=Rule.NOT_CHECKED if is_silent else rule,
        error=_last_error(state, error),
        last_checked_at=None if state.last_checked_at is None else from_us(state.last_checked_at),
        next_check_at=from_us(min(due)) if due and endpoint.is_enabled else None,
        is_http=endpoint.url.lower().startswith("http"),
        group=group,
        tags=tags,
        affected_by=affected_by,
    )


def _last_error(state: EndpointState, error: str | None) -> str | None:
    if state.last_outcome in (None, Outcome.OK):
        return None
    if error is not None:
        return error
    kind = state.last_error_kind or ErrorKind.NONE
    if kind is ErrorKind.STATUS_CODE and state.last_status_code is not None:
        return f"HTTP {state.last_status_code}"
    return None if kind is ErrorKind.NONE else kind.word.replace("_", " ")
