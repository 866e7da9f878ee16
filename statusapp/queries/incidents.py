"""Incidents. What is public here is of public incidents and names public services only; the rest is for operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select, true

from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.domain.incidents import automatic_title
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.uptime import day_start
from statusapp.extensions import db
from statusapp.models import Incident, IncidentEndpoint, ServiceEndpoint
from statusapp.queries.timelines import Entry, load_timelines

MOST_SHOWN = 50
# As many as the bars of ninety days may tell.
MOST_TOLD = 300

# Put together once: with so many columns that takes longer than the answer.
_WITH_AFFECTED: Any = (
    select(
        Incident.id,
        Incident.title,
        Incident.status,
        Incident.impact,
        Incident.impact_override,
        Incident.is_public,
        Incident.is_automatic,
        Incident.touched_at,
        Incident.started_at,
        Incident.resolved_at,
        Incident.updated_at,
        ServiceEndpoint.id.label("endpoint_id"),
        ServiceEndpoint.name,
        IncidentEndpoint.status.label("endpoint_status"),
        ServiceEndpoint.is_public.label("endpoint_is_public"),
    )
    .outerjoin(IncidentEndpoint, IncidentEndpoint.incident_id == Incident.id)
    .outerjoin(ServiceEndpoint, ServiceEndpoint.id == IncidentEndpoint.endpoint_id)
    .order_by(Incident.started_at.desc(), Incident.id.desc(), ServiceEndpoint.name)
)


@dataclass(frozen=True, slots=True)
class Affected:
    """A service that an incident affects, and the worst status it has had in it."""

    id: int
    name: str
    status: Status
    is_public: bool


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as somebody may see it. `updates` are the newest first; none of them is loaded by every query."""

    id: int
    title: str
    status: IncidentStatus
    impact: Impact
    is_public: bool
    is_automatic: bool
    is_touched: bool
    started_at: datetime
    resolved_at: datetime | None
    updated_at: datetime
    affected: tuple[Affected, ...]
    updates: tuple[Entry, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """All that operators know of an incident; `evidence` is as `services/evidence.py` made it."""

    incident: IncidentView
    evidence: dict[str, Any] | None


def load_public_incidents(start: datetime) -> list[IncidentView]:
    """The public incidents that are open or began at `start` or later, without updates: one statement."""
    recent = (
        select(Incident.id)
        .where(Incident.started_at >= to_us(start), Incident.is_public)
        .order_by(Incident.started_at.desc())
        .limit(MOST_TOLD)
    )
    still_open = (
        select(Incident.id)
        .where(Incident.resolved_at.is_(None), Incident.is_public)
        .order_by(Incident.id.desc())
        .limit(MOST_SHOWN)
    )
    # Each finds its rows by an index of its own.
    chosen = select(recent.subquery().c.id).union(select(still_open.subquery().c.id))
    return _public(_load(lambda statement: statement.where(Incident.id.in_(chosen))))


def load_incidents_between(start: datetime, end: datetime) -> list[IncidentView]:
    """The public incidents that began in [start, end), the newest first, without updates."""
    chosen = (
        select(Incident.id)
        .where(Incident.started_at >= to_us(start), Incident.started_at < to_us(end), Incident.is_public)
        .order_by(Incident.started_at.desc())
        .limit(MOST_TOLD)
    )
    return _public(_load(lambda statement: statement.where(Incident.id.in_(select(chosen.subquery().c.id)))))


def load_open_incidents() -> list[IncidentView]:
    """The public incidents that are open, the newest first, with their updates."""
    found = _load(
        lambda statement: statement.where(
            Incident.id.in_(select(Incident.id).where(Incident.resolved_at.is_(None), Incident.is_public))
        )
    )
    return with_updates(_public(found))


def load_past_incidents(now: datetime, zone: ZoneInfo, days: int) -> dict[date, list[IncidentView]]:
    """The public incidents of the last `days` days that are over, by the day of the zone on which each began."""
    start = first_moment(now, zone, days)
    found = [incident for incident in load_public_incidents(start) if not incident.is_open]
    return by_day(with_updates(found), zone)


def find_public_incident(incident_id: int) -> IncidentView | None:
    """One public incident with its updates; None for a draft as for none at all."""
    found = _public(_load(lambda statement: statement.where(Incident.id == incident_id, Incident.is_public)))
    return with_updates(found)[0] if found else None


def find_incident(incident_id: int) -> IncidentFile | None:
    """All of one incident, for operators."""
    found = _load(lambda statement: statement.where(Incident.id == incident_id))
    if not found:
        return None
    evidence = db.session.scalar(select(Incident.evidence).where(Incident.id == incident_id))
    return IncidentFile(with_updates(found)[0], evidence)


def list_incidents(limit: int = MOST_SHOWN, *, only_open: bool = False) -> list[IncidentView]:
    """The newest incidents, drafts included, without updates; for operators."""
    wanted = Incident.resolved_at.is_(None) if only_open else true()
    chosen = select(Incident.id).where(wanted).order_by(Incident.started_at.desc(), Incident.id.desc()).limit(limit)
    return _load(lambda statement: statement.where(Incident.id.in_(chosen)))


def with_updates(incidents: Sequence[IncidentView]) -> list[IncidentView]:
    """The same with their updates."""
    timelines = load_timelines([incident.id for incident in incidents], []).incidents
    return [replace(incident, updates=timelines.get(incident.id, ())) for incident in incidents]


def by_day(incidents: Iterable[IncidentView], zone: ZoneInfo) -> dict[date, list[IncidentView]]:
    """Incidents, the newest first, by the day on which each began."""

    def day_of(incident: IncidentView) -> date:
        return incident.started_at.astimezone(zone).date()

    return {day: list(found) for day, found in groupby(incidents, day_of)}


def first_moment(now: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The beginning of the first of the last `days` days, today included."""
    return from_us(day_start(now.astimezone(zone).date() - timedelta(days=days - 1), zone))


def _load(narrow: Callable[[Select[Any]], Select[Any]]) -> list[IncidentView]:
    """Incidents with all that they affect, the newest first: one statement. Evidence is left where it is."""
    rows = db.session.execute(narrow(_WITH_AFFECTED)).all()
    return [_view(list(found)) for _, found in groupby(rows, lambda row: row.id)]


def _view(rows: list[Any]) -> IncidentView:
    row = rows[0]
    return IncidentView(
        id=row.id,
        title=row.title,
        status=row.status,
        impact=row.impact if row.impact_override is None else row.impact_override,
        is_public=row.is_public,
        is_automatic=row.is_automatic,
        is_touched=row.touched_at is not None,
        started_at=from_us(row.started_at),
        resolved_at=None if row.resolved_at is None else from_us(row.resolved_at),
        updated_at=from_us(row.updated_at),
        affected=tuple(
            Affected(one.endpoint_id, one.name, one.endpoint_status, one.endpoint_is_public)
            for one in rows
            if one.endpoint_id is not None
        ),
    )


def _public(found: Iterable[IncidentView]) -> list[IncidentView]:
    """The same without private services; what a machine opened for nothing else is left out."""
    shown = []
    for incident in found:
        affected = tuple(service for service in incident.affected if service.is_public)
        title = incident.title
        if incident.is_automatic and not incident.is_touched:
            if incident.affected and not affected:
                continue
            # A service may have become private since, or have another name.
            title = automatic_title([(service.name, service.status) for service in affected])
        shown.append(replace(incident, title=title, affected=affected))
    return shown
