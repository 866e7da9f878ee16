"""What feeds, calendars and other programs may read beside the page: incidents, planned work, dates of services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select

from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceWindow,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.queries.incidents import IncidentView, load_public_incidents, with_updates
from statusapp.queries.maintenance import EVERYTHING
from statusapp.queries.timelines import Entry, load_timelines

MOST_INCIDENTS = 50
# So many that have begun, and so many that are still to begin.
MOST_WORK = 50


@dataclass(frozen=True, slots=True)
class Work:
    """One public occurrence of planned work, called off or not.

    `ends_at` is as planned. `told_at` is when the public was first told, `changed_at` when the plan last changed.
    `affects` are names of public services and groups; `service_ids` and `group_ids` are which those are, and both are
    empty for one that `covers_all`. `updates` are the newest first.
    """

    id: int
    title: str
    body: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancelled_at: datetime | None
    told_at: datetime
    planned_at: datetime
    changed_at: datetime
    covers_all: bool
    affects: tuple[str, ...]
    service_ids: frozenset[int]
    group_ids: frozenset[int]
    updates: tuple[Entry, ...]

    @property
    def last_told_at(self) -> datetime:
        """When it was last changed or written about."""
        return max([self.changed_at, self.told_at, *(update.created_at for update in self.updates[:1])])

    @property
    def never_began(self) -> bool:
        """Whether it was called off ahead."""
        return self.cancelled_at is not None and self.started_at is None

    def is_going_on(self, now: datetime) -> bool:
        """Whether it is being worked: by the plan, so that it is told in time whatever the workers do."""
        return self.ended_at is None and self.cancelled_at is None and self.starts_at <= now < self.ends_at

    def is_ahead(self, now: datetime) -> bool:
        """Whether it is still to begin."""
        return self.ended_at is None and self.cancelled_at is None and self.starts_at > now


@dataclass(frozen=True, slots=True)
class Dates:
    """When a service was made, and when an operator last changed it."""

    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Targets:
    """What a window is for, as far as the public knows it."""

    names: frozenset[str] = frozenset()
    service_ids: frozenset[int] = frozenset()
    group_ids: frozenset[int] = frozenset()


def load_recent_incidents() -> list[IncidentView]:
    """The public incidents that are open and the newest fifty besides, the newest first, with their updates."""
    found = load_public_incidents(from_us(0))
    newest = {incident.id for incident in found[:MOST_INCIDENTS]}
    return with_updates([incident for incident in found if incident.is_open or incident.id in newest])


def load_public_work(now: datetime) -> list[Work]:
    """Public planned work, the latest first: the last fifty that have begun, and the next fifty that are announced.

    What was called off before anybody was told of it is left out, and so is work on private services alone.
    """
    table, window = MaintenanceOccurrence, MaintenanceWindow
    ids = [
        *db.session.scalars(_told(to_us(now), has_begun=True).order_by(table.starts_at.desc()).limit(MOST_WORK)),
        *db.session.scalars(_told(to_us(now), has_begun=False).order_by(table.starts_at).limit(MOST_WORK)),
    ]
    rows = db.session.execute(
        select(table, window)
        .join(window, window.id == table.window_id)
        .where(table.id.in_(ids))
        .order_by(table.starts_at.desc(), table.id.desc())
    ).all()
    targets = _load_targets({occurrence.window_id for occurrence, _ in rows})
    updates = load_timelines([], ids).occurrences
    found = [
        _work(occurrence, plan, targets.get(plan.id, _Targets()), updates.get(occurrence.id, ()))
        for occurrence, plan in rows
    ]
    return [work for work in found if work.affects]


def load_dates() -> dict[int, Dates]:
    """The dates of all services on the page, by their ids."""
    endpoint = ServiceEndpoint
    rows = db.session.execute(
        select(endpoint.id, endpoint.created_at, endpoint.updated_at).where(endpoint.is_enabled, endpoint.is_public)
    )
    return {key: Dates(created_at, updated_at) for key, created_at, updated_at in rows}


def _told(now: int, *, has_begun: bool) -> Select[int]:
    """The ids of occurrences that the public knows of."""
    table = MaintenanceOccurrence
    return (
        select(table.id)
        .join(MaintenanceWindow, MaintenanceWindow.id == table.window_id)
        .where(
            MaintenanceWindow.is_public,
            table.starts_at <= now if has_begun else table.starts_at > now,
            or_(table.cancelled_at.is_(None), table.started_at.is_not(None), table.announced_at.is_not(None)),
        )
    )


def _load_targets(window_ids: set[int]) -> dict[int, _Targets]:
    target, endpoint, group = MaintenanceTarget, ServiceEndpoint, ServiceGroup
    # A heading is on the page while one of its services is.
    public_groups = select(endpoint.group_id).where(endpoint.is_public, endpoint.group_id.is_not(None))
    services = db.session.execute(
        select(target.window_id, endpoint.id, endpoint.name)
        .join(endpoint, endpoint.id == target.endpoint_id)
        .where(target.window_id.in_(window_ids), endpoint.is_public)
    ).all()
    groups = db.session.execute(
        select(target.window_id, group.id, group.name)
        .join(group, group.id == target.group_id)
        .where(target.window_id.in_(window_ids), group.id.in_(public_groups))
    ).all()
    names: dict[int, set[str]] = defaultdict(set)
    for window_id, _, name in (*services, *groups):
        names[window_id].add(name)
    return {
        window_id: _Targets(frozenset(found), _ids_of(window_id, services), _ids_of(window_id, groups))
        for window_id, found in names.items()
    }


def _ids_of(window_id: int, rows: Sequence[tuple[int, int, str]]) -> frozenset[int]:
    return frozenset(key for owner, key, _ in rows if owner == window_id)


def _work(
    occurrence: MaintenanceOccurrence, window: MaintenanceWindow, targets: _Targets, updates: tuple[Entry, ...]
) -> Work:
    changed_at = max(window.updated_at, occurrence.cancelled_at or 0)
    told_at = window.created_at if occurrence.announced_at is None else occurrence.announced_at
    return Work(
        id=occurrence.id,
        title=window.title,
        body=window.body,
        starts_at=from_us(occurrence.starts_at),
        ends_at=from_us(occurrence.ends_at),
        started_at=_moment(occurrence.started_at),
        ended_at=_moment(occurrence.ended_at),
        cancelled_at=_moment(occurrence.cancelled_at),
        told_at=from_us(told_at),
        planned_at=from_us(window.created_at),
        changed_at=from_us(changed_at),
        covers_all=window.covers_all,
        affects=(EVERYTHING,) if window.covers_all else tuple(sorted(targets.names)),
        service_ids=targets.service_ids,
        group_ids=targets.group_ids,
        updates=updates,
    )


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else from_us(instant)
