"""The token in the Authorization header: what it opens, and what whoever sends it is told when it does not (RFC 6750).

It is looked for nowhere else: addresses are written into logs and histories.
"""

from __future__ import annotations

from typing import Any

from flask import g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from statusapp.clock import utcnow
from statusapp.domain.api_access import LEAST_ROLE
from statusapp.domain.enums import Role, Scope
from statusapp.domain.errors import TokenRefused
from statusapp.services.api_tokens import ApiAccess, find_access

NEEDED = "Send a token in the header: Authorization: Bearer TOKEN."
_ONLY = {Role.STAFF: "Only staff may do this.", Role.OWNER: "Only an owner may do this."}


class BearerNeeded(Unauthorized):
    """Without a valid token nobody comes in here. The description is for whoever asked."""

    def __init__(self, description: str = NEEDED, *, is_refused: bool = False) -> None:
        # Whoever has shown nothing has made no error.
        told: dict[str, str | None] = {"error": "invalid_token", "error_description": description} if is_refused else {}
        super().__init__(description, www_authenticate=WWWAuthenticate("bearer", told))


class BearerForbidden(Forbidden):
    """The token is valid, but not for this. The description is for whoever asked."""

    def __init__(self, description: str, scope: Scope | None = None) -> None:
        super().__init__(description)
        self.scope = scope

    def get_headers(self, *arguments: Any, **options: Any) -> list[tuple[str, str]]:
        """The headers of the answer, with the scope that is missing."""
        headers = list(super().get_headers(*arguments, **options))
        if self.scope is not None:
            told = {"error": "insufficient_scope", "error_description": self.description, "scope": self.scope.word}
            headers.append(("WWW-Authenticate", WWWAuthenticate("bearer", dict(told)).to_header()))
        return headers


def shown_token() -> str | None:
    """The token that this request shows, unread."""
    credentials = request.authorization
    return credentials.token if credentials is not None and credentials.type == "bearer" else None


def access_by_token() -> ApiAccess:
    """What the token of this request is good for.

    Raises:
        BearerNeeded: when there is none, or it is good for nothing.
    """
    token = shown_token()
    if not token:
        raise BearerNeeded
    try:
        access = find_access(token, utcnow())
    except TokenRefused as error:
        raise BearerNeeded(error.message, is_refused=True) from error
    g.account, g.access = access.account, access
    return access


def require(access: ApiAccess, scope: Scope, refusal: str | None = None) -> None:
    """Refuse what a token may not do: because it is not for that, or because its account may not.

    Raises:
        BearerForbidden: with `refusal` where it is the account that may not.
    """
    if access.may(scope):
        return
    if access.own_role < LEAST_ROLE[scope]:
        raise BearerForbidden(refusal or _ONLY[LEAST_ROLE[scope]])
    raise BearerForbidden(f"This token is not for that: it has not the scope {scope.word}.", scope)
