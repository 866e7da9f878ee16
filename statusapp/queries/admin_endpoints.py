"""Services as lists and forms of operators need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    AlertRule,
    CheckDetail,
    EndpointDependency,
    EndpointState,
    EndpointTag,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.models.check import HERE
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

_NAME = func.lower(ServiceEndpoint.name)
_ID = ServiceEndpoint.id
_NEVER = 0

ORDERS: dict[str, Order] = {
    "name": Order((_NAME, _ID), (str, int)),
    "status": Order((EndpointState.status, _NAME, _ID), (int, str, int)),
    "group": Order((func.lower(func.coalesce(ServiceGroup.name, "")), _NAME, _ID), (str, str, int)),
    "interval": Order((ServiceEndpoint.interval_s, _NAME, _ID), (int, str, int)),
    "checked": Order((func.coalesce(EndpointState.last_checked_at, _NEVER), _ID), (int, int)),
    "time": Order((func.coalesce(EndpointState.last_total_us, _NEVER), _ID), (int, int)),
}

_COLUMNS: tuple[Any, ...] = (
    ServiceEndpoint.id,
    ServiceEndpoint.name,
    ServiceEndpoint.description,
    ServiceEndpoint.method,
    ServiceEndpoint.url,
    ServiceEndpoint.is_enabled,
    ServiceEndpoint.is_public,
    ServiceEndpoint.is_muted,
    ServiceEndpoint.muted_until,
    ServiceEndpoint.interval_s,
    EndpointState.status,
    EndpointState.status_since,
    EndpointState.silent_after,
    EndpointState.last_outcome,
    EndpointState.last_checked_at,
    EndpointState.last_total_us,
)


@dataclass(frozen=True, slots=True)
class EndpointItem:
    """A service in a list. `error` is what its last check ran into, if it did; durations are microseconds."""

    id: int
    name: str
    description: str
    method: str
    url: str
    group: str | None
    tags: tuple[str, ...]
    is_enabled: bool
    is_public: bool
    is_muted: bool
    interval_s: int
    status: Status
    since: datetime
    error: str | None
    last_checked_at: datetime | None
    last_total_us: int | None

    @property
    def is_http(self) -> bool:
        """Whether the method means something."""
        return self.url.lower().startswith("http")


def page_of_endpoints(wanted: Wanted, now: datetime) -> Page[EndpointItem]:
    """Services: two statements. Filters: status, group (an id, or None for those without), kind (its schemes), tag,
    state ("enabled", "paused" or "muted") and public."""
    endpoint, state = ServiceEndpoint, EndpointState
    is_last = and_(
        CheckDetail.endpoint_id == endpoint.id, CheckDetail.location == HERE, CheckDetail.slot == state.last_slot
    )
    # Columns, not whole rows: a thousand of those cost more than all else.
    statement: Any = (
        select(*_COLUMNS, ServiceGroup.name.label("group_name"), CheckDetail.error)
        .join(state, state.endpoint_id == endpoint.id)
        .outerjoin(ServiceGroup, ServiceGroup.id == endpoint.group_id)
        .outerjoin(CheckDetail, is_last)
        .where(_search(wanted.search), *_narrowed(wanted, to_us(now)))
    )
    page = load_page(statement, ORDERS, wanted, lambda row: row)
    tags = _tags_of([row.id for row in page.rows])
    here = to_us(now)
    return Page([_item(row, tags.get(row.id, ()), here) for row in page.rows], page.before, page.after)


def endpoint_choices() -> list[tuple[int, str]]:
    """All services by name, for choosing from."""
    return [tuple(row) for row in db.session.execute(select(_ID, ServiceEndpoint.name).order_by(_NAME, _ID))]  # type: ignore[misc]


def group_choices() -> list[tuple[int, str]]:
    """All groups in the order of the page."""
    rows = db.session.execute(
        select(ServiceGroup.id, ServiceGroup.name).order_by(ServiceGroup.position, ServiceGroup.name)
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def tag_choices() -> list[str]:
    """All tags that some service has."""
    return list(db.session.scalars(select(EndpointTag.tag).distinct().order_by(EndpointTag.tag)))


def names_of(endpoint_ids: list[int]) -> dict[int, str]:
    """The names of those of these services that are there, by name."""
    rows = db.session.execute(select(_ID, ServiceEndpoint.name).where(_ID.in_(endpoint_ids)).order_by(_NAME, _ID))
    return {row.id: row.name for row in rows}


def _search(text: str) -> ColumnElement[bool]:
    if not text:
        return true()
    pattern = containing(text.lower())
    tagged = select(EndpointTag.endpoint_id).where(func.lower(EndpointTag.tag).like(pattern, escape="\\"))
    fields = (ServiceEndpoint.name, ServiceEndpoint.url, ServiceEndpoint.description)
    return or_(*(func.lower(field).like(pattern, escape="\\") for field in fields), _ID.in_(tagged))


def _narrowed(wanted: Wanted, now: int) -> list[ColumnElement[bool]]:
    endpoint, given = ServiceEndpoint, wanted.filters
    found: list[ColumnElement[bool]] = []
    if "status" in given:
        found.append(_has_status(given["status"], now))
    if "group" in given:
        found.append(endpoint.group_id.is_not_distinct_from(given["group"]))
    if "kind" in given:
        found.append(or_(*(func.lower(endpoint.url).like(f"{scheme}:%") for scheme in given["kind"])))
    if "tag" in given:
        found.append(_ID.in_(select(EndpointTag.endpoint_id).where(EndpointTag.tag == given["tag"])))
    if "public" in given:
        found.append(endpoint.is_public.is_(given["public"]))
    if "state" in given:
        found.append(
            _is_muted(now) if given["state"] == "muted" else endpoint.is_enabled.is_(given["state"] == "enabled")
        )
    return found


def _has_status(status: Status, now: int) -> ColumnElement[bool]:
    """Whether a service is shown with a status: of one that is paused, or not checked any more, nothing is known."""
    state = EndpointState
    silent = and_(state.silent_after.is_not(None), state.silent_after < now)
    if status is Status.UNKNOWN:
        return or_(state.status == status, silent)
    return and_(ServiceEndpoint.is_enabled, state.status == status, ~silent)


def _is_muted(now: int) -> ColumnElement[bool]:
    endpoint = ServiceEndpoint
    return and_(endpoint.is_muted, or_(endpoint.muted_until.is_(None), endpoint.muted_until > now))


def _item(row: Any, tags: tuple[str, ...], now: int) -> EndpointItem:
    is_silent = row.silent_after is not None and now > row.silent_after
    return EndpointItem(
        id=row.id,
        name=row.name,
        description=row.description,
        method=row.method,
        url=row.url,
        group=row.group_name,
        tags=tags,
        is_enabled=row.is_enabled,
        is_public=row.is_public,
        is_muted=row.is_muted and (row.muted_until is None or row.muted_until > now),
        interval_s=row.interval_s,
        status=Status.UNKNOWN if is_silent or not row.is_enabled else row.status,
        since=from_us(row.status_since),
        error=None if row.last_outcome in (None, Outcome.OK) else row.error,
        last_checked_at=None if row.last_checked_at is None else from_us(row.last_checked_at),
        last_total_us=None if row.url == HEARTBEAT else row.last_total_us,
    )


def _tags_of(endpoint_ids: list[int]) -> dict[int, tuple[str, ...]]:
    """The tags of each of these services that has any."""
    tags: dict[int, tuple[str, ...]] = {}
    tag = EndpointTag
    wanted = select(tag.endpoint_id, tag.tag).where(tag.endpoint_id.in_(endpoint_ids)).order_by(tag.tag)
    for endpoint_id, name in db.session.execute(wanted) if endpoint_ids else ():
        tags[endpoint_id] = (*tags.get(endpoint_id, ()), name)
    return tags


@dataclass(frozen=True, slots=True)
class Consequences:
    """What goes with a service when it is deleted. `children` depend on it."""

    days: int
    alerts: int
    rules: int
    children: tuple[str, ...]


def load_consequences(endpoint_ids: list[int], now: datetime) -> dict[int, Consequences]:
    """What goes with each of these services: four statements."""
    made = db.session.execute(select(_ID, ServiceEndpoint.created_at).where(_ID.in_(endpoint_ids)))
    alerts, rules = (_counted(table, endpoint_ids) for table in (Alert, AlertRule))
    children: dict[int, tuple[str, ...]] = {}
    for parent_id, name in db.session.execute(
        select(EndpointDependency.parent_id, ServiceEndpoint.name)
        .join(ServiceEndpoint, EndpointDependency.endpoint_id == _ID)
        .where(EndpointDependency.parent_id.in_(endpoint_ids))
        .order_by(_NAME)
    ):
        children[parent_id] = (*children.get(parent_id, ()), name)
    return {
        key: Consequences(max((now - at).days, 0) + 1, alerts.get(key, 0), rules.get(key, 0), children.get(key, ()))
        for key, at in made
    }


def _counted(table: Any, endpoint_ids: list[int]) -> dict[int, int]:
    """How many rows of a table each service has, of those that are indexed by it."""
    rows = db.session.execute(
        select(table.endpoint_id, func.count()).where(table.endpoint_id.in_(endpoint_ids)).group_by(table.endpoint_id)
    )
    return {key: count for key, count in rows}  # noqa: C416 (they are rows)
