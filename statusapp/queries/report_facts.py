"""What there is to say of one day: from the ledger, from sums, and from single rows of that day by their indexes.

Nothing here is proportional to history. The single checks of the day are counted once, by the database, because no sum
says how late they were. Instants and durations are microseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select, text

from statusapp.domain.blocks import DAY_S, HOUR_S, Tile, ceil_to, cover, floor_to
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.histogram import decode
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.latency import LatencySums
from statusapp.domain.uptime import Spent, time_per_status
from statusapp.domain.values import Interval
from statusapp.extensions import db
from statusapp.models import (
    DailyReport,
    EndpointState,
    Incident,
    IncidentEndpoint,
    LatencyRollup,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.queries.endpoints import PAGE_ORDER
from statusapp.queries.latency import SUMS
from statusapp.queries.ledger import load_ledger
from statusapp.queries.watermarks import LATENCY, complete_until

WEEK_DAYS = 7

# Through the endpoints, so that each one's day is found by the key of the checks.
_PUNCTUALITY = text("""
SELECT COUNT(*) AS checks, COALESCE(SUM(CASE WHEN h.late_us > :late THEN 1 ELSE 0 END), 0) AS late,
    MAX(h.late_us) AS worst_us, COALESCE(SUM(CASE WHEN h.outcome = :own THEN 1 ELSE 0 END), 0) AS own_errors
FROM service_endpoint AS e CROSS JOIN health_check AS h
WHERE h.endpoint_id = e.id AND h.location = 0 AND h.slot >= :start AND h.slot < :end
""")


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """One service on one day. `outages` is how many times it was down; `week_p95_us` is of the seven days before."""

    id: int
    name: str
    spent: Spent
    outages: int
    sums: LatencySums
    week_p95_us: int | None


@dataclass(frozen=True, slots=True)
class IncidentDay:
    """An incident that was open on the day, and the services that it affects."""

    incident: Incident
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a service, and when it ends."""

    name: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How the checks of a day were made. `own_errors` are those that failed for the monitor's own reasons."""

    checks: int = 0
    late: int = 0
    worst_us: int | None = None
    own_errors: int = 0


@dataclass(frozen=True, slots=True)
class _State:
    """What the state of a service says about whether it is watched at all."""

    name: str
    is_enabled: bool
    status: Status
    status_since: int
    last_checked_at: int | None
    silent_after: int | None

    def silent_since(self, now: int) -> int | None:
        """From when on nothing is known, although the ledger does not say so yet."""
        if self.silent_after is None or not self.is_enabled or now <= self.silent_after:
            return None
        if self.status is Status.UNKNOWN:
            return None
        return max(self.last_checked_at or self.silent_after, self.status_since)


def load_services(start: int, end: int, now: int) -> list[ServiceDay]:
    """The services that there were in [start, end) and are still, in the order of the page."""
    states = _load_states(end)
    ledger = load_ledger(start, end)
    # Sums are of hours of UTC: of a day that begins at half past, those that begin half an hour earlier.
    first, last = floor_to(start, HOUR_S), floor_to(end, HOUR_S) if end < now else ceil_to(end, HOUR_S)
    day = _load_sums(first, last)
    week = _load_sums(first - WEEK_DAYS * DAY_S * SECOND, first)
    found = []
    for key, state in states.items():
        intervals = _known_part(ledger.get(key, []), state.silent_since(now), end)
        outages = sum(interval.status is Status.MAJOR_OUTAGE for interval in intervals)
        spent = time_per_status(intervals, start, end)
        before = week[key].percentile(0.95) if key in week else None
        found.append(ServiceDay(key, state.name, spent, outages, day.get(key, LatencySums()), before))
    return found


