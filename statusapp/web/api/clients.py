"""An account's own API tokens and OAuth applications."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.enums import ApiClientKind, Scope
from statusapp.domain.errors import NotFound
from statusapp.queries.api_clients import ApiClientItem, get_client, list_clients
from statusapp.services import api_clients
from statusapp.services.api_tokens import ApiAccess, last_used
from statusapp.web.api import schemas_clients as schemas
from statusapp.web.api.answers import answer, nothing, unchanged
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.bearer import require

blueprint = ApiBlueprint("api_clients", __name__, url_prefix="/api/v1/auth")

TOKEN, APPLICATION = ApiClientKind.TOKEN, ApiClientKind.APPLICATION
_ID = "<string(maxlength=32):client_id>"


@blueprint.get("/tokens/")
@blueprint.arguments(schemas.WhoseQuery, location="query")
@blueprint.response(200, schemas.ApiTokens)
def list_tokens(given: dict[str, Any]) -> ResponseReturnValue:
    """API tokens of this account, or of all for owners."""
    return answer({"tokens": _listed(TOKEN, given)})


@blueprint.post("/tokens/")
@blueprint.arguments(schemas.NewApiClient)
@blueprint.response(201, schemas.NewApiToken)
def add_token(given: dict[str, Any]) -> ResponseReturnValue:
    """Make an API token. It is shown in this answer alone."""
    return _add(TOKEN, given, "token")


@blueprint.get(f"/tokens/{_ID}/")
@blueprint.response(200, schemas.ApiClientItem)
def get_token(client_id: str) -> ResponseReturnValue:
    """One API token."""
    return _answer_one(TOKEN, client_id)


@blueprint.route(f"/tokens/{_ID}/", methods=["DELETE"])
@blueprint.response(204)
def revoke_token(client_id: str) -> ResponseReturnValue:
    """Revoke an API token, for good."""
    return _revoke(TOKEN, client_id)


@blueprint.get("/oauth/applications/")
@blueprint.arguments(schemas.WhoseQuery, location="query")
@blueprint.response(200, schemas.Applications)
def list_applications(given: dict[str, Any]) -> ResponseReturnValue:
    """OAuth applications of this account, or of all for owners."""
    return answer({"applications": _listed(APPLICATION, given)})


@blueprint.post("/oauth/applications/")
@blueprint.arguments(schemas.NewApiClient)
@blueprint.response(201, schemas.NewApplication)
def add_application(given: dict[str, Any]) -> ResponseReturnValue:
    """Make an OAuth application. Its secret is shown in this answer alone."""
    return _add(APPLICATION, given, "client_secret")


@blueprint.get(f"/oauth/applications/{_ID}/")
@blueprint.response(200, schemas.ApiClientItem)
def get_application(client_id: str) -> ResponseReturnValue:
    """One OAuth application."""
    return _answer_one(APPLICATION, client_id)


@blueprint.route(f"/oauth/applications/{_ID}/", methods=["DELETE"])
@blueprint.response(204)
def revoke_application(client_id: str) -> ResponseReturnValue:
    """Revoke an OAuth application with its access tokens, for good."""
    return _revoke(APPLICATION, client_id)


def _access() -> ApiAccess:
    access: ApiAccess = g.access
    return access


def _whose() -> int | None:
    """Whose clients may be seen and revoked: owners deal with those of all, which is None."""
    access = _access()
    return None if access.may(Scope.ADMIN) else access.account.user_id


def _listed(kind: ApiClientKind, given: dict[str, Any]) -> list[dict[str, Any]]:
    if given["everyone"]:
        require(_access(), Scope.ADMIN, "Only an owner may see those of everyone.")
    account_id = None if given["everyone"] else _access().account.user_id
    return _shown(list_clients(account_id, kind, utcnow()))


def _shown(found: list[ApiClientItem]) -> list[dict[str, Any]]:
    used = last_used([one.client_id for one in found])
    items = [_fields(one) | {"last_used_at": used.get(one.client_id)} for one in found]
    dumped: list[dict[str, Any]] = schemas.ApiClientItem(many=True).dump(items)
    return dumped


def _fields(item: ApiClientItem) -> dict[str, Any]:
    names = ("client_id", "name", "email", "scopes", "created_at", "expires_at", "state")
    return {name: getattr(item, name) for name in names}


def _find(kind: ApiClientKind, client_id: str) -> ApiClientItem:
    found = get_client(client_id, utcnow(), _whose())
    if found.kind is not kind:
        raise NotFound("There is none of this id here.")
    return found


def _answer_one(kind: ApiClientKind, client_id: str) -> Response:
    found = _find(kind, client_id)
    # That it was used since is no change.
    return answer(_shown([found])[0], version=_fields(found))


def _add(kind: ApiClientKind, given: dict[str, Any], secret_name: str) -> Response:
    access = _access()
    draft = api_clients.ClientDraft(kind, given["name"], frozenset(given["scopes"]), given["expires_at"])
    made = api_clients.add_client(access.account.user_id, draft, access.actor, utcnow())
    response = jsonify(_shown([get_client(made.client_id, utcnow())])[0] | {secret_name: made.secret})
    response.status_code = 201
    view = "get_token" if kind is TOKEN else "get_application"
    response.headers["Location"] = url_for(f"api_clients.{view}", client_id=made.client_id)
    return response


def _revoke(kind: ApiClientKind, client_id: str) -> Response:
    found = _find(kind, client_id)
    with unchanged(api_clients.AUDITED[kind], found.id, lambda: _fields(_find(kind, client_id))):
        api_clients.revoke_client(client_id, _access().actor, utcnow(), _whose())
    return nothing()
