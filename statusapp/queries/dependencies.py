"""Who depends on whom: which services are affected because one that they need is down."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import aliased

from statusapp.domain.enums import Status
from statusapp.extensions import db
from statusapp.models import EndpointDependency, EndpointState, ServiceEndpoint

# How a parent that the page does not show is called on it.
PRIVATE_PARENT = "a service it depends on"


def load_affected(*, with_private: bool) -> dict[int, tuple[str, ...]]:
    """The names of the confirmed-down parents of each service that has any.

    Args:
        with_private: whether private parents are called by their names, as operators may see them.
    """
    parent, state = aliased(ServiceEndpoint), aliased(EndpointState)
    statement = (
        select(EndpointDependency.endpoint_id, parent.name, parent.is_public)
        .join(parent, parent.id == EndpointDependency.parent_id)
        .join(state, state.endpoint_id == parent.id)
        .where(state.status == Status.MAJOR_OUTAGE, parent.is_enabled)
        .order_by(parent.position, parent.name)
    )
    affected: dict[int, tuple[str, ...]] = {}
    for endpoint_id, name, is_public in db.session.execute(statement):
        shown = name if with_private or is_public else PRIVATE_PARENT
        affected[endpoint_id] = (*affected.get(endpoint_id, ()), shown)
    return affected
