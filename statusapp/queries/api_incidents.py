"""Incidents and maintenance for programs of operators: drafts and private ones included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from statusapp.domain.enums import Impact, IncidentStatus
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.recurrence import Plan, next_occurrence
from statusapp.extensions import db
from statusapp.models import Incident, IncidentEndpoint, MaintenanceTarget, MaintenanceWindow
from statusapp.queries.incidents import IncidentFile, find_incident
from statusapp.queries.maintenance import MaintenanceView, list_occurrences
from statusapp.queries.paging import Order, Page, Wanted, load_page

INCIDENT_ORDERS = {"started": Order((Incident.started_at, Incident.id), (int, int))}
WINDOW_ORDERS = {"created": Order((MaintenanceWindow.created_at, MaintenanceWindow.id), (int, int))}


@dataclass(frozen=True, slots=True)
class IncidentItem:
    """An incident in a list. `impact` is the one that a person has set, if they have."""

    id: int
    title: str
    status: IncidentStatus
    impact: Impact
    is_public: bool
    is_automatic: bool
    started_at: datetime
    resolved_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WindowItem:
    """Planned work; `next_at` is when it begins next, if ever."""

    id: int
    title: str
    body: str
    starts: str
    zone: str
    duration_s: int
    rule: str | None
    announce_s: int
    endpoint_ids: tuple[int, ...]
    group_ids: tuple[int, ...]
    covers_all: bool
    is_public: bool
    is_cancelled: bool
    next_at: datetime | None


def page_of_incidents(wanted: Wanted) -> Page[IncidentItem]:
    """Incidents: one statement. Filters: open, public, endpoint (an id), status, and the times since and until."""
    given, statement = wanted.filters, select(Incident)
    if "open" in given:
        is_open = Incident.resolved_at.is_(None)
        statement = statement.where(is_open if given["open"] else ~is_open)
    if "public" in given:
        statement = statement.where(Incident.is_public.is_(given["public"]))
    if "status" in given:
        statement = statement.where(Incident.status == given["status"])
    if "endpoint" in given:
        of = select(IncidentEndpoint.incident_id).where(IncidentEndpoint.endpoint_id == given["endpoint"])
        statement = statement.where(Incident.id.in_(of))
    if "since" in given:
        statement = statement.where(Incident.started_at >= to_us(given["since"]))
    if "until" in given:
        statement = statement.where(Incident.started_at < to_us(given["until"]))
    return load_page(statement, INCIDENT_ORDERS, wanted, lambda row: _incident(row.Incident))


def get_incident(incident_id: int) -> IncidentFile:
    """All of one incident.

    Raises:
        NotFound: when it is not there.
    """
    found = find_incident(incident_id)
    if found is None:
        raise NotFound("There is no such incident.")
    return found


def has_update(incident_id: int, update_id: int) -> bool:
    """Whether an update is one of the newest of this incident."""
    return any(entry.id == update_id for entry in get_incident(incident_id).incident.updates)


def page_of_windows(wanted: Wanted, now: datetime) -> Page[WindowItem]:
    """Planned work: two statements. Filter: cancelled."""
    statement: Any = select(MaintenanceWindow)
    if "cancelled" in wanted.filters:
        is_cancelled = MaintenanceWindow.cancelled_at.is_not(None)
        statement = statement.where(is_cancelled if wanted.filters["cancelled"] else ~is_cancelled)
    page = load_page(statement, WINDOW_ORDERS, wanted, lambda row: row.MaintenanceWindow)
    targets = _targets([window.id for window in page.rows])
    return Page([_window(window, targets, to_us(now)) for window in page.rows], page.before, page.after)


def get_window(window_id: int, now: datetime) -> tuple[WindowItem, list[MaintenanceView]]:
    """Planned work, with the newest of its occurrences that have been announced or begun.

    Raises:
        NotFound: when it is not there.
    """
    window = db.session.get(MaintenanceWindow, window_id)
    if window is None:
        raise NotFound("There is no such maintenance.")
    return _window(window, _targets([window_id]), to_us(now)), list_occurrences(window_id)


def _incident(row: Incident) -> IncidentItem:
    return IncidentItem(
        id=row.id,
        title=row.title,
        status=row.status,
        impact=row.impact if row.impact_override is None else row.impact_override,
        is_public=row.is_public,
        is_automatic=row.is_automatic,
        started_at=from_us(row.started_at),
        resolved_at=None if row.resolved_at is None else from_us(row.resolved_at),
        updated_at=from_us(row.updated_at),
    )


def _targets(window_ids: list[int]) -> list[MaintenanceTarget]:
    chosen = select(MaintenanceTarget).where(MaintenanceTarget.window_id.in_(window_ids))
    return list(db.session.scalars(chosen.order_by(MaintenanceTarget.id))) if window_ids else []


def _window(window: MaintenanceWindow, targets: list[MaintenanceTarget], now: int) -> WindowItem:
    own = [target for target in targets if target.window_id == window.id]
    plan = Plan(window.starts, window.zone, window.duration_s, window.rrule)
    following = None if window.cancelled_at is not None else next_occurrence(plan, now)
    return WindowItem(
        id=window.id,
        title=window.title,
        body=window.body,
        starts=window.starts,
        zone=window.zone,
        duration_s=window.duration_s,
        rule=window.rrule,
        announce_s=window.announce_s,
        endpoint_ids=tuple(target.endpoint_id for target in own if target.endpoint_id is not None),
        group_ids=tuple(target.group_id for target in own if target.group_id is not None),
        covers_all=window.covers_all,
        is_public=window.is_public,
        is_cancelled=window.cancelled_at is not None,
        next_at=None if following is None else from_us(following.starts_at),
    )
