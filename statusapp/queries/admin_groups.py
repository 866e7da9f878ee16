"""Groups as lists and forms of operators need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, true

from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import AlertRule, MaintenanceTarget, NotificationChannel, ServiceEndpoint, ServiceGroup
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

_NAME = func.lower(ServiceGroup.name)
ORDERS: dict[str, Order] = {
    "position": Order((ServiceGroup.position, _NAME, ServiceGroup.id), (int, str, int)),
    "name": Order((_NAME, ServiceGroup.id), (str, int)),
}


@dataclass(frozen=True, slots=True)
class GroupItem:
    """A group in a list, with the number of its services."""

    id: int
    name: str
    position: int
    is_collapsed: bool
    services: int


@dataclass(frozen=True, slots=True)
class GroupUse:
    """What else there is about a group: services, rules of its own, maintenance for it, channels that choose by it."""

    services: tuple[str, ...]
    rules: int
    maintenance: int
    channels: tuple[str, ...]


def page_of_groups(wanted: Wanted, _now: datetime) -> Page[GroupItem]:
    """Groups: one statement."""
    services = (
        select(func.count())
        .where(ServiceEndpoint.group_id == ServiceGroup.id)
        .correlate(ServiceGroup)
        .scalar_subquery()
        .label("services")
    )
    found = _NAME.like(containing(wanted.search.lower()), escape="\\") if wanted.search else true()
    statement: Any = select(ServiceGroup, services).where(found)
    return load_page(statement, ORDERS, wanted, lambda row: _item(row.ServiceGroup, row.services))


def get_group(group_id: int) -> GroupItem:
    """One group.

    Raises:
        NotFound: when it is not there.
    """
    group = db.session.get(ServiceGroup, group_id)
    if group is None:
        raise NotFound("There is no such group, or not any more.")
    count = db.session.scalar(select(func.count()).where(ServiceEndpoint.group_id == group_id))
    return _item(group, count or 0)


def load_group_use(group_id: int) -> GroupUse:
    """What the deletion of a group would touch."""
    services = select(ServiceEndpoint.name).where(ServiceEndpoint.group_id == group_id).order_by(ServiceEndpoint.name)
    channels = db.session.execute(select(NotificationChannel.name, NotificationChannel.groups))
    return GroupUse(
        tuple(db.session.scalars(services)),
        db.session.scalar(select(func.count()).where(AlertRule.group_id == group_id)) or 0,
        db.session.scalar(select(func.count()).where(MaintenanceTarget.group_id == group_id)) or 0,
        tuple(name for name, groups in channels if group_id in groups),
    )


def _item(group: ServiceGroup, services: int) -> GroupItem:
    return GroupItem(group.id, group.name, group.position, group.is_collapsed, services)
