"""Flapping, as Nagios judges it (base/flapping.c): how much the last 21 results came and went, newer changes more."""

from __future__ import annotations

STATES = 21
STARTS_AT = 30.0
ENDS_AT = 20.0
_CHANGES = STATES - 1


def flapping_percent(history: int) -> float:
    """How much of a change there was among the last 21 results, 0 to 100.

    Args:
        history: a bit per result, the newest lowest, 1 for a failure. A change at place x of 1 (oldest) to 20 weighs
            0.75 + (x - 1) * 0.5 / 19.
    """
    changes = history ^ (history >> 1)
    total = 0.0
    for place in range(1, _CHANGES + 1):
        if changes >> (_CHANGES - place) & 1:
            total += 0.75 + (place - 1) * 0.5 / 19
    return total * 100 / _CHANGES


def is_flapping(history: int, *, was_flapping: bool) -> bool:
    """Whether a service flaps: from 30 % on, and then until it is at 20 % or below."""
    percent = flapping_percent(history)
    return percent > ENDS_AT if was_flapping else percent >= STARTS_AT
