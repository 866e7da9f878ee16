"""Who asks: a browser by its cookie, or a program by the token in its Authorization header.

A cookie is sent by every page that a browser opens, so whoever writes by it shows the CSRF token as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request
from flask_login import current_user

from statusapp.domain.actors import Actor
from statusapp.domain.enums import Scope
from statusapp.extensions import csrf
from statusapp.queries.accounts import KnownAccount, SignedInAccount
from statusapp.services.api_tokens import ApiAccess
from statusapp.web.bearer import BearerNeeded, access_by_token, require
from statusapp.web.guards import SAFE

_KEY = "api_caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is known. `by_cookie` is of a browser."""

    access: ApiAccess
    by_cookie: bool

    @property
    def account(self) -> KnownAccount:
        """Whose doing it is, with the role as which it is done: that of a token can be lower than the account's."""
        return self.access.account

    @property
    def is_staff(self) -> bool:
        """Whether they may change things."""
        return self.access.may(Scope.WRITE)

    @property
    def is_owner(self) -> bool:
        """Whether they may know and set secrets."""
        return self.access.may(Scope.ADMIN)

    @property
    def actor(self) -> Actor:
        """Whose doing a change is."""
        return self.access.actor


def find_caller() -> Caller | None:
    """Who asks; None for somebody who shows nothing.

    Raises:
        BearerNeeded: when what they show is not valid. They are not taken for a stranger in silence.
        BearerForbidden: when it is a token that is not even for reading.
    """
    if _KEY not in g:
        g.setdefault(_KEY, _by_token() if "Authorization" in request.headers else _by_cookie())
    found: Caller | None = g.get(_KEY)
    return found


def caller() -> Caller:
    """Who asks, behind a guard.

    Raises:
        BearerNeeded: when they are not known.
    """
    found = find_caller()
    if found is None:
        raise BearerNeeded
    return found


def member() -> None:
    """The guard of what every account may read and staff may write."""
    _admit(Scope.WRITE, "Only staff may change this.")


def owner() -> None:
    """The guard of what every account may read and owners may write."""
    _admit(Scope.ADMIN, "Only an owner may change this.")


def _admit(to_write: Scope, refusal: str) -> None:
    found = caller()
    if request.method in SAFE:
        return
    require(found.access, to_write, refusal)
    if found.by_cookie:
        csrf.protect()


def _by_token() -> Caller:
    access = access_by_token()
    require(access, Scope.READ)
    return Caller(access, by_cookie=False)


def _by_cookie() -> Caller | None:
    if not current_user.is_authenticated:
        return None
    account: SignedInAccount = current_user.account
    return Caller(ApiAccess(account, account.role), by_cookie=True)
