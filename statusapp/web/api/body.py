"""The body of an API request, as JSON or as a form, checked before anything else looks at it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, jsonify, request

MAX_LENGTH = 2048


class InvalidBody(Exception):
    """The body cannot be used. `fields` says what is wrong with each of its fields."""

    def __init__(self, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields)


def required_texts(*names: str) -> dict[str, str]:
    """These fields of the body.

    Raises:
        InvalidBody: when the body is not an object or one of them is missing, empty or no text.
    """
    body = _read_body()
    problems = {name: problem for name in names if (problem := _problem(body.get(name)))}
    if problems:
        raise InvalidBody("Some fields are missing or cannot be used.", problems)
    return {name: str(body[name]) for name in names}


def answer_invalid_body(error: InvalidBody) -> tuple[Response, int]:
    """What a client is told of its body."""
    return jsonify({"error": {"message": error.message, "fields": error.fields}}), 400


def _read_body() -> Mapping[str, object]:
    if not request.is_json:
        return request.form
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        raise InvalidBody("The body is nested too deeply.", {}) from None
    if not isinstance(body, dict):
        raise InvalidBody("The body is not a JSON object.", {})
    return body


def _problem(value: object) -> str | None:
    if value is None or value == "":
        return "This field is required."
    if not isinstance(value, str):
        return "This must be text."
    return "This is too long." if len(value) > MAX_LENGTH else None
