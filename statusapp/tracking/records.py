"""From what the request path has noted to a row for the wire. Runs in the thread that ships, not in requests."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from statusapp.tracking.clients import Agents, cut_address
from statusapp.tracking.errors import ErrorNote, fingerprint
from statusapp.tracking.fields import (
    LATEST_US,
    MAX_BYTES,
    MAX_DURATION_US,
    MAX_ERROR_CLASS,
    MAX_REQUEST_ID,
    MAX_USER,
    METHODS,
    OTHER_METHOD,
    PROBE,
    WENT_AWAY,
)
from statusapp.tracking.known_texts import RequestTexts, known_texts
from statusapp.tracking.options import TrackingOptions
from statusapp.tracking.routes import Routes
from statusapp.tracking.scrub import scrub
from statusapp.tracking.secret_names import name_matcher

LONGEST_AGENT = 512
# So many messages are scrubbed of one batch: when everything fails at once, class and place say it as well.
MESSAGES_PER_BATCH = 100


# What the request path keeps of one request. A plain tuple of texts and numbers, because thousands of those that wait
# are nothing to the garbage collector, unlike objects of a class.
Noted = tuple[
    int,  # When it came in: wall clock, nanoseconds since the epoch.
    int,  # Nanoseconds until the last byte of the answer.
    str,  # Method.
    str,  # Route.
    str,  # The status line.
    str | None,  # Content-Length of the request, as it came.
    int,  # Bytes of the request's body that were read.
    int,  # Bytes of the answer's body.
    str,  # User.
    str,  # Address.
    str,  # User agent.
    str,  # Request id.
    bool,  # Whether it is a probe of our own.
    bool,  # Whether the client went away.
    float,  # How many requests it stands for.
    ErrorNote | None,
    RequestTexts | None,  # What the error's message must not repeat.
]


class RowMaker:
    """Makes rows by the options of a host."""

    def __init__(self, options: TrackingOptions) -> None:
        self._options = options
        self._is_secret = name_matcher(options.secret_names)
        self._route = Routes().keep
        agents, policy = Agents(options.agent_products), options.addresses
        self._address = lru_cache(4096)(lambda text: cut_address(text, policy))
        self._agent = lru_cache(1024)(lambda text: agents.shorten(text) if options.keep_agents else "")
        self._messages_left = MESSAGES_PER_BATCH

    def begin_batch(self) -> None:
        """A new batch may have its messages again."""
        self._messages_left = MESSAGES_PER_BATCH

    def row(self, noted: Noted) -> tuple[Any, ...]:
        """The fields of `fields.Record`, in their order and within its limits."""
        (
            started_ns, duration_ns, method, route, status, declared, received, sent, user, address, agent, request_id,
            is_probe, went_away, weight, error, texts,
        ) = noted  # fmt: skip
        name = message = mark = ""
        if error is not None:
            name, message, mark = self._error(error, texts, route)
        return (
            min(max(started_ns // 1000, 0), LATEST_US),
            method if method in METHODS else OTHER_METHOD,
            self._route(route),
            _code(status),
            min(max(duration_ns // 1000, 0), MAX_DURATION_US),
            _size(declared) if declared else min(received, MAX_BYTES),
            min(sent, MAX_BYTES),
            _clean(user, MAX_USER) if user else "",
            self._address(address) if address else "",
            self._agent(agent[:LONGEST_AGENT]) if agent else "",
            name,
            message,
            mark,
            request_id[:MAX_REQUEST_ID],
            is_probe * PROBE | went_away * WENT_AWAY,
            weight,
        )

    def _error(self, error: ErrorNote, texts: RequestTexts | None, route: str) -> tuple[str, str, str]:
        message = ""
        if error.text and texts is not None and self._options.keep_messages and self._messages_left:
            self._messages_left -= 1
            message = scrub(error.text, known_texts(texts, route), error.code_names, self._is_secret)
        return _clean(error.name, MAX_ERROR_CLASS), message, fingerprint(error)


def _code(status: str) -> int:
    code = status[:3]
    return int(code) if code.isascii() and code.isdigit() and "100" <= code <= "599" else 0


def _size(declared: str) -> int:
    return min(int(declared), MAX_BYTES) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _clean(text: str, most: int) -> str:
    text = text[:most]
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
