"""How programs get in: signing in and out, registering, access tokens. Cookies are ignored.

What was sent is looked at before who sends it how often.
"""

from __future__ import annotations

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from statusapp.clock import utcnow
from statusapp.domain.enums import ApiClientKind
from statusapp.domain.errors import InvalidInput, RegistrationClosed, WrongCredentials
from statusapp.services.api_clients import end_access_token
from statusapp.services.api_tokens import KIND_WORDS, ApiAccess
from statusapp.services.credentials import check_email, check_password
from statusapp.services.registration import check_registration
from statusapp.services.registration import register as make_account
from statusapp.services.sessions import SignIn, sign_in, sign_out
from statusapp.web.api.answers import nothing
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.api.body import InvalidBody, required_texts
from statusapp.web.api.problems import Problem
from statusapp.web.api.schemas_accounts import Credentials, Me, Token
from statusapp.web.api.schemas_clients import Granted, GrantError, GrantRequest
from statusapp.web.bearer import shown_token
from statusapp.web.limits import count_grant, count_registration, retry_after_s, sign_in_within_limits
from statusapp.web.wording import iso

# These belong to whoever shows a token.
token_blueprint = ApiBlueprint("api_token", __name__, url_prefix="/api/v1/auth")
blueprint = ApiBlueprint("api", __name__, url_prefix="/api/v1/auth")
# Its answers have the shape of RFC 6749.
grant_blueprint = ApiBlueprint("api_grant", __name__, url_prefix="/api/v1/auth/oauth")

_BODY = {"content": {"application/json": {"schema": Credentials}}, "required": True}
_FORM = {"content": {"application/x-www-form-urlencoded": {"schema": GrantRequest}}, "required": True}
NOT_A_SIGN_IN = "This is an API token, which has no sign-in to end. Revoke it, by DELETE to /api/v1/auth/tokens/ID/."


@blueprint.post("/register/")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(201, Token)
def register() -> ResponseReturnValue:
    """Make an account that may look at everything, where the setting REGISTRATION lets people; answers a token."""
    fields = required_texts("email", "password")
    _check_registration(fields)
    count_registration()
    try:
        check_registration()
        make_account(fields["email"], fields["password"], utcnow())
    except RegistrationClosed as error:
        raise Problem(403, error.message) from error
    user_agent, address = request.user_agent.string, request.remote_addr or ""
    return _signed_in(sign_in(fields["email"], fields["password"], utcnow(), user_agent, address)), 201


@blueprint.post("/login/")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(200, Token)
def login() -> ResponseReturnValue:
    """A token for the Authorization header."""
    fields = required_texts("email", "password")
    try:
        return _signed_in(sign_in_within_limits(fields["email"], fields["password"], request))
    except WrongCredentials as error:
        raise Problem(401, error.message) from error


@token_blueprint.post("/logout/")
@token_blueprint.response(204)
def logout() -> ResponseReturnValue:
    """End the token that this request shows: a sign-in's or an access token. API tokens are revoked instead."""
    access: ApiAccess = g.access
    token = shown_token() or ""
    if access.client is None:
        sign_out(token)
    elif access.client.kind is ApiClientKind.APPLICATION:
        end_access_token(token)
    else:
        raise Problem(409, NOT_A_SIGN_IN)
    return nothing()


@token_blueprint.get("/me/")
@token_blueprint.response(200, Me)
def me() -> ResponseReturnValue:
    """Whose token this is, and what it may do: all that the account may, unless it has scopes."""
    access: ApiAccess = g.access
    told = {"id": access.account.user_id, "email": access.account.email, "role": access.own_role.word}
    scopes = None if access.scopes is None else [scope.word for scope in sorted(access.scopes)]
    client = access.client
    by = (
        None
        if client is None
        else {"kind": KIND_WORDS[client.kind], "client_id": client.client_id, "name": client.name}
    )
    ends = None if access.expires_at is None else iso(access.expires_at)
    return jsonify(told | {"scopes": scopes, "client": by, "expires_at": ends})


@grant_blueprint.post("/token/")
@grant_blueprint.doc(requestBody=_FORM, security=[{}, {"basic": []}])
@grant_blueprint.alt_response(400, schema=GrantError, description="It cannot be answered; `error` says why.")
@grant_blueprint.alt_response(401, schema=GrantError, description="The application is not known by what was sent.")
@grant_blueprint.alt_response(429, schema=GrantError, description="Too many; Retry-After says when to try again.")
@grant_blueprint.response(200, Granted)
def token() -> ResponseReturnValue:
    """An access token for an OAuth application, by its client credentials (RFC 6749)."""
    # Authlib is loaded by processes that need it.
    from statusapp.web.api.oauth_server import SERVER

    count_grant()
    return SERVER.answer()


def answer_too_many(_: RateLimitExceeded) -> tuple[Response, int]:
    """RFC 6749 has no word for it; clients look for one."""
    text = "Too many access tokens were asked for. Keep the one that you have: it is good for an hour."
    response = jsonify({"error": "temporarily_unavailable", "error_description": text})
    response.headers["Retry-After"] = str(retry_after_s())
    return response, 429


grant_blueprint.register_error_handler(RateLimitExceeded, answer_too_many)


def _signed_in(session: SignIn) -> Response:
    return jsonify({"token": session.token, "expires_at": iso(session.expires_at)})


def _check_registration(fields: dict[str, str]) -> None:
    problems = {}
    for check, name in ((check_email, "email"), (check_password, "password")):
        try:
            check(fields[name])
        except InvalidInput as error:
            problems[error.field] = error.message
    if problems:
        raise InvalidBody("Some fields are missing or cannot be used.", problems)
