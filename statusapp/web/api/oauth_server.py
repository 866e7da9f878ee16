"""The OAuth 2 server: access tokens for applications by their client credentials (RFC 6749, section 4.4).

Authlib has the protocol; what it does not look at, and what it would let pass that we do not, is here. It is imported
when the first application asks.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from authlib.oauth2 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Request, Response, json
from flask import request as here

from statusapp.clock import utcnow
from statusapp.domain.api_access import with_included
from statusapp.domain.enums import Scope
from statusapp.domain.errors import TokenRefused, WrongCredentials
from statusapp.queries.api_clients import ShownClient
from statusapp.services.api_clients import issue_access_token
from statusapp.services.api_tokens import WRONG_SECRET, find_application
from statusapp.web.limits import count_issued_token

GRANT_TYPE = "client_credentials"
_FORM = "application/x-www-form-urlencoded"
_SCOPES = {scope.word: scope for scope in Scope}


class Application(ClientMixin):  # type: ignore[misc]
    """The application that asks, as Authlib wants to see it. It is found once its secret was the right one."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._found: ShownClient | None = None

    @property
    def found(self) -> ShownClient:
        """Which one it is."""
        if self._found is None:
            raise InvalidClientError(WRONG_SECRET, status_code=401)
        return self._found

    def get_client_id(self) -> str:
        """What it is called."""
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """Look at the secret. What is wrong is raised, so that it can be told."""
        self._found = find_application(self.client_id, client_secret, utcnow())
        return True

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """An application may show its secret in either way."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """There is one kind of grant."""
        return grant_type == GRANT_TYPE


class FormPayload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of the body. Those of the address do not count: addresses are written into logs."""

    def __init__(self, incoming: Request) -> None:
        self._form = incoming.form

    @property
    def data(self) -> Any:
        """The parameters."""
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """All values of each."""
        return defaultdict(list, {name: list(values) for name, values in self._form.lists()})


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib wants to see it."""

    def __init__(self, incoming: Request) -> None:
        # Authlib refuses addresses without TLS. Whether there is any is for the proxy to know, as where passwords are.
        super().__init__(incoming.method, f"https://{incoming.host}{incoming.path}", headers=incoming.headers)
        self.payload = FormPayload(incoming)

    @property
    def form(self) -> Any:
        """The parameters of the body."""
        return self.payload.data


class Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """The one way to an access token."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def authenticate_token_endpoint_client(self) -> Application:
        """The application of the id and secret that were sent."""
        try:
            application: Application = super().authenticate_token_endpoint_client()
        except TokenRefused as error:
            raise InvalidClientError(error.message, status_code=401) from error
        except (InvalidClientError, UnicodeError) as error:
            raise InvalidClientError(WRONG_SECRET, status_code=401) from error
        count_issued_token(application.client_id)
        return application

    def validate_requested_scope(self) -> None:
        """Refuse what the application may not ask for."""
        _wanted(self.client, self.request.payload.scope)


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server between our requests, our answers and our services."""

    def __init__(self) -> None:
        super().__init__()
        self.register_grant(Grant)
        self.register_token_generator("default", _issue)

    def query_client(self, client_id: str) -> Application:
        """The application of an id. Whether there is one is told together with whether its secret is right."""
        return Application(client_id)

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """It is stored where it is made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> FormRequest:
        """The request that is being answered."""
        return FormRequest(here)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """An answer of Authlib's as one of ours."""
        return Response(json.dumps(body) if isinstance(body, dict) else body, status=status, headers=headers)

    def answer(self) -> Response:
        """The answer to the request that is being answered."""
        problem = _problem(here)
        response: Response = (
            self.create_token_response() if problem is None else self.handle_error_response(None, problem)
        )
        return response


def _problem(incoming: Request) -> OAuth2Error | None:
    """What is wrong with a request before it says who asks."""
    form = incoming.form
    has_two_secrets = "Authorization" in incoming.headers and "client_secret" in form
    for is_wrong, text in (
        (bool(incoming.args), "Send the parameters in the body: addresses are written into logs."),
        (incoming.mimetype != _FORM, f"Send the parameters as a form: Content-Type: {_FORM}."),
        (any(len(values) > 1 for _, values in form.lists()), "A parameter was sent twice."),
        (not form.get("grant_type"), f"The parameter grant_type is missing; it is {GRANT_TYPE}."),
        (has_two_secrets, "The secret was sent in two ways; use the header or the body."),
    ):
        if is_wrong:
            return InvalidRequestError(text)
    if form["grant_type"] != GRANT_TYPE:
        return OAuth2Error(f"There is one grant_type here, {GRANT_TYPE}.", error="unsupported_grant_type")
    return None


def _wanted(application: Application, text: str | None) -> frozenset[Scope]:
    """The scopes that were asked for; those of the application when none were."""
    own = application.found.scopes
    if not text or not text.strip():
        return own
    allowed = with_included(own)
    words = text.split()
    if any(_SCOPES.get(word) not in allowed for word in words):
        listed = " ".join(scope.word for scope in sorted(allowed))
        raise InvalidScopeError(f"This application may ask for: {listed}.")
    return frozenset(_SCOPES[word] for word in words)


def _issue(client: Application, scope: str | None, **_: Any) -> dict[str, Any]:
    """Make an access token, and the answer that holds it."""
    now = utcnow()
    try:
        issued = issue_access_token(client.found.id, _wanted(client, scope), now)
    except WrongCredentials as error:
        raise InvalidClientError(error.message, status_code=401) from error
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": int((issued.expires_at - now).total_seconds()),
        "scope": " ".join(one.word for one in issued.scopes),
    }


SERVER = Server()
