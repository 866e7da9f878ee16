"""Where a page of a list begins, as it stands in an address: the key of the row beside it."""

from __future__ import annotations

import base64
import json

from statusapp.domain.errors import InvalidInput
from statusapp.queries.paging import Key

WRONG = "This page's mark does not belong to the list as it is sorted now; begin with the first page."
LARGEST = 2**63


def write_cursor(key: Key) -> str:
    """A key for an address."""
    return base64.urlsafe_b64encode(json.dumps(list(key), separators=(",", ":")).encode()).decode().rstrip("=")


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
    for value, wanted in zip(values, types, strict=True):
        fits = isinstance(value, wanted) and not isinstance(value, bool)
        if not fits or (isinstance(value, int) and abs(value) >= LARGEST) or (isinstance(value, str) and "\0" in value):
            raise InvalidInput("after", WRONG)
    return tuple(values)
