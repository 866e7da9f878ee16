"""Who asks: a browser by its cookie, or a program by the token in its Authorization header.

A cookie is sent by every page that a browser opens, so whoever writes by it shows the CSRF token as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request
from flask_login import current_user
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from statusapp.clock import utcnow
from statusapp.domain.actors import Actor
from statusapp.domain.enums import Role
from statusapp.extensions import csrf
from statusapp.queries.accounts import SignedInAccount
from statusapp.services.sessions import find_session
from statusapp.web.api.problems import Problem

SAFE = ("GET", "HEAD", "OPTIONS")
_KEY = "api_caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is known. `by_cookie` is of a browser."""

    account: SignedInAccount
    by_cookie: bool

    @property
    def is_staff(self) -> bool:
        """Whether they may change things."""
        return self.account.role >= Role.STAFF

    @property
    def is_owner(self) -> bool:
        """Whether they may know and set secrets."""
        return self.account.role >= Role.OWNER

    @property
    def actor(self) -> Actor:
        """Whose doing a change is."""
        return Actor(self.account.user_id, self.account.email)


def find_caller() -> Caller | None:
    """Who asks; None for somebody who shows nothing.

    Raises:
        Unauthorized: when what they show is not valid. They are not taken for a stranger in silence.
    """
    if _KEY not in g:
        g.setdefault(_KEY, _by_token() if "Authorization" in request.headers else _by_cookie())
    found: Caller | None = g.get(_KEY)
    return found


def caller() -> Caller:
    """Who asks, behind a guard.

    Raises:
        Unauthorized: when they are not known.
    """
    found = find_caller()
    if found is None:
        raise _unauthorized()
    return found


def member() -> None:
    """The guard of what every account may read and staff may write."""
    _admit(Role.STAFF, "Only staff may change this.")


def owner() -> None:
    """The guard of what every account may read and owners may write."""
    _admit(Role.OWNER, "Only an owner may change this.")


def _admit(writer: Role, refusal: str) -> None:
    found = caller()
    if request.method in SAFE:
        return
    if found.account.role < writer:
        raise Problem(403, refusal)
    if found.by_cookie:
        csrf.protect()


def _by_token() -> Caller:
    credentials = request.authorization
    token = credentials.token if credentials is not None and credentials.type == "bearer" else None
    account = find_session(token, utcnow()) if token else None
    if account is None:
        raise _unauthorized()
    g.account = account
    return Caller(account, by_cookie=False)


def _by_cookie() -> Caller | None:
    return Caller(current_user.account, by_cookie=True) if current_user.is_authenticated else None


def _unauthorized() -> Unauthorized:
    return Unauthorized("A valid access token is needed.", www_authenticate=WWWAuthenticate("bearer"))
