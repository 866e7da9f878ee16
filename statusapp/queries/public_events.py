"""What the page tells beside statuses: incidents and maintenance, in three statements whatever there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from statusapp.domain.instants import from_us
from statusapp.domain.strips import STRIP_DAYS
from statusapp.domain.uptime import day_start, days_between
from statusapp.extensions import db
from statusapp.models import Incident, MaintenanceOccurrence, MaintenanceWindow
from statusapp.queries.incidents import (
    IncidentView,
    by_day,
    first_moment,
    load_incidents_between,
    load_public_incidents,
    with_updates,
)
from statusapp.queries.maintenance import (
    MaintenanceView,
    load_maintenance_between,
    load_public_maintenance,
)
from statusapp.queries.timelines import load_timelines

PAST_DAYS = 14
# The bars of a service's days tell the incidents of all of them.
TOLD_DAYS = STRIP_DAYS


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day of the page's zone, with the incidents and the maintenance that began on it; of these only what is over."""

    day: date
    incidents: tuple[IncidentView, ...]
    maintenance: tuple[MaintenanceView, ...]


@dataclass(frozen=True, slots=True)
class PublicEvents:
    """Incidents and maintenance as the public sees them, the newest first, each with its updates.

    `days` are the last two weeks; `incidents` are all of the days that bars are drawn of, without updates.
    """

    open_incidents: tuple[IncidentView, ...] = ()
    in_progress: tuple[MaintenanceView, ...] = ()
    upcoming: tuple[MaintenanceView, ...] = ()
    days: tuple[PastDay, ...] = ()
    incidents: tuple[IncidentView, ...] = ()


def load_public_events(now: datetime, zone: ZoneInfo, *, with_incidents: bool = True) -> PublicEvents:
    """All of them as of `now`; only the maintenance when incidents are not to be shown."""
    start = first_moment(now, zone, PAST_DAYS)
    told_from = first_moment(now, zone, TOLD_DAYS)
    every = load_public_incidents(told_from) if with_incidents else []
    incidents = [incident for incident in every if incident.is_open or incident.started_at >= start]
    works = load_public_maintenance(start, now)
    told = load_timelines([incident.id for incident in incidents], [work.id for work in works])
    incidents = [replace(incident, updates=told.incidents.get(incident.id, ())) for incident in incidents]
    works = [replace(work, updates=told.occurrences.get(work.id, ())) for work in works]
    begun = by_day(incidents, zone)
    today = now.astimezone(zone).date()
    days = reversed(days_between(start.astimezone(zone).date(), today))
    return PublicEvents(
        open_incidents=tuple(incident for incident in incidents if incident.is_open),
        in_progress=tuple(work for work in works if work.is_going_on(now)),
        upcoming=tuple(sorted((work for work in works if work.is_ahead(now)), key=lambda work: work.starts_at)),
        days=tuple(
            PastDay(
                day,
                tuple(begun.get(day, ())),
                tuple(work for work in works if work.is_over and work.starts_at.astimezone(zone).date() == day),
            )
            for day in days
        ),
        incidents=tuple(every),
    )


def load_service_events(
    endpoint_id: int, start: datetime, now: datetime, *, with_incidents: bool
) -> tuple[list[IncidentView], list[MaintenanceView]]:
    """The public incidents that affect a service and the public maintenance of it since `start`, without updates."""
    incidents = load_public_incidents(start) if with_incidents else []
    return (
        [found for found in incidents if any(service.id == endpoint_id for service in found.affected)],
        load_public_maintenance(start, now, endpoint_id),
    )


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the page's zone by its days that something began on, the newest first; `first` is its first day.

    `earlier` and `later` are the first days of the months beside it, None where nothing is further on.
    """

    first: date
    days: tuple[PastDay, ...]
    earlier: date | None
    later: date | None


def load_month(first: date, now: datetime, zone: ZoneInfo) -> Month:
    """The public incidents and the finished public maintenance that began in a month, with their updates."""
    start, end = from_us(day_start(first, zone)), from_us(day_start(next_month(first), zone))
    incidents = with_updates(load_incidents_between(start, end))
    works = load_maintenance_between(start, end)
    begun = by_day(incidents, zone)
    worked: dict[date, list[MaintenanceView]] = {}
    for work in works:
        worked.setdefault(work.starts_at.astimezone(zone).date(), []).append(work)
    oldest = load_first_event()
    this_month = now.astimezone(zone).date().replace(day=1)
    has_earlier = oldest is not None and oldest < start
    return Month(
        first=first,
        days=tuple(
            PastDay(day, tuple(begun.get(day, ())), tuple(worked.get(day, ())))
            for day in sorted(begun.keys() | worked.keys(), reverse=True)
        ),
        earlier=(first - timedelta(days=1)).replace(day=1) if has_earlier else None,
        later=next_month(first) if first < this_month else None,
    )


def next_month(first: date) -> date:
    """The first day of the month after that of `first`."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def load_first_event() -> datetime | None:
    """When the first public incident or maintenance began, None when there has been none."""
    incident = select(func.min(Incident.started_at)).where(Incident.is_public)
    work = (
        select(func.min(MaintenanceOccurrence.starts_at))
        .join(MaintenanceWindow, MaintenanceWindow.id == MaintenanceOccurrence.window_id)
        .where(MaintenanceWindow.is_public, MaintenanceOccurrence.ended_at.is_not(None))
    )
    found = [
        moment
        for moment in db.session.execute(select(incident.scalar_subquery(), work.scalar_subquery())).one()
        if moment is not None
    ]
    return from_us(min(found)) if found else None
