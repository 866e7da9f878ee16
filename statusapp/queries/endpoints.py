"""Endpoints as operators see them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from sqlalchemy import select

from statusapp.extensions import db
from statusapp.models import ServiceEndpoint, ServiceGroup

# For statements with an outer join to the group: what stands under no heading comes first.
PAGE_ORDER = (
    ServiceGroup.id.is_not(None),
    ServiceGroup.position,
    ServiceGroup.name,
    ServiceEndpoint.position,
    ServiceEndpoint.name,
)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint, as the commands need it."""

    id: int
    name: str
    timeout_ms: int
    is_enabled: bool


def list_endpoints() -> list[EndpointRow]:
    """All endpoints in the order of the page."""
    rows = db.session.execute(
        select(ServiceEndpoint.id, ServiceEndpoint.name, ServiceEndpoint.timeout_ms, ServiceEndpoint.is_enabled)
        .outerjoin(ServiceGroup, ServiceGroup.id == ServiceEndpoint.group_id)
        .order_by(*PAGE_ORDER)
    )
    return [EndpointRow(*row) for row in rows]


def find_endpoint(name: str) -> int | None:
    """The id of the endpoint of this name."""
    return db.session.scalar(select(ServiceEndpoint.id).where(ServiceEndpoint.name == name))


def find_group(name: str) -> int | None:
    """The id of the group of this name."""
    return db.session.scalar(select(ServiceGroup.id).where(ServiceGroup.name == name))


def near_names(name: str) -> list[str]:
    """The names most like `name`; all of them, up to ten, when none is."""
    names = [row.name for row in list_endpoints()]
    lowered = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)
    return [lowered[key] for key in near] or names[:10]
