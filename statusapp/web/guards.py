"""Who may come in. Every blueprint is registered with one of these guards; what has none is closed.

A guard returns None to let the request through, or the answer that it gets instead.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from statusapp.clock import utcnow
from statusapp.domain.enums import Role
from statusapp.services.ingest import is_valid_token
from statusapp.services.sessions import find_session

Guard = Callable[[], ResponseReturnValue | None]

STATIC_ENDPOINT = "static"
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


def bearer() -> ResponseReturnValue | None:
    """A program with a token in its Authorization header. Cookies do not count."""
    credentials = request.authorization
    token = credentials.token if credentials is not None and credentials.type == "bearer" else None
    account = find_session(token, utcnow()) if token else None
    if account is None:
        raise Unauthorized("A valid access token is needed.", www_authenticate=WWWAuthenticate("bearer"))
    g.account = account
    return None


def bearer_staff() -> ResponseReturnValue | None:
    """A program of staff: `bearer`, and the account may operate."""
    bearer()
    if g.account.role < Role.STAFF:
        abort(403)
    return None


def bearer_ingest() -> None:
    """A host application with its ingest token."""
    credentials = request.authorization
    token = credentials.token if credentials is not None and credentials.type == "bearer" else None
    if not token or not is_valid_token(token):
        raise Unauthorized("A valid ingest token is needed.", www_authenticate=WWWAuthenticate("bearer"))


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
