"""When which service is in trouble, and how: a Poisson process per kind of trouble, and a few that many share."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum

from statusapp.services.demo.catalogue import Temper
from statusapp.services.demo.plans import DAY, HOUR, MINUTE, Plan, Timeline


class Trouble(Enum):
    """What an episode looks like to the checks. A blip is one failure; while the monitor is off there is no check."""

    OUTAGE = "outage"
    ON_AND_OFF = "on and off"
    SLOW = "slow"
    BLIP = "blip"
    MONITOR_OFF = "monitor off"


@dataclass(frozen=True, slots=True)
class Episode:
    """Trouble from `start` up to `end`. `failure` chooses how the failed checks of it look."""

    trouble: Trouble
    start: int
    end: int
    failure: float = 0.0


@dataclass(frozen=True, slots=True)
class _Lengths:
    """How long a kind of trouble lasts: log-normal around the median, within limits."""

    median: int
    spread: float
    least: int
    most: int

    def draw(self, chance: random.Random) -> int:
        """One length, in microseconds."""
        return round(min(max(self.median * chance.lognormvariate(0, self.spread), self.least), self.most))


_LENGTHS = {
    Trouble.OUTAGE: _Lengths(9 * MINUTE, 0.9, 2 * MINUTE, 90 * MINUTE),
    Trouble.ON_AND_OFF: _Lengths(35 * MINUTE, 0.4, 20 * MINUTE, 90 * MINUTE),
    Trouble.SLOW: _Lengths(25 * MINUTE, 0.7, 8 * MINUTE, 3 * HOUR),
}
# So many a day.
_RATES = {
    Temper.USUAL: {Trouble.OUTAGE: 1 / 20, Trouble.ON_AND_OFF: 1 / 90, Trouble.SLOW: 1 / 35, Trouble.BLIP: 1 / 6},
    Temper.STEADY: {Trouble.BLIP: 1 / 15},
    Temper.TROUBLED: {Trouble.OUTAGE: 1 / 4, Trouble.ON_AND_OFF: 1 / 12, Trouble.SLOW: 1 / 6, Trouble.BLIP: 1.0},
}
_SHARED_RATE = 1 / 30
_SHARED_BY = 0.25


def shared_episodes(plan: Plan, time: Timeline) -> list[Episode]:
    """Outages that hit many services at once."""
    return _drawn(plan.randomness("shared"), Trouble.OUTAGE, _SHARED_RATE, time.start + HOUR, time.calm_from, plan)


def episodes_of(
    temper: Temper, shared: list[Episode], chance: random.Random, plan: Plan, time: Timeline, begins: int
) -> list[Episode]:
    """The episodes of one service that is checked from `begins` on, the earliest first. They may overlap."""
    found = [Episode(Trouble.MONITOR_OFF, time.off_from, time.off_until)]
    for trouble, rate in _RATES.get(temper, _RATES[Temper.USUAL]).items():
        found += _drawn(chance, trouble, rate, begins + HOUR, time.calm_from, plan)
    if temper is not Temper.STEADY:
        found += [
            replace(episode, start=episode.start + chance.randrange(MINUTE))
            for episode in shared
            if chance.random() < _SHARED_BY
        ]
    return sorted((episode for episode in found if episode.start > begins), key=lambda episode: episode.start)


def _drawn(chance: random.Random, trouble: Trouble, rate: float, first: int, last: int, plan: Plan) -> list[Episode]:
    found: list[Episode] = []
    start = first + round(chance.expovariate(rate) * DAY)
    while start < last:
        # A blip is one slot of the grid, wherever on it the endpoint stands.
        length = plan.interval_us if trouble is Trouble.BLIP else _LENGTHS[trouble].draw(chance)
        if start + length < last:
            found.append(Episode(trouble, start, start + length, chance.random()))
        start += length + round(chance.expovariate(rate) * DAY)
    return found
