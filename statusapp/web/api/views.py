"""API views. They ignore cookies, and look at what was sent before at who sends it how often."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from statusapp.domain.errors import InvalidInput, WrongCredentials
from statusapp.services.accounts import check_email, check_password
from statusapp.web.api.body import InvalidBody, answer_invalid_body, required_texts
from statusapp.web.limits import count_registration, sign_in_within_limits
from statusapp.web.wording import iso

blueprint = Blueprint("api", __name__, url_prefix="/api/v1/auth")
oauth_blueprint = Blueprint("api_oauth", __name__, url_prefix="/api/v1/auth/oauth")

blueprint.register_error_handler(InvalidBody, answer_invalid_body)


@blueprint.post("/register/")
def register() -> ResponseReturnValue:
    """Make an account. Accounts are made by operators, so a request without fault is refused."""
    fields = required_texts("email", "password")
    _check_registration(fields)
    count_registration()
    return jsonify({"error": {"message": "Registration is closed. Ask an operator for an account."}}), 403


@blueprint.post("/login/")
def login() -> ResponseReturnValue:
    """A token for the Authorization header."""
    fields = required_texts("email", "password")
    try:
        session = sign_in_within_limits(fields["email"], fields["password"], request)
    except WrongCredentials as error:
        return jsonify({"error": {"message": error.message}}), 401
    return jsonify({"token": session.token, "expires_at": iso(session.expires_at)})


@oauth_blueprint.get("/applications/")
def applications() -> ResponseReturnValue:
    """The OAuth applications of the account; none can be registered yet."""
    return jsonify({"applications": []})


def _check_registration(fields: dict[str, str]) -> None:
    problems = {}
    for check, name in ((check_email, "email"), (check_password, "password")):
        try:
            check(fields[name])
        except InvalidInput as error:
            problems[error.field] = error.message
    if problems:
        raise InvalidBody("Some fields are missing or cannot be used.", problems)
