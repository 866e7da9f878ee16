"""Incidents in a list, drafts included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from statusapp.domain.enums import Impact, IncidentStatus
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import Incident, IncidentEndpoint, ServiceEndpoint
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

_IMPACT = func.coalesce(Incident.impact_override, Incident.impact)
ORDERS = {
    "started": Order((Incident.started_at, Incident.id), (int, int)),
    "updated": Order((Incident.updated_at, Incident.id), (int, int)),
    "impact": Order((_IMPACT, Incident.id), (int, int)),
}


@dataclass(frozen=True, slots=True)
class IncidentItem:
    """An incident in a list."""

    id: int
    title: str
    status: IncidentStatus
    impact: Impact
    is_public: bool
    is_automatic: bool
    started_at: datetime
    resolved_at: datetime | None
    updated_at: datetime
    affected: tuple[str, ...]


def page_of_incidents(wanted: Wanted, _now: datetime) -> Page[IncidentItem]:
    """Incidents: two statements. Filters: state ("open" or "over"), status, impact, public, origin ("rule" or
    "person"), and the times since and until at which they began."""
    given, incident = wanted.filters, Incident
    statement: Any = select(incident, _IMPACT.label("shown_impact"))
    if wanted.search:
        statement = statement.where(func.lower(incident.title).like(containing(wanted.search.lower()), escape="\\"))
    if "state" in given:
        is_open = given["state"] == "open"
        statement = statement.where(incident.resolved_at.is_(None) if is_open else incident.resolved_at.is_not(None))
    if "status" in given:
        statement = statement.where(incident.status == given["status"])
    if "impact" in given:
        statement = statement.where(_IMPACT.in_([given["impact"]]))
    if "public" in given:
        statement = statement.where(incident.is_public.is_(given["public"]))
    if "origin" in given:
        statement = statement.where(incident.is_automatic.is_(given["origin"] == "rule"))
    if "since" in given:
        statement = statement.where(incident.started_at >= to_us(given["since"]))
    if "until" in given:
        statement = statement.where(incident.started_at < to_us(given["until"]))
    page = load_page(statement, ORDERS, wanted, lambda row: row)
    affected = _affected([row.Incident.id for row in page.rows])
    return Page([_item(row, affected.get(row.Incident.id, ())) for row in page.rows], page.before, page.after)


def find_set_impact(incident_id: int) -> Impact | None:
    """The impact that a person has set; None while it follows from the services."""
    return db.session.scalar(select(Incident.impact_override).where(Incident.id == incident_id))


def _affected(incident_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    if incident_ids:
        rows = db.session.execute(
            select(IncidentEndpoint.incident_id, ServiceEndpoint.name)
            .join(ServiceEndpoint, ServiceEndpoint.id == IncidentEndpoint.endpoint_id)
            .where(IncidentEndpoint.incident_id.in_(incident_ids))
            .order_by(ServiceEndpoint.name)
        )
        for incident_id, name in rows:
            found[incident_id] = (*found.get(incident_id, ()), name)
    return found


def _item(row: Any, affected: tuple[str, ...]) -> IncidentItem:
    incident = row.Incident
    return IncidentItem(
        id=incident.id,
        title=incident.title,
        status=incident.status,
        impact=Impact(row.shown_impact),
        is_public=incident.is_public,
        is_automatic=incident.is_automatic,
        started_at=from_us(incident.started_at),
        resolved_at=None if incident.resolved_at is None else from_us(incident.resolved_at),
        updated_at=from_us(incident.updated_at),
        affected=affected,
    )
