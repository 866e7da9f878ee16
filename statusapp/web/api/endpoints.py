"""Services: the lists and files that everybody, or whoever is signed in, may read."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from flask import Response
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.enums import Status
from statusapp.queries.admin_endpoints import ORDERS, page_of_endpoints
from statusapp.queries.api_endpoints import (
    PUBLIC_ORDERS,
    get_public_endpoint,
    get_standing,
    page_of_public_endpoints,
)
from statusapp.services.endpoint_edits import load_endpoint
from statusapp.services.endpoint_kinds import list_kinds
from statusapp.web.api.access import find_caller
from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import public
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.problems import Problem
from statusapp.web.api.schemas_endpoints import Endpoint, EndpointItem, PublicEndpointItem
from statusapp.web.api.schemas_fields import Text, Whole, Word, one_of

ENDPOINT = "/endpoints/<int(max=2147483647):endpoint_id>/"
KINDS = {kind.name: kind for kind in list_kinds()}
_FOR_EVERYBODY: dict[str, Any] = {
    "status": Word(Status),
    "group": Whole(1, metadata={"description": "The id of a group."}),
}
PUBLIC_LIST = listing("PublicEndpoint", PUBLIC_ORDERS, "name", PublicEndpointItem, _FOR_EVERYBODY)
WHOLE_LIST = listing(
    "Endpoint",
    ORDERS,
    "name",
    EndpointItem,
    {
        **_FOR_EVERYBODY,
        "kind": fields.String(validate=one_of(KINDS)),
        "tag": Text(50),
        "state": fields.String(validate=one_of(("enabled", "paused", "muted"))),
        "public": fields.Boolean(),
    },
    is_searched=True,
)
_FOR_MEMBERS = set(WHOLE_LIST.query().fields) - set(PUBLIC_LIST.query().fields)
_PUBLIC_SORTS = {sign + name for name in PUBLIC_ORDERS for sign in ("", "-")}


@public.route("/endpoints/")
@public.arguments(WHOLE_LIST.query, location="query")
@public.response(200, {"anyOf": [PUBLIC_LIST.answer, WHOLE_LIST.answer]})
def list_endpoints(given: dict[str, Any]) -> Response:
    """Services: those on the status page, or with a sign-in all of them, with more about each.

    Without a sign-in they can be narrowed by status and group, and sorted by name and by when they were checked.
    """
    if find_caller() is None:
        _check_public(given)
        page = page_of_public_endpoints(wanted_of(PUBLIC_LIST, given), utcnow())
        return answer_page(PUBLIC_LIST, page, for_everybody=True)
    if "kind" in given:
        given["kind"] = KINDS[given["kind"]].schemes
    return answer_page(WHOLE_LIST, page_of_endpoints(wanted_of(WHOLE_LIST, given), utcnow()))


@public.route(ENDPOINT, endpoint="get_endpoint")
@public.response(200, {"anyOf": [PublicEndpointItem, Endpoint]})
def show_endpoint(endpoint_id: int) -> Response:
    """One service: what is public of it, or with a sign-in all that an operator has said about it."""
    if find_caller() is None:
        return answer(PublicEndpointItem().dump(get_public_endpoint(endpoint_id, utcnow())), for_everybody=True)
    return answer_endpoint(endpoint_id)


def answer_endpoint(endpoint_id: int) -> Response:
    """All of one service. What If-Match is held against is what an operator has said, not where it stands."""
    data, version = endpoint_as_data(endpoint_id)
    return answer(data, version=version)


def endpoint_as_data(endpoint_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of one service, and the part that operators write.

    Raises:
        NotFound: when it is not there.
    """
    found = load_endpoint(endpoint_id)
    draft = {name: getattr(found.draft, name) for name in found.draft.__dataclass_fields__}
    draft["conditions"] = [{"text": text, "degrades": degrades} for text, degrades in found.draft.conditions]
    whole = {
        **asdict(get_standing(endpoint_id, utcnow())),
        **draft,
        "id": found.id,
        "is_enabled": found.is_enabled,
        "is_muted": found.is_muted,
        "muted_until": found.muted_until,
        "created_at": found.created_at,
        "secrets": sorted(found.secrets),
    }
    data: dict[str, Any] = _schema().dump(whole)
    written = {name for name, field in _schema().fields.items() if not field.dump_only} | {"secrets"}
    return data, {name: value for name, value in data.items() if name in written}


def _check_public(given: dict[str, Any]) -> None:
    """Refuse to a stranger what would tell more than the page does, such as a search in addresses."""
    closed = sorted(_FOR_MEMBERS & set(given))
    if given["sort"] not in _PUBLIC_SORTS:
        closed.append("sort")
    if closed:
        known = f"Without it there are {', '.join(_FOR_EVERYBODY)}, and {', '.join(sorted(_PUBLIC_SORTS))} to sort by."
        raise Problem(401, f"This needs a sign-in. {known}", dict.fromkeys(closed, "This needs a sign-in."))


@lru_cache(maxsize=1)
def _schema() -> Endpoint:
    return Endpoint()
