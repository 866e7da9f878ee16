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
from statusapp.services.demo.replay import Made, Story
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

THREE_HOURS = THREE_HOURS_S * SECOND
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
        self._taken: set[int] = set()
        self._busy_from: list[int] = []
        self._busy_until: list[int] = []
        self.sums: dict[int, Rows] = {step_s: [] for step_s in STEPS_S}
        self.checks = 0

    def stream(self, story: Story, begins: int, ends: int) -> Iterator[Rows]:
        """The single checks, a day after the other. `sums` is filled on the way, and `checks` counts them."""
        self._begins, self._ends = begins, ends
        self._made = [(made.slot, self._sample_of(made)) for made in story.made]
        self._made_slots = [slot for slot, _ in self._made]
        self._taken = set(self._made_slots)
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

    def _sample_of(self, made: Made) -> Sample:
        render = self._render if made.slot >= self._time.raw_from else _no_row
        return sample_of(made.result, made.kind, made.result.started_at - made.slot, render)

    def _add_day(self, day: int) -> list[tuple[int, Sample]]:
        """Add the sums of a day; returns the single checks that are wanted of it."""
        wanted: list[tuple[int, Sample]] = []
        threes: list[LatencySums] = []
        for place, start in enumerate(range(day, day + DAY, THREE_HOURS)):
            if self._is_plain(start, start + THREE_HOURS):
                blocks = self._day_of(day)
                self._add_three(blocks, place, start)
                threes.append(blocks.threes[place].sums)
                continue
            hours = []
            for hour in range(max(start, floor_to(self._begins, HOUR_S)), min(start + THREE_HOURS, self._ends), HOUR):
                sums, checks = self._add_hour(day, hour)
                wanted += checks
                if sums is not None:
                    hours.append(sums)
            if hours:
                threes.append(add_up(hours))
                self._add_sums(THREE_HOURS_S, start, threes[-1])
        if threes and day + DAY <= self._time.final:
            self._add_sums(DAY_S, day, add_up(threes))
        return wanted

    def _add_plain_day(self, day: int) -> None:
        blocks = self._day_of(day)
        if day + DAY > self._time.hours_from:
            for place in range(HOURS // 3):
                self._add_three(blocks, place, day + place * THREE_HOURS)
        self._add(DAY_S, day, blocks.whole)

    def _add_three(self, blocks: DayOfBlocks, place: int, start: int) -> None:
        """Add three hours that were made in advance, and the block of them."""
        for number, block in enumerate(blocks.hours[3 * place : 3 * place + 3]):
            self._add(HOUR_S, start + number * HOUR, block)
        self._add(THREE_HOURS_S, start, blocks.threes[place])

    def _add_hour(self, day: int, hour: int) -> tuple[LatencySums | None, list[tuple[int, Sample]]]:
        """Add an hour. Its sums are None when it has none or they are not final; its checks are those wanted."""
        if self._is_plain(hour, hour + HOUR):
            block = self._day_of(day).hours[(hour - day) // HOUR]
            self._add(HOUR_S, hour, block)
            return block.sums, []
        checks = self._checks_of(hour)
        wanted = checks if hour >= self._time.raw_from else []
        if not checks or hour >= self._time.final:
            return None, wanted
        sums = sum_checks([sample for _, sample in checks])
        self._add_sums(HOUR_S, hour, sums)
        return sums, wanted

    def _add_sums(self, step_s: int, start: int, sums: LatencySums) -> None:
        """Keep sums that are final and not too old. To make a row of them is what costs time."""
        if start + step_s * SECOND <= self._time.final and self._is_kept(step_s, start):
            self._add(step_s, start, make_block(sums, self._render))

    def _add(self, step_s: int, start: int, block: Block) -> None:
        if self._is_kept(step_s, start):
            self.sums[step_s].append((start, block.row))

    def _is_kept(self, step_s: int, start: int) -> bool:
        return start >= (self._time.days_from if step_s == DAY_S else self._time.hours_from)

    def _checks_of(self, hour: int) -> list[tuple[int, Sample]]:
        """The checks of one hour, in the order of their slots."""
        interval, time = self._plan.interval_us, self._time
        first = next_slot(self._endpoint_id, interval, max(hour - 1, self._begins))
        slots = range(first, min(hour + HOUR, self._ends), interval)
        level = level_of((hour // HOUR) % HOURS, self._variant_of(hour), self._character.busiest_hour)
        checks = list(zip(slots, self._chance.choices(self._pools[level], k=len(slots)), strict=True))
        if self._is_busy(hour, hour + HOUR):
            taken = self._taken
            checks = [
                check for check in checks if check[0] not in taken and not time.off_from <= check[0] < time.off_until
            ]
        made = self._made[bisect_left(self._made_slots, hour) : bisect_left(self._made_slots, hour + HOUR)]
        return sorted(checks + made, key=_slot) if made else checks


def _no_row(_values: tuple[Any, ...]) -> None:
    """The form of a row that is not written."""
