"""Where a page of a list begins, as it stands in an address: the key of the row beside it."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.queries.paging import Key

WRONG = "This page's mark does not belong to the list as it is sorted now; begin with the first page."
LARGEST = 2**63
# The instants that a datetime can be, in microseconds: up to the year 3000.
LATEST = 32_503_680_000 * SECOND


def write_cursor(key: Key) -> str:
    """A key for an address."""
    values = [to_us(value) if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, types: tuple[type, ...]) -> Key:
    """The key that was written, of values of these types.

    Raises:
        InvalidInput: when it is none of this list.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise InvalidInput("after", WRONG) from None
    if not isinstance(values, list) or len(values) != len(types):
        raise InvalidInput("after", WRONG)
    return tuple(_value(value, wanted) for value, wanted in zip(values, types, strict=True))


def _value(value: object, wanted: type) -> int | str | float | datetime:
    written_as = int if wanted is datetime else wanted
    if type(value) is not written_as:
        raise InvalidInput("after", WRONG)
    if isinstance(value, str) and "\0" not in value:
        return value
    if isinstance(value, int | float) and abs(value) < LARGEST:
        return value if wanted is not datetime else from_us(int(value) % LATEST)
    raise InvalidInput("after", WRONG)
