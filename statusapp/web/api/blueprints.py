"""Where the API's routes are gathered, by who may come in; and how their arguments are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import flask_smorest
from flask import Request
from marshmallow import ValidationError
from webargs.flaskparser import FlaskParser

from statusapp.web.api import problems
from statusapp.web.api.problems import NOT_USABLE, Problem

PREFIX = "/health/api"
View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    """Something that takes a view and gives it back."""

    def __call__(self, view: View) -> View:
        """Decorate a view."""


class Parser(FlaskParser):
    """Reads arguments by a schema, which decides what is unknown; tells what is wrong in the one shape."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 (webargs' own way)
    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body; one that is no JSON is told as such."""
        if not req.is_json and req.content_length:
            raise Problem(400, "Send JSON, with the header Content-Type: application/json.")
        try:
            return super().load_json(req, schema)
        except RecursionError:
            raise Problem(400, "The body is nested too deeply.") from None

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Something cannot be used."""
        fields: dict[str, Any] = {}
        for found in error.normalized_messages().values():  # type: ignore[no-untyped-call]
            fields |= _flat(found)
        whole = fields.pop("_schema", None)
        raise Problem(400, NOT_USABLE if whole is None else str(whole), fields)

    def _handle_invalid_json_error(self, error: Any, req: Request, *_: Any, **__: Any) -> NoReturn:
        raise Problem(400, "The body is not JSON.")


class ApiBlueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose routes are in the document."""

    ARGUMENTS_PARSER = Parser()

    if TYPE_CHECKING:
        # The library has no types; these decorators leave a view's as it is.
        def get(self, rule: str, **options: Any) -> Decorator: ...
        def post(self, rule: str, **options: Any) -> Decorator: ...
        def route(self, rule: str, **options: Any) -> Decorator: ...
        def arguments(self, schema: Any, **options: Any) -> Decorator: ...
        def response(self, status: int, schema: Any = None, **options: Any) -> Decorator: ...
        def alt_response(self, status: int, **options: Any) -> Decorator: ...
        def doc(self, **told: Any) -> Decorator: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        problems.init_blueprint(self)


# Everybody may come in; what they see depends on who they are.
public = ApiBlueprint("api_public", __name__, url_prefix=PREFIX)
# Reading is for every account, writing for staff.
members = ApiBlueprint("api_resources", __name__, url_prefix=PREFIX)
# Reading is for every account, writing for owners.
owners = ApiBlueprint("api_owner", __name__, url_prefix=PREFIX)


def _flat(found: Any, place: str = "") -> dict[str, str]:
    """Messages by the path of their field, such as "conditions.0"."""
    if isinstance(found, dict):
        flat: dict[str, str] = {}
        for name, value in found.items():
            # What is said of a thing as a whole is said of where it is.
            flat |= _flat(value, place if place and name == "_schema" else f"{place}.{name}".lstrip("."))
        return flat
    return {place or "_schema": " ".join(str(text) for text in found) if isinstance(found, list) else str(found)}
