"""The fields of a record and their limits, which both ends keep to."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

OTHER_METHOD = "OTHER"
METHODS = frozenset(
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PURGE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
    f"REPORT SEARCH {OTHER_METHOD}".split()
)
# Routes of requests that have no template: nothing matched, nobody can say, or more templates than are kept apart.
UNMATCHED = "(unmatched)"
UNKNOWN = "(unknown)"
TOO_MANY = "(other)"

# Lengths in characters.
MAX_USER = 64
MAX_ROUTE = 200
MAX_AGENT = 60
MAX_ERROR_CLASS = 100
MAX_ERROR_MESSAGE = 300
MAX_REQUEST_ID = 128

LATEST_US = 4_102_444_800_000_000  # The year 2100.
MAX_DURATION_US = 24 * 3600 * 1_000_000
MAX_BYTES = 2**53
MAX_WEIGHT = 10_000.0

# Bits of `flags`.
PROBE = 1
WENT_AWAY = 2
_ALL_FLAGS = PROBE | WENT_AWAY

_is_address = re.compile(r"(?:[0-9a-f.:]{2,45})?").fullmatch
_is_fingerprint = re.compile(r"(?:[0-9a-f]{16})?").fullmatch


class Record(NamedTuple):
    """One request. A tuple, not a dataclass: thousands a second are made of rows that came in.

    Attributes:
        started_us: when it came in, in microseconds since the epoch.
        method: one of METHODS.
        route: the template that matched, or UNMATCHED, UNKNOWN, TOO_MANY.
        status: status code, 100 to 599; 0 when the application never said one.
        duration_us: from coming in to the last byte of the answer, at most 24 hours.
        request_bytes: size of the request's body.
        response_bytes: size of the answer's body, as far as it was sent.
        user: the host's id of an account that was signed in.
        address: the client's, cut to /24 or /48 unless the host keeps it whole.
        agent: known product and system of the client, as in "Firefox/128 Windows".
        error_class: of an unhandled exception, with its module.
        error_message: what it said, without anything that may be data.
        fingerprint: 16 hexadecimal digits, the same for errors of one class from one place.
        request_id: what X-Request-ID says.
        flags: PROBE (one of our own probes), WENT_AWAY (the client did, before the last byte).
        weight: how many requests this one stands for, 1 to MAX_WEIGHT.
    """

    started_us: int
    method: str
    route: str
    status: int
    duration_us: int
    request_bytes: int
    response_bytes: int
    user: str
    address: str
    agent: str
    error_class: str
    error_message: str
    fingerprint: str
    request_id: str
    flags: int
    weight: float

    @property
    def is_probe(self) -> bool:
        """Whether it came from a probe of this product."""
        return bool(self.flags & PROBE)

    @property
    def went_away(self) -> bool:
        """Whether the client left before the answer was through."""
        return bool(self.flags & WENT_AWAY)


def record_of(number: int, row: Any) -> Record:
    """The record that a row of a document is.

    Raises:
        ValueError: when it is none; the message says which field is wrong, and no value.
    """
    if not isinstance(row, list) or len(row) != len(Record._fields):
        raise ValueError(f"record {number} must be a list of {len(Record._fields)} fields")
    record = Record._make(row)
    # All conditions at once, for speed; which one failed is found out afterwards.
    try:
        if _is_sound(record):
            return record
    except TypeError:
        pass  # A field of another type than it was taken for.
    raise ValueError(f"record {number}: {_fault(record)}")


def _is_sound(record: Record) -> bool:
    (
        started, method, route, status, duration, request_bytes, response_bytes, user, address, agent,
        error_class, message, fingerprint, request_id, flags, weight,
    ) = record  # fmt: skip
    return (
        type(started) is type(status) is type(duration) is type(request_bytes) is type(response_bytes)
        is type(flags) is int
        and type(weight) in (int, float)
        and 0 <= started <= LATEST_US
        and (status == 0 or 100 <= status <= 599)
        and 0 <= duration <= MAX_DURATION_US
        and 0 <= request_bytes <= MAX_BYTES
        and 0 <= response_bytes <= MAX_BYTES
        and 0 <= flags <= _ALL_FLAGS
        and 1 <= weight <= MAX_WEIGHT
        and method in METHODS
        and 1 <= len(route) <= MAX_ROUTE
        and len(user) <= MAX_USER
        and len(agent) <= MAX_AGENT
        and len(error_class) <= MAX_ERROR_CLASS
        and len(message) <= MAX_ERROR_MESSAGE
        and len(request_id) <= MAX_REQUEST_ID
        # Fails for what is no text, and finds NUL and lone surrogates, which databases refuse.
        and "".join((route, user, agent, error_class, message, request_id)).isprintable()
        and _is_address(address) is not None
        and _is_fingerprint(fingerprint) is not None
    )  # fmt: skip


_RANGES: dict[str, tuple[int, float]] = {
    "started_us": (0, LATEST_US),
    "status": (100, 599),
    "duration_us": (0, MAX_DURATION_US),
    "request_bytes": (0, MAX_BYTES),
    "response_bytes": (0, MAX_BYTES),
    "flags": (0, _ALL_FLAGS),
    "weight": (1, MAX_WEIGHT),
}
_LENGTHS = {
    "user": MAX_USER,
    "agent": MAX_AGENT,
    "error_class": MAX_ERROR_CLASS,
    "error_message": MAX_ERROR_MESSAGE,
    "request_id": MAX_REQUEST_ID,
}


def _fault(record: Record) -> str:
    """What is wrong with a record that is not sound. Says no value: it may be what must not be told."""
    values: dict[str, Any] = record._asdict()
    for name, (low, high) in _RANGES.items():
        value = values[name]
        is_number = type(value) is int or (name == "weight" and type(value) is float)
        if not is_number or not (low <= value <= high or (name == "status" and value == 0)):
            return f"{name} must be a number from {low} to {high:.0f}"
        del values[name]
    for name, value in values.items():
        most = _LENGTHS.get(name, MAX_ROUTE)
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            return f"{name} must be a text of at most {most} printable characters"
    if record.method not in METHODS:
        return f"method must be one of {', '.join(sorted(METHODS))}"
    if not record.route:
        return "route must not be empty"
    return "address must be one of IPv4 or IPv6, and fingerprint 16 hexadecimal digits; both may be empty"
