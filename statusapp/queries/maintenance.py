"""Maintenance: what goes on, what is announced, what was. The public reads of public windows and services only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.recurrence import LONGEST_S, Plan, next_occurrence
from statusapp.extensions import db
from statusapp.models import (
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceWindow,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.queries.timelines import Entry, load_timelines

MOST_SHOWN = 50
EVERYTHING = "All services"

# A heading is on the page while one of its services is.
_GROUP_IS_PUBLIC = (
    select(ServiceEndpoint.id)
    .where(ServiceEndpoint.group_id == ServiceGroup.id, ServiceEndpoint.is_public)
    .correlate(ServiceGroup)
    .exists()
)
# Put together once: with so many columns that takes longer than the answer.
_WITH_TARGETS: Any = (
    select(
        MaintenanceOccurrence.id,
        MaintenanceOccurrence.window_id,
        MaintenanceWindow.title,
        MaintenanceWindow.body,
        MaintenanceWindow.covers_all,
        MaintenanceOccurrence.starts_at,
        MaintenanceOccurrence.ends_at,
        MaintenanceOccurrence.started_at,
        MaintenanceOccurrence.ended_at,
        MaintenanceOccurrence.cancelled_at,
        MaintenanceTarget.id.label("target_id"),
        ServiceEndpoint.name.label("service"),
        ServiceEndpoint.is_public.label("service_is_public"),
        ServiceGroup.name.label("group"),
        _GROUP_IS_PUBLIC.label("group_is_public"),
    )
    .join(MaintenanceWindow, MaintenanceWindow.id == MaintenanceOccurrence.window_id)
    .outerjoin(MaintenanceTarget, MaintenanceTarget.window_id == MaintenanceWindow.id)
    .outerjoin(ServiceEndpoint, ServiceEndpoint.id == MaintenanceTarget.endpoint_id)
    .outerjoin(ServiceGroup, ServiceGroup.id == MaintenanceTarget.group_id)
    .order_by(MaintenanceOccurrence.starts_at.desc(), MaintenanceOccurrence.id.desc())
)


@dataclass(frozen=True, slots=True)
class MaintenanceView:
    """One occurrence of planned work as somebody may see it. `ends_at` is when it ended, or is planned to.

    `started_at` is None while it lies ahead, and for one that passed while the monitor was not running. `affects` are
    names of services and groups. `updates` are the newest first; none of them is loaded by every query.
    """

    id: int
    window_id: int
    title: str
    body: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    is_over: bool
    is_cancelled: bool
    affects: tuple[str, ...]
    updates: tuple[Entry, ...] = ()

    def is_going_on(self, now: datetime) -> bool:
        """Whether it is being worked: by the plan, so that it is told in time whatever the workers do."""
        return not self.is_over and self.starts_at <= now < self.ends_at

    def is_ahead(self, now: datetime) -> bool:
        """Whether it is still to begin."""
        return not self.is_over and self.starts_at > now


@dataclass(frozen=True, slots=True)
class WindowView:
    """A planned window, for operators; `next_at` is when it begins next, if ever."""

    id: int
    title: str
    plan: Plan
    is_public: bool
    is_cancelled: bool
    next_at: datetime | None
    affects: tuple[str, ...]


def load_public_maintenance(start: datetime, now: datetime, endpoint_id: int | None = None) -> list[MaintenanceView]:
    """What is public of what goes on, is announced, or began at `start` or later, the latest first: one statement.

    With an `endpoint_id` only what that service is part of.
    """
    table = MaintenanceOccurrence
    unfinished = and_(table.ended_at.is_(None), table.cancelled_at.is_(None))
    # What began before that can only go on if it is one of the longest.
    oldest = min(to_us(start), to_us(now) - LONGEST_S * SECOND)
    chosen = (
        select(table.id)
        .join(MaintenanceWindow, MaintenanceWindow.id == table.window_id)
        .where(
            MaintenanceWindow.is_public,
            table.starts_at >= oldest,
            or_(unfinished, and_(table.starts_at >= to_us(start), table.ended_at.is_not(None))),
            # A row that is only there because it was called off ahead was never announced.
            or_(table.cancelled_at.is_(None), table.started_at.is_not(None)),
            true() if endpoint_id is None else _is_part(endpoint_id),
        )
        .order_by(table.starts_at.desc())
        .limit(MOST_SHOWN)
    )
    return _load(lambda statement: statement.where(table.id.in_(select(chosen.subquery().c.id))), with_private=False)


def load_maintenance_between(start: datetime, end: datetime) -> list[MaintenanceView]:
    """Public maintenance that began in [start, end) and is over, the latest first, with its updates."""
    table = MaintenanceOccurrence
    chosen = (
        select(table.id)
        .join(MaintenanceWindow, MaintenanceWindow.id == table.window_id)
        .where(
            MaintenanceWindow.is_public,
            table.starts_at >= to_us(start),
            table.starts_at < to_us(end),
            table.ended_at.is_not(None),
            table.started_at.is_not(None),
        )
        .order_by(table.starts_at.desc())
        .limit(MOST_SHOWN)
    )
    return with_updates(
        _load(lambda statement: statement.where(table.id.in_(select(chosen.subquery().c.id))), with_private=False)
    )


def _is_part(endpoint_id: int) -> ColumnElement[bool]:
    """Whether a window is for a service, by itself, by its group or as one of all."""
    target = MaintenanceTarget
    group_id = select(ServiceEndpoint.group_id).where(ServiceEndpoint.id == endpoint_id).scalar_subquery()
    of_target = (
        select(target.id)
        .where(
            target.window_id == MaintenanceWindow.id,
            or_(target.endpoint_id == endpoint_id, target.group_id == group_id),
        )
        .exists()
    )
    return or_(MaintenanceWindow.covers_all, of_target)


def load_in_progress(now: datetime) -> list[MaintenanceView]:
    """Public maintenance that goes on, with its updates."""
    return with_updates([item for item in load_public_maintenance(now, now) if item.is_going_on(now)])


def load_upcoming(now: datetime) -> list[MaintenanceView]:
    """Public maintenance that has been announced, the nearest first, with its updates."""
    found = [item for item in load_public_maintenance(now, now) if item.is_ahead(now)]
    return with_updates(sorted(found, key=lambda item: item.starts_at))


def load_past_maintenance(now: datetime, days: int) -> list[MaintenanceView]:
    """Public maintenance of the last days that is over, the latest first, with its updates."""
    return with_updates([item for item in load_public_maintenance(now - timedelta(days=days), now) if item.is_over])


def list_occurrences(window_id: int, limit: int = MOST_SHOWN) -> list[MaintenanceView]:
    """The newest occurrences of a window that have a row, with their updates; for operators."""
    table = MaintenanceOccurrence
    chosen = select(table.id).where(table.window_id == window_id).order_by(table.starts_at.desc()).limit(limit)
    return with_updates(_load(lambda statement: statement.where(table.id.in_(chosen)), with_private=True))


def list_windows(now: datetime, *, with_cancelled: bool = False) -> list[WindowView]:
    """The planned windows; for operators."""
    wanted = select(MaintenanceWindow).order_by(MaintenanceWindow.id)
    if not with_cancelled:
        wanted = wanted.where(MaintenanceWindow.cancelled_at.is_(None))
    return view_windows(db.session.scalars(wanted).all(), now)


def view_windows(windows: Sequence[MaintenanceWindow], now: datetime) -> list[WindowView]:
    """These windows with what they are for: one statement."""
    targets = db.session.execute(
        select(MaintenanceTarget.window_id, ServiceEndpoint.name, ServiceGroup.name)
        .outerjoin(ServiceEndpoint, ServiceEndpoint.id == MaintenanceTarget.endpoint_id)
        .outerjoin(ServiceGroup, ServiceGroup.id == MaintenanceTarget.group_id)
        .where(MaintenanceTarget.window_id.in_([window.id for window in windows]))
    ).all()
    affects: dict[int, list[str]] = {}
    for window_id, service, group in targets:
        affects.setdefault(window_id, []).append(service or group)
    return [_window(window, tuple(sorted(affects.get(window.id, ()))), to_us(now)) for window in windows]


def with_updates(found: Sequence[MaintenanceView]) -> list[MaintenanceView]:
    """The same with their updates."""
    timelines = load_timelines([], [item.id for item in found]).occurrences
    return [replace(item, updates=timelines.get(item.id, ())) for item in found]


def _window(window: MaintenanceWindow, affects: tuple[str, ...], now: int) -> WindowView:
    plan = Plan(window.starts, window.zone, window.duration_s, window.rrule)
    following = None if window.cancelled_at is not None else next_occurrence(plan, now)
    return WindowView(
        id=window.id,
        title=window.title,
        plan=plan,
        is_public=window.is_public,
        is_cancelled=window.cancelled_at is not None,
        next_at=None if following is None else from_us(following.starts_at),
        affects=(EVERYTHING,) if window.covers_all else affects,
    )


def _load(narrow: Callable[[Select[Any]], Select[Any]], *, with_private: bool) -> list[MaintenanceView]:
    """Occurrences with all that they are for, the latest first: one statement."""
    rows = db.session.execute(narrow(_WITH_TARGETS)).all()
    found = (_view(list(members), with_private) for _, members in groupby(rows, lambda row: row.id))
    # The public knows nothing of work on what it does not know.
    return [view for view in found if view.affects or with_private]


def _view(rows: list[Any], with_private: bool) -> MaintenanceView:
    row = rows[0]
    services = {one.service for one in rows if one.service and (with_private or one.service_is_public)}
    groups = {one.group for one in rows if one.group and (with_private or one.group_is_public)}
    ended = row.ended_at if row.started_at is not None else None
    return MaintenanceView(
        id=row.id,
        window_id=row.window_id,
        title=row.title,
        body=row.body,
        starts_at=from_us(row.starts_at),
        ends_at=from_us(row.ends_at if ended is None or row.cancelled_at is None else ended),
        started_at=None if row.started_at is None else from_us(row.started_at),
        is_over=row.ended_at is not None or row.cancelled_at is not None,
        is_cancelled=row.cancelled_at is not None,
        affects=(EVERYTHING,) if row.covers_all else (*sorted(groups), *sorted(services)),
    )
