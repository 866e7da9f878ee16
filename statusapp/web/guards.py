"""Who may come in. Every blueprint is registered with one of these guards; what has none is closed.

A guard returns None to let the request through, or the answer that it gets instead.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from statusapp.domain.api_access import prefix_of
from statusapp.domain.enums import Role, Scope
from statusapp.services.ingest import is_valid_token
from statusapp.web.bearer import BearerForbidden, BearerNeeded, access_by_token, require, shown_token

Guard = Callable[[], ResponseReturnValue | None]

STATIC_ENDPOINT = "static"
SAFE = ("GET", "HEAD", "OPTIONS")
_KEY = "statusapp.guards"


def public() -> None:
    """Everybody may come in."""


def viewer() -> ResponseReturnValue | None:
    """Everybody who is signed in in a browser; others are sent to sign in first."""
    return _signed_in(Role.VIEWER)


def staff() -> ResponseReturnValue | None:
    """Signed-in staff in a browser."""
    return _signed_in(Role.STAFF)


def owner() -> ResponseReturnValue | None:
    """Signed-in owners in a browser."""
    return _signed_in(Role.OWNER)


def _signed_in(least: Role) -> ResponseReturnValue | None:
    if not current_user.is_authenticated:
        # A form that was sent cannot be sent again after the sign-in, so only a page is worth coming back to.
        target = request.path if request.method == "GET" else None
        return redirect(url_for("auth.login", next=target))
    if current_user.account.role < least:
        abort(403)
    return None


def bearer() -> None:
    """A program with a token in its Authorization header, whatever it is for. Cookies do not count."""
    access_by_token()


def bearer_of_account() -> None:
    """A program that deals with an account's own API clients: it may read with a token, and write after a sign-in.

    A token makes no tokens: one that has leaked would outlive its end and its revoking.
    """
    access = access_by_token()
    require(access, Scope.READ)
    if request.method not in SAFE and access.client is not None:
        raise BearerForbidden("API clients are made and revoked after a sign-in: use the token that login/ answers.")


def bearer_staff() -> None:
    """A program of staff, with a token that is for writing."""
    require(access_by_token(), Scope.WRITE)


def bearer_ingest() -> None:
    """A host application with its ingest token, or a program with a token that is for that."""
    token = shown_token()
    if token and prefix_of(token) is not None:
        require(access_by_token(), Scope.INGEST)
    elif not token or not is_valid_token(token):
        raise BearerNeeded("A valid ingest token is needed.", is_refused=bool(token))


def declare(app: Flask, blueprint_name: str, guard: Guard) -> None:
    """Put a guard in front of a blueprint's routes."""
    app.extensions.setdefault(_KEY, {})[blueprint_name] = guard


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """The guard of a route; None for one that nobody has declared."""
    if endpoint == STATIC_ENDPOINT:
        return public
    guards: dict[str, Guard] = app.extensions.get(_KEY, {})
    return guards.get(endpoint.rpartition(".")[0])


def check_guard() -> ResponseReturnValue | None:
    """Run before every request. A path that is no route passes, to be answered with 404 or 405."""
    if request.endpoint is None:
        return None
    guard = guard_of(current_app._get_current_object(), request.endpoint)  # type: ignore[attr-defined]
    if guard is None:
        abort(403)
    return guard()
