"""One service from its first check to its last, a day at a time, so that nothing long is ever held in memory."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from statusapp.domain.blocks import DAY_S, HOUR_S, STEPS_S, THREE_HOURS_S, floor_to
from statusapp.domain.instants import SECOND
from statusapp.domain.latency import LatencySums
from statusapp.domain.schedule import next_slot
from statusapp.services.demo.plans import DAY, HOUR, Plan, Timeline
from statusapp.services.demo.replay import Story
from statusapp.services.demo.samples import Character, Render, Sample, make_pools, sample_of
from statusapp.services.demo.sums import (
    HOURS,
    Block,
    DayOfBlocks,
    add_up,
    day_variants,
    level_of,
    make_block,
    make_day,
    sum_checks,
)

# An instant and the rest of the row, as `bulk` writes them.
Rows = list[tuple[int, Any]]

_slot = itemgetter(0)


class History:
    """The single checks of one endpoint and the sums of them. Instants are microseconds.

    Days without single checks on which nothing happens are taken from a few made in advance; everything else is made
    check by check. Sums are those that the job of the rollups makes: of hours that are final, and of the longer blocks
    that end with one.
    """

    def __init__(
        self,
        endpoint_id: int,
        plan: Plan,
        time: Timeline,
        character: Character,
        chance: random.Random,
        render: Render,
    ) -> None:
        self._endpoint_id = endpoint_id
        self._plan = plan
        self._time = time
        self._character = character
        self._chance = chance
        self._render = render
        self._pools = make_pools(character, chance, render)
        self._first_day = floor_to(time.start, DAY_S)
        self._variants = day_variants((time.now - self._first_day) // DAY + 1, chance)
        self._days: dict[int, DayOfBlocks] = {}
        self._begins = self._ends = 0
        self._made: list[tuple[int, Sample]] = []
        self._made_slots: list[int] = []
        self._busy_from: list[int] = []
        self._busy_until: list[int] = []
        self.sums: dict[int, Rows] = {step_s: [] for step_s in STEPS_S}
        self.checks = 0

    def stream(self, story: Story, begins: int, ends: int) -> Iterator[Rows]:
        """The single checks, a day after the other. `sums` is filled on the way, and `checks` counts them."""
        self._begins, self._ends = begins, ends
        self._made = [
            (made.slot, sample_of(made.result, made.kind, made.result.started_at - made.slot, self._render))
            for made in story.made
        ]
        self._made_slots = [slot for slot, _ in self._made]
        self._busy_from = [first for first, _ in story.stretches]
        self._busy_until = [last for _, last in story.stretches]
        for day in range(floor_to(begins, DAY_S), ends, DAY):
            if self._is_plain(day, day + DAY):
                self._add_plain_day(day)
                continue
            checks = self._add_day(day)
            if checks:
                self.checks += len(checks)
                yield [(slot, sample.row) for slot, sample in checks]

    def _is_plain(self, start: int, end: int) -> bool:
        """Whether no single check is wanted of a stretch, and all of it is there, and nothing happens in it."""
        return (
            start > self._begins
            and end <= min(self._time.raw_from, self._time.final, self._ends)
            and not self._is_busy(start, end)
        )

    def _is_busy(self, start: int, end: int) -> bool:
        """Whether checks that were made one by one lie between two instants."""
        place = bisect_right(self._busy_until, start)
        return place < len(self._busy_from) and self._busy_from[place] < end

    def _day_of(self, day: int) -> DayOfBlocks:
        variant = self._variant_of(day)
        if variant not in self._days:
            per_hour = round(HOUR_S / self._plan.interval_s)
            busiest_hour = self._character.busiest_hour
            self._days[variant] = make_day(self._pools, variant, busiest_hour, per_hour, self._chance, self._render)
        return self._days[variant]

    def _variant_of(self, instant: int) -> int:
        return self._variants[(instant - self._first_day) // DAY]

    def _add_plain_day(self, day: int) -> None:
        blocks = self._day_of(day)
        if day + DAY > self._time.hours_from:
            for hour, block in enumerate(blocks.hours):
                self._add(HOUR_S, day + hour * HOUR, block)
            for number, block in enumerate(blocks.threes):
                self._add(THREE_HOURS_S, day + number * 3 * HOUR, block)
        self._add(DAY_S, day, blocks.whole)

    def _add_day(self, day: int) -> list[tuple[int, Sample]]:
        """Make a day hour by hour; returns the single checks that are wanted of it."""
        wanted: list[tuple[int, Sample]] = []
        hours: dict[int, LatencySums] = {}
        first = max(day, floor_to(self._begins, HOUR_S))
        for hour in range(first, min(day + DAY, self._ends), HOUR):
            if self._is_plain(hour, hour + HOUR):
                block = self._day_of(day).hours[(hour - day) // HOUR]
                self._add(HOUR_S, hour, block)
                hours[hour] = block.sums
                continue
            checks = self._checks_of(hour)
            if hour >= self._time.raw_from:
                wanted += checks
            if checks and hour < self._time.final:
                hours[hour] = sum_checks([sample for _, sample in checks])
                if hour >= self._time.hours_from:
                    self._add(HOUR_S, hour, make_block(hours[hour], self._render))
        self._add_longer(day, hours)
        return wanted

    def _add_longer(self, day: int, hours: dict[int, LatencySums]) -> None:
        """Add up the hours of a day to the longer blocks that are over."""
        if day + DAY > self._time.hours_from:
            for start in range(day, day + DAY, 3 * HOUR):
                self._add_sum(THREE_HOURS_S, start, [hours[hour] for hour in hours if start <= hour < start + 3 * HOUR])
        self._add_sum(DAY_S, day, list(hours.values()))

    def _add_sum(self, step_s: int, start: int, parts: list[LatencySums]) -> None:
        if parts and start + step_s * SECOND <= self._time.final:
            self._add(step_s, start, make_block(add_up(parts), self._render))

    def _add(self, step_s: int, start: int, block: Block) -> None:
        """Keep a row, unless it is of a time whose sums are no longer kept."""
        if start >= (self._time.days_from if step_s == DAY_S else self._time.hours_from):
            self.sums[step_s].append((start, block.row))

    def _checks_of(self, hour: int) -> list[tuple[int, Sample]]:
        """The checks of one hour, in the order of their slots."""
        interval = self._plan.interval_us
        first = next_slot(self._endpoint_id, interval, max(hour - 1, self._begins))
        slots = range(first, min(hour + HOUR, self._ends), interval)
        level = level_of((hour // HOUR) % HOURS, self._variant_of(hour), self._character.busiest_hour)
        checks = list(zip(slots, self._chance.choices(self._pools[level], k=len(slots)), strict=True))
        if self._is_busy(hour, hour + HOUR):
            checks = [check for check in checks if not self._is_busy(check[0], check[0] + 1)]
        made = self._made[bisect_left(self._made_slots, hour) : bisect_left(self._made_slots, hour + HOUR)]
        return sorted(checks + made, key=_slot) if made else checks
