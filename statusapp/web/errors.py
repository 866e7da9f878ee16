"""How errors become answers: in one place, in plain words, and never with a traceback."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, make_response, render_template
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from statusapp.web.bearer import BearerForbidden, BearerNeeded
from statusapp.web.limits import retry_after_s
from statusapp.web.negotiation import wants_json

log = logging.getLogger(__name__)

# Title and text of the page for each status; programs get the text.
WORDS = {
    400: ("That request could not be read", "Something in the request is missing or malformed."),
    401: ("Please sign in", "This needs a valid sign-in."),
    403: ("Not allowed", "This account may not open this page."),
    404: ("Nothing here", "There is no page at this address. It may have moved, or the link is incomplete."),
    405: ("Not possible here", "This address does not answer that kind of request."),
    413: ("Too large", "The request is larger than this server accepts."),
    429: ("Too many attempts", "Please wait a little and try again."),
    500: ("Something went wrong", "The fault is ours and has been recorded. Please try again."),
    503: ("Back in a moment", "The database cannot be used right now. Please try again shortly."),
}
TOLD_IN_THEIR_WORDS = (BearerNeeded, BearerForbidden)
FORM_EXPIRED = "The form has expired. Go back, load the page again and send it once more."
RETRY_AFTER_S = 5


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, answer_http_error)
    for error in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(error, answer_database_error)
    app.register_error_handler(Exception, answer_unexpected_error)


def answer_http_error(error: HTTPException) -> Response:
    """An error that was raised on purpose, by us or by Flask. Redirects pass as they are."""
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    text = FORM_EXPIRED if isinstance(error, CSRFError) else None
    response = error_answer(code, error.description if isinstance(error, TOLD_IN_THEIR_WORDS) else text)
    for name, value in error.get_headers():
        if name in ("Allow", "WWW-Authenticate"):
            response.headers.add(name, value)
    if isinstance(error, RateLimitExceeded):
        response.headers["Retry-After"] = str(retry_after_s())
    return response


def answer_database_error(error: Exception) -> Response:
    """The database is away or stays locked."""
    # The class alone: the text of a driver's error can hold addresses and values.
    log.error("database cannot be used: %s", type(error).__name__)
    response = error_answer(503)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def answer_unexpected_error(error: Exception) -> Response:
    """A fault of ours. The log has the traceback, the client does not."""
    log.exception("unexpected error", exc_info=error)
    return error_answer(500)


def error_answer(code: int, text: str | None = None) -> Response:
    """The answer for a status code, as JSON or as a page."""
    title, words = WORDS.get(code, ("Something is not right", "The request could not be answered."))
    if wants_json():
        response = jsonify({"error": {"message": text or words}})
    else:
        response = make_response(render_template("errors/error.html", title=title, text=text or words, code=code))
    response.status_code = code
    return response
