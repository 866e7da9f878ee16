"""Expected HTTP status codes: a list of codes and ranges such as "200-299, 401"."""

from __future__ import annotations

import re
from functools import lru_cache

_PART = re.compile(r"([0-9]{3})(?:\s*-\s*([0-9]{3}))?")


@lru_cache(maxsize=1024)
def parse_status_codes(text: str) -> frozenset[int]:
    """The codes that `text` names.

    Raises:
        ValueError: when it is not a list of codes and ranges between 100 and 599; the message says what is wrong.
    """
    codes: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is not a status code or a range; write for example 200-299, 401")
        first = int(match[1])
        last = int(match[2] or match[1])
        if not 100 <= first <= last <= 599:
            raise ValueError(f"{part.strip()!r} is not a range of status codes between 100 and 599")
        codes.update(range(first, last + 1))
    return frozenset(codes)
