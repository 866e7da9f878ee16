"""What the page tells beside statuses: incidents and maintenance, in three statements whatever there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from statusapp.domain.uptime import days_between
from statusapp.queries.incidents import IncidentView, by_day, first_moment, load_public_incidents
from statusapp.queries.maintenance import MaintenanceView, load_public_maintenance
from statusapp.queries.timelines import load_timelines

PAST_DAYS = 14


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day of the page's zone, with the incidents and the maintenance that began on it; of these only what is over."""

    day: date
    incidents: tuple[IncidentView, ...]
    maintenance: tuple[MaintenanceView, ...]


@dataclass(frozen=True, slots=True)
class PublicEvents:
    """Incidents and maintenance as the public sees them, each with its updates. `days` are the newest first."""

    open_incidents: tuple[IncidentView, ...] = ()
    in_progress: tuple[MaintenanceView, ...] = ()
    upcoming: tuple[MaintenanceView, ...] = ()
    days: tuple[PastDay, ...] = ()


def load_public_events(now: datetime, zone: ZoneInfo, *, with_incidents: bool = True) -> PublicEvents:
    """All of them as of `now`; only the maintenance when incidents are not to be shown."""
    start = first_moment(now, zone, PAST_DAYS)
    incidents = load_public_incidents(start) if with_incidents else []
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
    )
