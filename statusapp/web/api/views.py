"""API views. They ignore cookies, and look at what was sent before at who sends it how often."""

from __future__ import annotations

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from statusapp.domain.errors import InvalidInput, WrongCredentials
from statusapp.queries.accounts import KnownAccount
from statusapp.services.credentials import check_email, check_password
from statusapp.services.sessions import sign_out
from statusapp.web.api.answers import nothing
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.api.body import InvalidBody, required_texts
from statusapp.web.api.schemas_accounts import Applications, Credentials, Me, Token
from statusapp.web.limits import count_registration, sign_in_within_limits
from statusapp.web.wording import iso

# These belong to whoever shows a token.
token_blueprint = ApiBlueprint("api_token", __name__, url_prefix="/api/v1/auth")
blueprint = ApiBlueprint("api", __name__, url_prefix="/api/v1/auth")
oauth_blueprint = ApiBlueprint("api_oauth", __name__, url_prefix="/api/v1/auth/oauth")

_BODY = {"content": {"application/json": {"schema": Credentials}}, "required": True}


@blueprint.post("/register/")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(201, Token)
def register() -> ResponseReturnValue:
    """Make an account. Accounts are made by operators, so a request without fault is refused."""
    fields = required_texts("email", "password")
    _check_registration(fields)
    count_registration()
    return jsonify({"error": {"message": "Registration is closed. Ask an operator for an account."}}), 403


@blueprint.post("/login/")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(200, Token)
def login() -> ResponseReturnValue:
    """A token for the Authorization header."""
    fields = required_texts("email", "password")
    try:
        session = sign_in_within_limits(fields["email"], fields["password"], request)
    except WrongCredentials as error:
        return jsonify({"error": {"message": error.message}}), 401
    return jsonify({"token": session.token, "expires_at": iso(session.expires_at)})


@token_blueprint.post("/logout/")
@token_blueprint.response(204)
def logout() -> ResponseReturnValue:
    """End the token that this request shows."""
    credentials = request.authorization
    if credentials is not None and credentials.token is not None:
        sign_out(credentials.token)
    return nothing()


@token_blueprint.get("/me/")
@token_blueprint.response(200, Me)
def me() -> ResponseReturnValue:
    """Whose token this is, and what it may do."""
    account: KnownAccount = g.account
    return jsonify({"id": account.user_id, "email": account.email, "role": account.role.word})


@oauth_blueprint.get("/applications/")
@oauth_blueprint.response(200, Applications)
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
