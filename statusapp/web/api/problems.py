"""What an API client is told when something is wrong: one shape, {"error": {"message", "fields"?}}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify
from marshmallow import Schema, fields

from statusapp.domain.errors import AccountExists, DomainError, InvalidInput, InvalidMove, NotFound
from statusapp.services.channels import UnknownChannel
from statusapp.services.endpoint_drafts import InvalidEndpoint
from statusapp.web.api.body import InvalidBody, answer_invalid_body

NOT_USABLE = "Some values are missing or cannot be used."
CHANGED = "It has been changed since you read it. Read it again, and send your change with its new ETag."


class Problem(Exception):
    """A request cannot be answered as it is: a status code and a sentence, with `fields` where some are at fault."""

    def __init__(self, status: int, message: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.fields = status, message, dict(fields or {})


class ErrorText(Schema):
    """What is wrong, in words; `fields` says it of each field that is at fault."""

    message = fields.String(required=True)
    fields_ = fields.Dict(keys=fields.String(), data_key="fields")


class Error(Schema):
    """The answer to what cannot be done."""

    error = fields.Nested(ErrorText, required=True)


def init_blueprint(blueprint: Blueprint) -> None:
    """Have a blueprint tell all of its errors in the one shape."""
    blueprint.register_error_handler(Problem, answer_problem)
    blueprint.register_error_handler(InvalidBody, answer_invalid_body)
    blueprint.register_error_handler(InvalidEndpoint, _answer_invalid_endpoint)
    blueprint.register_error_handler(DomainError, _answer_domain_error)


def answer_problem(problem: Problem) -> tuple[Response, int]:
    """The answer for a problem."""
    error: dict[str, Any] = {"message": problem.message}
    if problem.fields:
        error["fields"] = problem.fields
    return jsonify({"error": error}), problem.status


def invalid(field: str, message: str) -> Problem:
    """One field cannot be used."""
    return Problem(400, NOT_USABLE, {field: message})


def _answer_domain_error(error: DomainError) -> tuple[Response, int]:
    if isinstance(error, InvalidInput):
        return answer_problem(invalid(error.field, error.message))
    if isinstance(error, NotFound | UnknownChannel):
        return answer_problem(Problem(404, _sentence(error.message)))
    status = 409 if isinstance(error, InvalidMove | AccountExists) else 400
    return answer_problem(Problem(status, _sentence(error.message)))


def _answer_invalid_endpoint(error: InvalidEndpoint) -> tuple[Response, int]:
    name = _SECONDS.get(error.field, error.field)
    return answer_problem(invalid(f"{name}.{error.option}" if error.option else name, str(error)))


# A draft counts in its own units; here all lengths of time are seconds.
_SECONDS = {
    "interval_s": "interval_seconds",
    "timeout_ms": "timeout_seconds",
    "slow_ms": "slow_seconds",
    "degrading": "conditions",
}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."
