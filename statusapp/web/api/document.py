"""The OpenAPI document of everything that programs can ask for, made from the routes and their schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, current_app

from statusapp import __version__
from statusapp.domain.enums import Scope, Status
from statusapp.web import guards
from statusapp.web.api import access
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.api.problems import Error

OPENAPI = "3.0.3"
ABOUT = """Everything the operator pages can do. Instants are ISO 8601 with their offset, lengths of time seconds.

Lists come in pages: the header Link and `next` lead to the next one. Every answer has an ETag; ask again with
If-None-Match and get 304 while it is the same. A change with If-Match is made only if nobody has changed the thing
since.
"""
# What each answer that is no success means.
WORDS = {
    "304": "It is what If-None-Match names.",
    "400": "Something in the request cannot be used; `fields` says what and what would be right.",
    "401": "A sign-in or a valid token is needed.",
    "403": "This account may not do that, or this token is not for it, or the CSRF token is missing.",
    "404": "There is no such thing.",
    "409": "It is not in a state in which that can be done.",
    "412": "It was changed since it was read.",
    "413": "The body is too large.",
    "429": "Too many requests; Retry-After says when to try again.",
    "503": "The database cannot be used right now.",
}
# It belongs to the status page, and is public as that is.
OVERVIEW: dict[str, Any] = {
    "summary": "Which services there are and how they do.",
    "tags": ["status"],
    "responses": {
        "200": {
            "description": "The overview.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["status", "headline", "is_stale", "updated_at", "counts", "services"],
                        "properties": {
                            "status": {"type": "string", "enum": [status.word for status in Status]},
                            "headline": {"type": "string", "example": "All Systems Operational"},
                            "is_stale": {"type": "boolean"},
                            "updated_at": {"type": "string", "format": "date-time", "nullable": True},
                            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                            "services": {"type": "array", "items": {"type": "object"}},
                        },
                    }
                }
            },
        }
    },
}
SCOPES = {
    Scope.READ: "Everything can be read.",
    Scope.WRITE: "What staff may do, reading too.",
    Scope.ADMIN: "What owners may do, all that staff may too.",
    Scope.INGEST: "Requests of host applications can be reported, and nothing else.",
}
# What a token must be for to write behind a guard.
_TO_WRITE = {
    access.member: Scope.WRITE,
    access.owner: Scope.ADMIN,
    guards.bearer_staff: Scope.WRITE,
    guards.bearer_ingest: Scope.INGEST,
}
_KEY = "statusapp.api"
_ARGUMENT = re.compile(r"<(?:[^<>]*:)?([^<>:]+)>")


class Api(flask_smorest.Api):  # type: ignore[misc]
    """Flask-smorest with our own shape of errors, which are answered in one place for the whole application."""

    ERROR_SCHEMA = Error

    def _register_error_handlers(self) -> None:
        pass


def _name_of(schema: Any) -> str:
    """What a schema is called in the document; one that takes a part of its fields is another one."""
    kind = schema if isinstance(schema, type) else type(schema)
    return f"{kind.__name__}Part" if getattr(schema, "partial", None) else kind.__name__


def load_document() -> dict[str, Any]:
    """The document of this application; made when it is asked for first, as most processes never are."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    kept: dict[str, Any] | None = app.extensions.get(_KEY)
    if kept is None:
        kept = app.extensions[_KEY] = _complete(_made(app), app)
    return kept


def _made(app: Flask) -> dict[str, Any]:
    """What the routes and their schemas say."""
    app.config.update(API_TITLE="Statusapp", API_VERSION=__version__, OPENAPI_VERSION=OPENAPI)
    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    api = Api(app, spec_kwargs={"info": {"description": ABOUT}, "marshmallow_plugin": plugin})
    # The document has an address; it needs no commands.
    app.cli.commands.pop("openapi", None)
    for scheme, told in _ways_in(app.config["SESSION_COOKIE_NAME"]).items():
        api.spec.components.security_scheme(scheme, told)
    for blueprint in app.blueprints.values():
        if isinstance(blueprint, ApiBlueprint):
            blueprint.register_views_in_doc(api, app, api.spec, name=blueprint.name, parameters=None)
    return deepcopy(api.spec.to_dict())


def _complete(document: dict[str, Any], app: Flask) -> dict[str, Any]:
    """The same with what all operations have in common: errors, headers, and who may come in."""
    guarding = dict(_guards(app))
    document["paths"]["/health/api/overview/"] = {"get": deepcopy(OVERVIEW)}
    for path, methods in document["paths"].items():
        common = methods.get("parameters", [])
        for method, operation in methods.items():
            if method != "parameters":
                guard = guarding.get((path, method.upper()))
                _complete_operation(operation, method, guard, takes_path=bool(common) or "{" in path)
    return document


def _complete_operation(operation: dict[str, Any], method: str, guard: Any, *, takes_path: bool) -> None:
    codes = ["401", "403", "429", "503"]
    if method == "get":
        codes += ["304"]
    else:
        codes += ["400", "409", "413"]
    if operation.get("parameters"):
        codes += ["400"]
    if takes_path or method == "post":
        codes += ["404"]
    if method in ("put", "patch", "delete"):
        codes += ["412"]
        operation.setdefault("parameters", []).append(_header("If-Match", "The ETag of what is to be changed."))
    if guard in (access.member, access.owner) and method != "get":
        operation.setdefault("parameters", []).append(_header("X-CSRFToken", "For browsers, which send a cookie."))
    for code in codes:
        answer: dict[str, Any] = {"description": WORDS[code]}
        if code != "304":
            answer["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        # The library's own word on 400 is a reference without one.
        if code not in operation["responses"] or "$ref" in operation["responses"][code]:
            operation["responses"][code] = answer
    operation["responses"].pop("default", None)
    operation.setdefault("security", _security(guard, method))


def _ways_in(cookie: str) -> dict[str, dict[str, Any]]:
    """How to show who asks."""
    flow = {"tokenUrl": "/api/v1/auth/oauth/token/", "scopes": {scope.word: SCOPES[scope] for scope in Scope}}
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, or the one that login/ answers.",
        },
        "oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}},
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "basic": {"type": "http", "scheme": "basic", "description": "An application's client_id and client_secret."},
    }


def _security(guard: Any, method: str) -> list[dict[str, list[str]]]:
    scope = Scope.READ if method == "get" else _TO_WRITE.get(guard)
    by_token: list[dict[str, list[str]]] = [{"bearer": []}]
    if scope is not None:
        by_token.append({"oauth": [scope.word]})
    if guard is guards.public:
        return [{}, *by_token, {"session": []}]
    return [*by_token, {"session": []}] if guard in (access.member, access.owner) else by_token


def _header(name: str, text: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": text, "schema": {"type": "string"}}


def _guards(app: Flask) -> Iterator[tuple[tuple[str, str], Any]]:
    """The guard of each path and method, the paths as the document writes them."""
    for rule in app.url_map.iter_rules():
        path = _ARGUMENT.sub(r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield (path, method), guards.guard_of(app, rule.endpoint)
