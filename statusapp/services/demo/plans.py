"""What is asked for, and the instants that follow from it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from config import Settings
from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.instants import SECOND
from statusapp.services.rollups import FINAL_US

MINUTE = 60 * SECOND
HOUR = HOUR_S * SECOND
DAY = DAY_S * SECOND

# A check that began so shortly before now may not have ended.
LAST_RESULT = 15 * SECOND
# The newest hours are free of trouble, so that the page is green from the beginning.
CALM = 3 * HOUR
CALM_INTERVALS = 30
# How much of the history lies behind these.
MONITOR_OFF_AFTER = 0.63
YOUNG_BEGINS_AFTER = 0.7
PAUSED_AFTER = 0.85
MONITOR_OFF_FOR = 2 * HOUR


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for: so many endpoints with so many days of history, single checks on the last `raw_days`."""

    endpoints: int
    days: int
    raw_days: int
    interval_s: int
    seed: int

    def randomness(self, purpose: str | int) -> random.Random:
        """A source of chance of its own for each purpose, the same at every run."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - nothing here is a secret

    @property
    def interval_us(self) -> int:
        """Between two checks of an endpoint, in microseconds."""
        return self.interval_s * SECOND

    @property
    def timeout_ms(self) -> int:
        """How long a check waits for its answer."""
        return min(10_000, self.interval_s * 500)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Instants in microseconds, all of one plan.

    The history goes from `start` to `now`. Single checks are kept from `raw_from`, sums of hours from `hours_from` and
    of days from `days_from`; hours before `final` are summed up for good. The monitor is off in between two instants.
    """

    start: int
    now: int
    raw_from: int
    hours_from: int
    days_from: int
    final: int
    off_from: int
    off_until: int
    calm_from: int

    @property
    def last_result(self) -> int:
        """Checks that began before this instant have ended."""
        return self.now - LAST_RESULT

    def after(self, share: float) -> int:
        """The instant at which this share of the history is past, on a whole second."""
        return floor_to(self.start + round((self.now - self.start) * share), 1)


def timeline(plan: Plan, settings: Settings, now: int) -> Timeline:
    """The instants of a plan that is carried out `now`."""
    start = now - plan.days * DAY
    off_from = floor_to(start + round((now - start) * MONITOR_OFF_AFTER), 1)
    return Timeline(
        start=start,
        now=now,
        raw_from=floor_to(now - plan.raw_days * DAY, HOUR_S),
        hours_from=now - settings.hour_retention_days * DAY,
        days_from=now - settings.day_retention_days * DAY,
        final=floor_to(now - FINAL_US, HOUR_S),
        off_from=off_from,
        off_until=off_from + MONITOR_OFF_FOR,
        calm_from=now - max(CALM, CALM_INTERVALS * plan.interval_us),
    )