def load_incidents(start: int, end: int) -> list[IncidentDay]:
    """The incidents that were open in [start, end), drafts included, the oldest first."""
    incidents = db.session.scalars(
        select(Incident)
        .where(Incident.started_at < end, or_(Incident.resolved_at.is_(None), Incident.resolved_at >= start))
        .order_by(Incident.started_at, Incident.id)
    ).all()
    names: dict[int, list[str]] = defaultdict(list)
    if incidents:
        rows = db.session.execute(
            select(IncidentEndpoint.incident_id, ServiceEndpoint.name)
            .join(ServiceEndpoint, ServiceEndpoint.id == IncidentEndpoint.endpoint_id)
            .where(IncidentEndpoint.incident_id.in_([incident.id for incident in incidents]))
            .order_by(ServiceEndpoint.name)
        )
        for incident_id, name in rows:
            names[incident_id].append(name)
    return [IncidentDay(incident, tuple(names[incident.id])) for incident in incidents]


def list_certificates(before: int) -> list[Certificate]:
    """The certificates of services that are checked which end before an instant, the first to end first."""
    rows = db.session.execute(
        select(ServiceEndpoint.name, EndpointState.certificate_expires_at)
        .join(EndpointState, EndpointState.endpoint_id == ServiceEndpoint.id)
        .where(ServiceEndpoint.is_enabled, EndpointState.certificate_expires_at < before)
        .order_by(EndpointState.certificate_expires_at, ServiceEndpoint.name)
    )
    return [Certificate(name, expires_at) for name, expires_at in rows if expires_at is not None]


def load_punctuality(start: int, end: int, late_us: int) -> Punctuality:
    """How the checks of [start, end) were made; late is what began later than `late_us` after it was due."""
    values = {"start": start, "end": end, "late": late_us, "own": int(Outcome.INTERNAL_ERROR)}
    row = db.session.execute(_PUNCTUALITY, values).one()
    return Punctuality(int(row.checks), int(row.late), row.worst_us, int(row.own_errors))


def find_report(day: date) -> dict[str, Any] | None:
    """The report of a day as it was written."""
    return db.session.scalar(select(DailyReport.data).where(DailyReport.day == day))


def newest_report_before(day: date) -> dict[str, Any] | None:
    """The newest report of a day before `day`."""
    return db.session.scalar(
        select(DailyReport.data).where(DailyReport.day < day).order_by(DailyReport.day.desc()).limit(1)
    )


def _load_states(end: int) -> dict[int, _State]:
    rows = db.session.execute(
        select(
            ServiceEndpoint.id,
            ServiceEndpoint.name,
            ServiceEndpoint.is_enabled,
            EndpointState.status,
            EndpointState.status_since,
            EndpointState.last_checked_at,
            EndpointState.silent_after,
        )
        .join(EndpointState, EndpointState.endpoint_id == ServiceEndpoint.id)
        .outerjoin(ServiceGroup, ServiceGroup.id == ServiceEndpoint.group_id)
        .where(ServiceEndpoint.created_at < from_us(end))
        .order_by(*PAGE_ORDER)
    )
    return {row.id: _State(*row[1:]) for row in rows}


def _known_part(intervals: Iterable[Interval], silent_since: int | None, end: int) -> list[Interval]:
    """The intervals, with unknown in place of what nobody has seen since the service fell silent."""
    if silent_since is None or silent_since >= end:
        return list(intervals)
    known = [
        Interval(interval.status, interval.start, min(interval.end, silent_since))
        for interval in intervals
        if interval.start < silent_since
    ]
    start = max(silent_since, min((interval.start for interval in intervals), default=silent_since))
    return [*known, Interval(Status.UNKNOWN, start, end)]


def _load_sums(start: int, end: int) -> dict[int, LatencySums]:
    """The checks of whole hours by endpoint, from as few blocks as cover them."""
    until, _ = complete_until(LATENCY)
    found: dict[int, LatencySums] = defaultdict(LatencySums)
    for tile in (Tile(tile.step_s or HOUR_S, tile.start, tile.end) for tile in cover(start, end, until)):
        rows = db.session.execute(
            select(LatencyRollup.endpoint_id, *SUMS).where(
                LatencyRollup.endpoint_id.in_(select(ServiceEndpoint.id)),
                LatencyRollup.step_s == tile.step_s,
                LatencyRollup.start >= tile.start,
                LatencyRollup.start < tile.end,
            )
        )
        for key, count, failures, sum_us, min_us, max_us, packed in rows:
            found[key].add(count, failures, sum_us, min_us, max_us, decode(packed))
    return found
