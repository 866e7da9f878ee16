"""Request tracking in a Django project: the route that matched, the user that was loaded, the errors it handled.

In wsgi.py:

    application = track(get_wsgi_application(), RedisStream("redis://localhost/0"), TrackingOptions("shop"))

and last in MIDDLEWARE: "statusapp.tracking.django_app.TrackingMiddleware".
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.signals import got_request_exception  # type: ignore[import-untyped,import-not-found,unused-ignore]
from django.utils.functional import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    LazyObject,
    empty,
)

from statusapp.tracking.errors import ROUTE_KEY, USER_KEY, note_error
from statusapp.tracking.fields import UNMATCHED
from statusapp.tracking.middleware import RequestTracking
from statusapp.tracking.options import TrackingOptions
from statusapp.tracking.transports import Transport

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def track(
    application: WSGIApplication, transport: Transport, options: TrackingOptions | None = None
) -> RequestTracking:
    """What `get_wsgi_application()` gives, with its requests recorded. Without `TrackingMiddleware` in the settings,
    every route is UNMATCHED.

    Args:
        application: the project's WSGI application.
        transport: where records go.
        options: settings; without, the defaults.
    """
    settings = options if options is not None else TrackingOptions()
    if settings.route_of is None:
        settings = replace(settings, route_of=lambda _environ: None)
    return RequestTracking(application, transport, settings)


class TrackingMiddleware:
    """Leaves route, user and error for `track`; alone, it does nothing.

    It should be the last in MIDDLEWARE: one that answers an exception (`process_exception`) keeps it from those before.

    The user is the primary key of `request.user` if anything has evaluated that during the request. It is lazy, and
    for a page that does not look at it, nothing is fetched from the database.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        # The same function each time, so that it is connected once however many handlers there are.
        got_request_exception.connect(_unhandled, dispatch_uid="statusapp.tracking")

    def __call__(self, request: Any) -> Any:
        """Answer a request."""
        try:
            return self._get_response(request)
        finally:
            match = getattr(request, "resolver_match", None)
            request.META[ROUTE_KEY] = UNMATCHED if match is None else "/" + str(match.route)
            user = _loaded_user(request)
            if user is not None:
                request.META[USER_KEY] = str(user)

    def process_exception(self, request: Any, exception: Exception) -> None:
        """Note an exception of a view, which middlewares further out may turn into an answer."""
        note_error(request.META, exception)


def _loaded_user(request: Any) -> object:
    """The primary key of the account, if it is at hand."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject):
        user = user._wrapped
    if user is None or user is empty:
        return None
    return getattr(user, "pk", None)


def _unhandled(request: Any = None, **_more: Any) -> None:
    error = sys.exc_info()[1]
    if request is not None and error is not None:
        note_error(request.META, error)
