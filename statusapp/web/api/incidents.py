"""Incidents: reading, opening, telling, changing."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.enums import AuditKind, IncidentStatus
from statusapp.domain.errors import NotFound
from statusapp.queries.api_incidents import INCIDENT_ORDERS, get_incident, has_update, page_of_incidents
from statusapp.services import incident_updates as people
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer, created, unchanged
from statusapp.web.api.blueprints import members
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.schemas_fields import Instant, Whole, Word
from statusapp.web.api.schemas_incidents import (
    IncidentFile,
    IncidentItem,
    IncidentPart,
    NewIncident,
    Update,
    UpdateText,
)

INCIDENT = "/incidents/<int(max=2147483647):incident_id>/"
INCIDENTS = listing(
    "Incident",
    INCIDENT_ORDERS,
    "-started",
    IncidentItem,
    {
        "open": fields.Boolean(),
        "public": fields.Boolean(),
        "status": Word(IncidentStatus),
        "endpoint": Whole(1, metadata={"description": "The id of a service."}),
        "since": Instant(),
        "until": Instant(),
    },
)


@members.route("/incidents/")
@members.arguments(INCIDENTS.query, location="query")
@members.response(200, INCIDENTS.answer)
def list_incidents(given: dict[str, Any]) -> Response:
    """Incidents, drafts included."""
    return answer_page(INCIDENTS, page_of_incidents(wanted_of(INCIDENTS, given)))


@members.route("/incidents/", methods=["POST"])
@members.arguments(NewIncident)
@members.response(201, IncidentFile)
def open_incident(given: dict[str, Any]) -> Response:
    """Open an incident; a draft when it is not public."""
    who = caller().actor
    incident_id = people.open_incident(people.IncidentDraft(**given), who.name, utcnow(), actor=who)
    return created(_load(incident_id), url_for("api_resources.show_incident", incident_id=incident_id))


@members.route(INCIDENT)
@members.response(200, IncidentFile)
def show_incident(incident_id: int) -> Response:
    """One incident with its updates."""
    return answer(_load(incident_id))


@members.route(INCIDENT, methods=["PATCH"])
@members.arguments(IncidentPart)
@members.response(200, IncidentFile)
def patch_incident(given: dict[str, Any], incident_id: int) -> Response:
    """Change its title, its impact, the services that it affects, or whether the public sees it."""
    change = people.IncidentChange(
        title=given.get("title"),
        impact=given.get("impact"),
        derives_impact="impact" in given and given["impact"] is None,
        endpoint_ids=given.get("endpoint_ids"),
    )
    with unchanged(AuditKind.INCIDENT, incident_id, lambda: _load(incident_id)):
        people.change_incident(incident_id, change, utcnow(), actor=caller().actor)
    if "is_public" in given:
        people.publish_incident(incident_id, utcnow(), is_public=given["is_public"], actor=caller().actor)
    return answer(_load(incident_id))


@members.route(f"{INCIDENT}updates/", methods=["POST"])
@members.arguments(Update)
@members.response(201, IncidentFile)
def add_update(given: dict[str, Any], incident_id: int) -> Response:
    """Tell how it goes, and move it to a status if there is one."""
    who = caller().actor
    people.add_update(incident_id, given["body"], who.name, utcnow(), given["status"], actor=who)
    return created(_load(incident_id), url_for("api_resources.show_incident", incident_id=incident_id))


@members.route(f"{INCIDENT}updates/<int(max=2147483647):update_id>/", methods=["PUT"])
@members.arguments(UpdateText)
@members.response(200, IncidentFile)
def put_update(given: dict[str, Any], incident_id: int, update_id: int) -> Response:
    """Put another text in the place of an update's."""
    with unchanged(AuditKind.INCIDENT, incident_id, lambda: _load(incident_id)):
        if not has_update(incident_id, update_id):
            raise NotFound("This incident has no such update.")
        people.change_update(update_id, given["body"], utcnow(), actor=caller().actor)
    return answer(_load(incident_id))


def _load(incident_id: int) -> dict[str, Any]:
    found = get_incident(incident_id)
    data: dict[str, Any] = IncidentFile(exclude=["evidence"]).dump(found.incident)
    return data | {"evidence": found.evidence}
