"""How a span of any length is cut into points of any step, from what is kept: checks, then hours, then days of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from statusapp.domain.blocks import DAY_S, HOUR_S, STEPS_S, THREE_HOURS_S, ceil_to, floor_to
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import SECOND

MOST_POINTS = 1000
# Without a step there are about as many points as a chart can show.
USUAL_POINTS = 300
USUAL_STEPS_S = (300, HOUR_S, THREE_HOURS_S, DAY_S)
LONGEST_S = 3660 * DAY_S
LENGTH_PATTERN = r"^[0-9]{1,9}[smhdw]?$"
UNITS_S = {"s": 1, "m": 60, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S}


@dataclass(frozen=True, slots=True)
class Kept:
    """From which instants on there are single checks and sums of hours; before that there are days."""

    checks_from: int
    hours_from: int


@dataclass(frozen=True, slots=True)
class SeriesCut:
    """The points of a series: how long each is, and where they begin, with the end of the last one; microseconds."""

    step_s: int
    edges: tuple[int, ...]

    @property
    def blocks_s(self) -> Sequence[int]:
        """The lengths of the sums that its points are put together from, the longest first; none are single checks."""
        return [block_s for block_s in STEPS_S if self.step_s % block_s == 0]


def parse_length(text: str) -> int:
    """Seconds of a length of time such as 300, 5m, 36h, 14d or 2w.

    Raises:
        ValueError: when it is none, or longer than ten years.
    """
    if not re.fullmatch(LENGTH_PATTERN, text):
        raise ValueError("Write a length of time as a number of seconds or with its unit, such as 300, 5m, 36h or 14d.")
    seconds = int(text[:-1]) * UNITS_S[text[-1]] if text[-1] in UNITS_S else int(text)
    if not 0 < seconds <= LONGEST_S:
        raise ValueError("Choose a length of time of at least a second and at most ten years.")
    return seconds


def length_text(seconds: int) -> str:
    """A length of time as `parse_length` takes it, in its largest unit that it is whole numbers of."""
    for unit in ("d", "h", "m"):
        if seconds % UNITS_S[unit] == 0:
            return f"{seconds // UNITS_S[unit]}{unit}"
    return f"{seconds}s"


def cut_span(end: int, length_s: int, step_s: int | None, interval_s: int, kept: Kept) -> SeriesCut:
    """The last so many seconds before an instant; the last point is the one that the instant lies in.

    Raises:
        InvalidInput: when the step does not go with the span.
    """
    step_s = step_s or _usual_step(end - length_s * SECOND, length_s, interval_s, kept)
    last, points = ceil_to(end, step_s), -(-length_s // step_s)
    return _checked(last - points * step_s * SECOND, last, step_s, interval_s, kept)


def cut_between(start: int, end: int, step_s: int | None, interval_s: int, kept: Kept) -> SeriesCut:
    """From one instant to another, widened to whole points.

    Raises:
        InvalidInput: when the step does not go with the span, and when that ends before it begins.
    """
    if not 0 < end - start <= LONGEST_S * SECOND:
        raise InvalidInput("since", "Choose a beginning before the end and before now, at most ten years earlier.")
    step_s = step_s or _usual_step(start, (end - start) // SECOND + 1, interval_s, kept)
    return _checked(floor_to(start, step_s), ceil_to(end, step_s), step_s, interval_s, kept)


def _usual_step(start: int, length_s: int, interval_s: int, kept: Kept) -> int:
    """The step for somebody who names none."""
    finest = max(interval_s, _unit_at(start, kept))
    fitting = (step for step in USUAL_STEPS_S if step >= finest and length_s <= USUAL_POINTS * step)
    return next(fitting, DAY_S * max(-(-length_s // (USUAL_POINTS * DAY_S)), 1))


def _unit_at(start: int, kept: Kept) -> int:
    """What a step has to be a whole number of, so far back."""
    return DAY_S if start < kept.hours_from else HOUR_S if start < kept.checks_from else 1


def _checked(first: int, last: int, step_s: int, interval_s: int, kept: Kept) -> SeriesCut:
    unit = _unit_at(first, kept)
    if step_s % unit:
        what, example = ("days", "1d") if unit == DAY_S else ("hours", "6h")
        raise InvalidInput(
            "step", f"So far back there are only sums of whole {what}: choose a step such as {example}, or begin later."
        )
    if step_s < interval_s:
        raise InvalidInput(
            "step", f"This service is checked every {interval_s} seconds; choose a step of at least that long."
        )
    points = (last - first) // (step_s * SECOND)
    if points > MOST_POINTS:
        least = max(-(-(last - first) // (MOST_POINTS * SECOND)), interval_s)
        coarser = next((one for one in (60, 300, 900, HOUR_S, THREE_HOURS_S) if one >= least and one % unit == 0), None)
        coarser = coarser or -(-least // DAY_S) * DAY_S
        raise InvalidInput(
            "step",
            f"That makes {points:,} points, and at most {MOST_POINTS:,} are given at once: choose a longer step, such "
            f"as {length_text(coarser)}, or a shorter span.",
        )
    return SeriesCut(step_s, tuple(range(first, last + 1, step_s * SECOND)))
