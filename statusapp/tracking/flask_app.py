"""Request tracking in a Flask application: the rule that matched, the user that was loaded, the errors it handled."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Flask, Request, Response, g, got_request_exception, has_request_context, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from statusapp.tracking.errors import ROUTE_KEY, USER_KEY, note_error
from statusapp.tracking.fields import UNMATCHED
from statusapp.tracking.middleware import RequestTracking
from statusapp.tracking.options import TrackingOptions
from statusapp.tracking.transports import Transport

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_DEMANDS = re.compile(r"<(\w+)\([^<>]*\):")


def track(
    app: Flask,
    transport: Transport,
    options: TrackingOptions | None = None,
    user_of: Callable[[], object] | None = None,
) -> RequestTracking:
    """Record the requests of a Flask application, as the outermost of its middlewares so far.

    Args:
        app: the application; `app.wsgi_app` is replaced.
        transport: where records go.
        options: settings; without, the defaults.
        user_of: gives the user's id at the end of a request, inside its context; it should load nothing. Without, it
            is the `id` of the account that Flask-Login has loaded for this request. None is loaded for it, and
            what `get_id()` says is not taken, because that may be a session's secret.

    Returns:
        The middleware, to flush or to ask how much waits.
    """
    settings = options if options is not None else TrackingOptions()
    tracking = RequestTracking(app.wsgi_app, transport, settings)
    app.wsgi_app = tracking  # type: ignore[method-assign]
    find_user = (user_of or loaded_user) if settings.keep_users else None
    _leave_notes(app, with_route=settings.route_of is None, find_user=find_user)
    _watch_errors(app)
    return tracking


def loaded_user() -> object:
    """The `id` of the account that Flask-Login has loaded in this request, if it has, and if it is at hand."""
    user = g.get("_login_user")
    if user is None or getattr(user, "is_anonymous", False):
        return None
    # Not an attribute that might be fetched: an object of SQLAlchemy would ask the database for one that has expired.
    value = getattr(user, "__dict__", {}).get("id")
    return value if isinstance(value, int | str | UUID) else None


def _route_refused(app: Flask, this: Request) -> str | None:
    """The rule that would have matched but for the method, if there is one."""
    error = this.routing_exception
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        adapter = app.url_map.bind_to_environ(this.environ)
        try:
            match = adapter.match(method=next(iter(error.valid_methods)), return_rule=True)
        except HTTPException:
            return None  # A redirect of that method's.
        return _template(match[0].rule)
    return None


@lru_cache(maxsize=4096)
def _template(rule: str) -> str:
    """A rule without what its converters demand: "<int:id>" of "<int(max=99):id>"."""
    return _DEMANDS.sub(r"<\1:", rule)


def _leave_notes(app: Flask, *, with_route: bool, find_user: Callable[[], object] | None) -> None:
    """Leave route and user for the middleware: only the request's context knows them, which is gone by then.

    Around the dispatching, as it is on the way of every request: a function at the teardown costs three times as much.
    """
    dispatch = app.full_dispatch_request

    def leave() -> None:
        # Looked up once: behind a proxy every attribute costs a microsecond.
        this: Request = request._get_current_object()  # type: ignore[attr-defined]
        environ = this.environ
        if with_route:
            rule = this.url_rule
            environ[ROUTE_KEY] = (_route_refused(app, this) if rule is None else _template(rule.rule)) or UNMATCHED
        if find_user is not None:
            try:
                user = find_user()
                if user is not None:
                    environ[USER_KEY] = str(user)
            except Exception:  # noqa: S110 - an account that cannot be asked is no trouble of the request's
                pass

    def full_dispatch_request(*context: Any) -> Response:
        try:
            return dispatch(*context)
        finally:
            leave()

    def undispatched(_sender: Flask, **_more: Any) -> None:
        if has_request_context() and ROUTE_KEY not in request.environ:
            leave()

    app.full_dispatch_request = full_dispatch_request  # type: ignore[method-assign]
    # What fails before, as the opening of the session may, is not dispatched.
    got_request_exception.connect(undispatched, app, weak=False)


def _watch_errors(app: Flask) -> None:
    """Note exceptions that become an answer inside Flask, so that nothing but that answer reaches the middleware."""
    handle = app.handle_user_exception

    def handle_user_exception(error: Exception) -> HTTPException | ResponseReturnValue:
        # Errors that handlers of the application's own turn into an answer are signalled nowhere.
        if not (isinstance(error, HTTPException) and (error.code or 500) < 500):
            note_error(request.environ, error)
        return handle(error)

    app.handle_user_exception = handle_user_exception  # type: ignore[method-assign, assignment]

    def unhandled(_sender: Flask, exception: BaseException, **_more: Any) -> None:
        note_error(request.environ, exception)

    # From outside of views: opening the session, functions before and after requests.
    got_request_exception.connect(unhandled, app, weak=False)
