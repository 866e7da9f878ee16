"""X-Request-ID: one id for each request, in its answer, its record and its log lines."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from random import getrandbits

# What a request may bring along; anything else is replaced, so that nobody can write into headers or logs with it.
_is_sane = re.compile(r"[A-Za-z0-9._-]{8,128}").fullmatch

request_id_var: ContextVar[str] = ContextVar("statusapp_request_id", default="")


def choose_request_id(given: str | None) -> str:
    """The id that a request came with when it is sane (8 to 128 of A-Z, a-z, 0-9, dot, underscore, hyphen), else a new
    one of 32 hexadecimal digits."""
    if given is not None and _is_sane(given) is not None:
        return given
    # It need only be unique. The random module seeds itself anew in every forked process.
    return getrandbits(128).to_bytes(16).hex()


def current_request_id() -> str:
    """The id of the request that is being answered here; empty outside of one."""
    return request_id_var.get()


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`, "-" outside of a request. It lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id."""
        record.request_id = request_id_var.get() or "-"
        return True


def log_request_ids(handler: logging.Handler, line_format: str | None = None) -> None:
    """Have a handler know the id of the request that each line belongs to.

    Args:
        handler: also the lines of other libraries that it writes get the id.
        line_format: a new format for its lines, with %(request_id)s in it; without, the present one stays.
    """
    handler.addFilter(RequestIdFilter())
    if line_format is not None:
        handler.setFormatter(logging.Formatter(line_format))
