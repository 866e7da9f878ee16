"""Lengths of time as people type them: "90 s", "5 min", "1 h 30 min", or a number alone."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
_NAMES = {
    "ms": "ms", "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "m": "min", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "h": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d",
}  # fmt: skip
_PART = re.compile(r"(\d{1,9}(?:[.,]\d{1,6})?)\s*([a-z]*)\s*")


def parse_duration(text: str) -> float:
    """Seconds. A number without a unit is seconds.

    Raises:
        ValueError: with a sentence, when it is no length of time.
    """
    rest, seconds, parts = text.strip().lower(), 0.0, 0
    while rest:
        found = _PART.match(rest)
        unit = _NAMES.get(found[2] or "s") if found else None
        if found is None or unit is None:
            raise ValueError("Write a length of time such as 30 s, 5 min or 1 h 30 min.")
        seconds += float(found[1].replace(",", ".")) * _SECONDS[unit]
        rest, parts = rest[found.end() :], parts + 1
    if not parts:
        raise ValueError("Write a length of time such as 30 s, 5 min or 1 h 30 min.")
    return seconds


def duration_words(seconds: float) -> str:
    """The same the other way round, exactly: 90 is "1 min 30 s"."""
    left = round(seconds * 1000)
    if left < 1000:
        return f"{left} ms" if left else "0 s"
    if left % 1000:
        return f"{left / 1000:g} s"
    left //= 1000
    words = []
    for unit in ("d", "h", "min", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words)
