"""Services: adding, changing and deleting them, pausing and muting them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from flask import Response, url_for

from statusapp.clock import utcnow
from statusapp.domain.enums import AuditKind
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.queries.api_endpoints import MISSING, id_of_name
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoint_edits import change_endpoint, delete_endpoints, load_endpoint
from statusapp.services.endpoint_kinds import kind_of_address
from statusapp.services.endpoints import create_endpoint, pause_endpoints, resume_endpoints
from statusapp.services.rules import mute_endpoint
from statusapp.web.api.access import caller
from statusapp.web.api.answers import created, nothing, unchanged
from statusapp.web.api.blueprints import members
from statusapp.web.api.endpoints import ENDPOINT, KINDS, answer_endpoint, endpoint_as_data
from statusapp.web.api.problems import Problem
from statusapp.web.api.schemas_endpoints import Endpoint, Mute

BY_NAME = "/endpoints/by-name/<path:name>/"


@members.route("/endpoints/", methods=["POST"])
@members.arguments(Endpoint)
@members.response(201, Endpoint)
def add_endpoint(given: dict[str, Any]) -> Response:
    """Add a service. It is checked at once."""
    return _add(given)


@members.route(ENDPOINT, methods=["PUT"])
@members.arguments(Endpoint)
@members.response(200, Endpoint)
def put_endpoint(given: dict[str, Any], endpoint_id: int) -> Response:
    """Put a whole service in the place of one that is there. Secrets that are left out stay."""
    return _replace(endpoint_id, given)


@members.route(ENDPOINT, methods=["PATCH"])
@members.arguments(Endpoint(partial=True))
@members.response(200, Endpoint)
def patch_endpoint(given: dict[str, Any], endpoint_id: int) -> Response:
    """Change some of what is said about a service."""
    with _unchanged(endpoint_id):
        _change(endpoint_id, replace(load_endpoint(endpoint_id).draft, **_values(given)), given)
    return answer_endpoint(endpoint_id)


@members.route(ENDPOINT, methods=["DELETE"])
@members.response(204)
def delete_endpoint(endpoint_id: int) -> Response:
    """Delete a service with its history. Incidents stay, without it."""
    with _unchanged(endpoint_id):
        delete_endpoints([endpoint_id], caller().actor, utcnow())
    return nothing()


@members.route(BY_NAME, methods=["GET"])
@members.response(200, Endpoint)
def get_endpoint_by_name(name: str) -> Response:
    """One service, by its name."""
    endpoint_id = id_of_name(name)
    if endpoint_id is None:
        raise NotFound(MISSING)
    return answer_endpoint(endpoint_id)


@members.route(BY_NAME, methods=["PUT"])
@members.arguments(Endpoint)
@members.response(200, Endpoint)
@members.alt_response(201, schema=Endpoint)
def put_endpoint_by_name(given: dict[str, Any], name: str) -> Response:
    """Have a service of this name be as it is described here, whether it is there or not.

    So a configuration can be applied again and again. Another name in the body renames the service.
    """
    endpoint_id = id_of_name(name)
    return _add(given) if endpoint_id is None else _replace(endpoint_id, given)


@members.route(f"{ENDPOINT}pause/", methods=["POST"])
@members.response(200, Endpoint)
def pause_endpoint(endpoint_id: int) -> Response:
    """Stop checking a service for now."""
    load_endpoint(endpoint_id)
    pause_endpoints([endpoint_id], utcnow(), actor=caller().actor)
    return answer_endpoint(endpoint_id)


@members.route(f"{ENDPOINT}resume/", methods=["POST"])
@members.response(200, Endpoint)
def resume_endpoint(endpoint_id: int) -> Response:
    """Check a paused service again."""
    load_endpoint(endpoint_id)
    resume_endpoints([endpoint_id], utcnow(), actor=caller().actor)
    return answer_endpoint(endpoint_id)


@members.route(f"{ENDPOINT}mute/", methods=["PUT"])
@members.arguments(Mute)
@members.response(200, Endpoint)
def mute(given: dict[str, Any], endpoint_id: int) -> Response:
    """Alert nobody about a service, for good or until an instant."""
    until = None if given["until"] is None else to_us(given["until"])
    mute_endpoint(endpoint_id, muted=True, until=until, actor=caller().actor)
    return answer_endpoint(endpoint_id)


@members.route(f"{ENDPOINT}mute/", methods=["DELETE"])
@members.response(204)
def unmute(endpoint_id: int) -> Response:
    """Alert people about a service again."""
    mute_endpoint(endpoint_id, muted=False, actor=caller().actor)
    return nothing()


def _add(given: dict[str, Any]) -> Response:
    draft = EndpointDraft(**_values(given))
    _check_secrets(draft)
    endpoint_id = create_endpoint(draft, utcnow(), actor=caller().actor)
    data, version = endpoint_as_data(endpoint_id)
    return created(data, url_for("api_public.get_endpoint", endpoint_id=endpoint_id), version=version)


def _replace(endpoint_id: int, given: dict[str, Any]) -> Response:
    with _unchanged(endpoint_id):
        _change(endpoint_id, EndpointDraft(**_values(given)), given)
    return answer_endpoint(endpoint_id)


def _unchanged(endpoint_id: int) -> AbstractContextManager[None]:
    return unchanged(AuditKind.SERVICE, endpoint_id, lambda: endpoint_as_data(endpoint_id)[1])


def _change(endpoint_id: int, draft: EndpointDraft, given: dict[str, Any]) -> None:
    cleared = given.get("cleared_secrets", ())
    change_endpoint(endpoint_id, draft, caller().actor, utcnow(), cleared, may_use_secrets=caller().is_owner)


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """What was given as a draft has it."""
    values = {name: value for name, value in given.items() if name != "cleared_secrets"}
    if "conditions" in values:
        values["conditions"] = tuple((one["text"], one["degrades"]) for one in values["conditions"])
    return values | {name: tuple(values[name]) for name in ("tags", "depends_on") if name in values}


def _check_secrets(draft: EndpointDraft) -> None:
    """Secrets are an owner's to set, as in the form."""
    if caller().is_owner:
        return
    try:
        options = KINDS[kind_of_address(draft.url)].options
    except ValueError:
        return
    secret = [option.name for option in options if option.is_secret and draft.options.get(option.name)]
    if secret:
        raise Problem(403, "Secrets may only be set by an owner.", {f"options.{secret[0]}": "This is a secret."})
