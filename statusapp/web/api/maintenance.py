"""Maintenance: planning it, changing it, calling it off, telling how it goes."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.enums import AuditKind
from statusapp.domain.instants import to_us
from statusapp.queries.api_incidents import WINDOW_ORDERS, get_window, page_of_windows
from statusapp.services import maintenance_plans as plans
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer, created, nothing, unchanged
from statusapp.web.api.blueprints import members
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.schemas_incidents import Maintenance, MaintenanceFile, OccurrenceStart, OccurrenceText

WINDOW = "/maintenance/<int(max=2147483647):window_id>/"
WINDOWS = listing("Maintenance", WINDOW_ORDERS, "-created", Maintenance, {"cancelled": fields.Boolean()})


@members.route("/maintenance/")
@members.arguments(WINDOWS.query, location="query")
@members.response(200, WINDOWS.answer)
def list_maintenance(given: dict[str, Any]) -> Response:
    """Planned work."""
    return answer_page(WINDOWS, page_of_windows(wanted_of(WINDOWS, given), utcnow()))


@members.route("/maintenance/", methods=["POST"])
@members.arguments(Maintenance)
@members.response(201, MaintenanceFile)
def plan_maintenance(given: dict[str, Any]) -> Response:
    """Plan work."""
    window_id = plans.plan_maintenance(plans.MaintenanceDraft(**given), utcnow(), actor=caller().actor)
    data, version = _load(window_id)
    return created(data, url_for("api_resources.show_maintenance", window_id=window_id), version=version)


@members.route(WINDOW)
@members.response(200, MaintenanceFile)
def show_maintenance(window_id: int) -> Response:
    """Planned work, with its newest occurrences."""
    return _answer(window_id)


@members.route(WINDOW, methods=["PUT"])
@members.arguments(Maintenance)
@members.response(200, MaintenanceFile)
def put_maintenance(given: dict[str, Any], window_id: int) -> Response:
    """Change planned work. What has begun keeps its beginning."""
    with unchanged(AuditKind.MAINTENANCE, window_id, lambda: _load(window_id)[1]):
        plans.change_maintenance(window_id, plans.MaintenanceDraft(**given), utcnow(), actor=caller().actor)
    return _answer(window_id)


@members.route(WINDOW, methods=["DELETE"])
@members.response(204)
def cancel_maintenance(window_id: int) -> Response:
    """Call it off: what is going on ends now, and there will be no more of it."""
    with unchanged(AuditKind.MAINTENANCE, window_id, lambda: _load(window_id)[1]):
        plans.cancel_maintenance(window_id, utcnow(), caller().account.email, actor=caller().actor)
    return nothing()


@members.route(f"{WINDOW}updates/", methods=["POST"])
@members.arguments(OccurrenceText)
@members.response(201, MaintenanceFile)
def add_maintenance_update(given: dict[str, Any], window_id: int) -> Response:
    """Say how an occurrence goes."""
    author, starts_at = caller().account.email, to_us(given["starts_at"])
    plans.add_maintenance_update(window_id, starts_at, given["body"], author, utcnow(), actor=caller().actor)
    data, version = _load(window_id)
    return created(data, url_for("api_resources.show_maintenance", window_id=window_id), version=version)


@members.route(f"{WINDOW}cancel-occurrence/", methods=["POST"])
@members.arguments(OccurrenceStart)
@members.response(200, MaintenanceFile)
def cancel_occurrence(given: dict[str, Any], window_id: int) -> Response:
    """Call off one occurrence, or end it now if it is going on."""
    who = caller().actor
    plans.cancel_occurrence(window_id, to_us(given["starts_at"]), utcnow(), who.name, actor=who)
    return _answer(window_id)


def _answer(window_id: int) -> Response:
    data, version = _load(window_id)
    return answer(data, version=version)


def _load(window_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of it, and the part that operators write."""
    window, occurrences = get_window(window_id, utcnow())
    data: dict[str, Any] = MaintenanceFile().dump({"maintenance": window, "occurrences": occurrences})
    return data, {name: value for name, value in data["maintenance"].items() if name != "next_at"}
