"""Pings of heartbeats. The secret in the path is the only credential; it is never logged, nor said again."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from statusapp.clock import now_us
from statusapp.domain.enums import PingSignal
from statusapp.services.pings import record_ping

METHODS = ["GET", "HEAD", "POST"]
HIGHEST_EXIT_CODE = 255

blueprint = Blueprint("ping", __name__, url_prefix="/ping")


@blueprint.route("/<secret>/", methods=METHODS, strict_slashes=False)
def success(secret: str) -> ResponseReturnValue:
    """The job is done."""
    return _answer(secret, PingSignal.SUCCESS)


@blueprint.route("/<secret>/start", methods=METHODS, strict_slashes=False)
def start(secret: str) -> ResponseReturnValue:
    """The job has begun."""
    return _answer(secret, PingSignal.START)


@blueprint.route("/<secret>/fail", methods=METHODS, strict_slashes=False)
def fail(secret: str) -> ResponseReturnValue:
    """The job has failed."""
    return _answer(secret, PingSignal.FAIL)


@blueprint.route("/<secret>/<int:exit_code>", methods=METHODS, strict_slashes=False)
def ended(secret: str, exit_code: int) -> ResponseReturnValue:
    """The job has ended with this exit code; 0 means well."""
    if exit_code > HIGHEST_EXIT_CODE:
        return _text("An exit code is a number from 0 to 255.\n", 400)
    return _answer(secret, PingSignal.FAIL if exit_code else PingSignal.SUCCESS, exit_code)


def _answer(secret: str, signal: PingSignal, exit_code: int | None = None) -> Response:
    if record_ping(secret, signal, exit_code, now_us()):
        return _text("OK\n", 200)
    return _text("There is no heartbeat with this address.\n", 404)


def _text(message: str, status: int) -> Response:
    response = Response(message, status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
