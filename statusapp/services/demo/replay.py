"""The checks around each episode, put through `decide`: ledger and state are what it makes of them.

Between the episodes all checks are good, and good checks change nothing but counters, so that stretch is jumped over.
What the ledger says can therefore be found again by deciding anew over the single checks.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from statusapp.domain.enums import CheckKind, Outcome, Rule, Status
from statusapp.domain.instants import MILLISECOND
from statusapp.domain.schedule import next_slot, retry_due
from statusapp.domain.transitions import HISTORY_BITS, SILENT_INTERVALS, decide
from statusapp.domain.values import Decision, EndpointHealth, Policy, ProbeResult, StatusChange
from statusapp.services.demo import samples
from statusapp.services.demo.episodes import Episode, Trouble
from statusapp.services.demo.samples import Character

# How long after the end of a check its result is applied.
APPLIED_AFTER = 40 * MILLISECOND
_SLOW_SHARE = 0.92
_ON_AND_OFF_SHARE = {CheckKind.SCHEDULED: 0.6, CheckKind.RETRY: 0.12}


@dataclass(slots=True)
class Entry:
    """One interval of the ledger."""

    previous: Status
    status: Status
    started_at: int
    recorded_at: int
    rule: Rule
    reason: str | None = None
    ended_at: int | None = None
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """One check that was made one by one."""

    slot: int
    kind: CheckKind
    result: ProbeResult


@dataclass(slots=True)
class Story:
    """What has happened to one service, less the good checks between its episodes.

    `made` are in the order of their slots. `stretches` are the parts of the grid, from one slot up to another, whose
    checks are among them. `next_check_at` is the first slot of the grid that is still to come.
    """

    health: EndpointHealth
    made: list[Made] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    ledger: list[Entry] = field(default_factory=list)
    next_check_at: int = 0


class Replay:
    """Tells the story of one endpoint. Instants are microseconds."""

    def __init__(
        self,
        endpoint_id: int,
        policy: Policy,
        character: Character,
        monitor_off: tuple[int, int],
        chance: random.Random,
    ) -> None:
        self._endpoint_id = endpoint_id
        self._policy = policy
        self._character = character
        self._off_from, self._off_until = monitor_off
        self._chance = chance
        self._story = Story(EndpointHealth())
        self._ends = 0

    def tell(self, episodes: Iterable[Episode], begins: int, ends: int) -> Story:
        """The story of an endpoint that was created at `begins` and is checked up to `ends`."""
        story, interval = self._story, self._policy.interval_us
        self._ends = ends
        story.health = EndpointHealth(status_since=begins)
        story.ledger.append(Entry(Status.UNKNOWN, Status.UNKNOWN, begins, begins, Rule.CREATED))
        self._check(begins, CheckKind.SCHEDULED, None)
        slot = next_slot(self._endpoint_id, interval, begins)
        for episode in episodes:
            # A good check first, so that it is known to the microsecond what was there before.
            lead = next_slot(self._endpoint_id, interval, episode.start - 1) - interval
            if lead >= slot and lead < ends:
                self._jump(slot, lead)
                slot = self._go_through(lead, episode)
        lead = next_slot(self._endpoint_id, interval, ends - 1) - 2 * interval
        if lead >= slot:
            self._jump(slot, lead)
            slot = lead
        story.next_check_at = self._go_through(slot, Episode(Trouble.MONITOR_OFF, ends, ends))
        return story

    def _jump(self, slot: int, lead: int) -> None:
        """Pass over the good checks from `slot` up to `lead`."""
        number = (lead - slot) // self._policy.interval_us
        if number:
            health = self._story.health
            last = lead - self._policy.interval_us
            self._story.health = replace(
                health,
                history=health.history << min(number, HISTORY_BITS) & (1 << HISTORY_BITS) - 1,
                successes=health.successes + number,
                slow=0,
                fast=health.fast + number,
                last_checked_at=last,
                silent_after=last + SILENT_INTERVALS * self._policy.interval_us,
            )

    def _go_through(self, lead: int, episode: Episode) -> int:
        """Make each check from `lead` on until the episode is over and forgotten; the slot that comes next."""
        slot, is_over = lead, False
        while slot < self._ends and not (is_over and self._is_settled()):
            is_over = slot >= episode.end
            following = self._next(slot)
            decision, now = self._check(slot, CheckKind.SCHEDULED, episode)
            while decision.retry_soon:
                confirmations = max(self._policy.failures_to_confirm, self._policy.successes_to_confirm)
                due = retry_due(now, self._policy.interval_us, confirmations)
                if due >= min(slot + self._policy.interval_us, following, self._ends) or self._is_off(due):
                    break
                decision, now = self._check(due, CheckKind.RETRY, episode)
            slot = following
        if slot > lead:
            self._story.stretches.append((lead, slot))
        return slot

    def _next(self, slot: int) -> int:
        """The slot after this one. While the monitor is off there is none."""
        slot += self._policy.interval_us
        if self._is_off(slot):
            return next_slot(self._endpoint_id, self._policy.interval_us, self._off_until - 1)
        return slot

    def _is_off(self, instant: int) -> bool:
        return self._off_from <= instant < self._off_until

    def _is_settled(self) -> bool:
        """Whether good checks from here on would change nothing."""
        return self._story.health.status is Status.OPERATIONAL and not self._story.health.failures

    def _check(self, slot: int, kind: CheckKind, episode: Episode | None) -> tuple[Decision, int]:
        """Make one check and apply its result; also the instant at which it was applied."""
        result = self._look(slot, kind, episode)
        now = result.started_at + result.total_us + APPLIED_AFTER
        decision = decide(self._story.health, result, self._policy, now)
        self._story.health = decision.health
        self._story.made.append(Made(slot, kind, result))
        for change in decision.changes:
            record(self._story.ledger, change, now, result.error)
        return decision, now

    def _look(self, slot: int, kind: CheckKind, episode: Episode | None) -> ProbeResult:
        started_at = slot + samples.lateness(self._chance)
        outcome = Outcome.OK
        if episode is not None and episode.start <= slot < episode.end:
            outcome = self._outcome(episode.trouble, kind)
        if outcome is Outcome.FAILED:
            return samples.failed(started_at, episode.failure if episode else 0, self._character, self._chance)
        look = samples.slow if outcome is Outcome.SLOW else samples.good
        return look(started_at, self._character, self._chance)

    def _outcome(self, trouble: Trouble, kind: CheckKind) -> Outcome:
        """What a check within an episode sees."""
        if trouble is Trouble.OUTAGE or (trouble is Trouble.BLIP and kind is CheckKind.SCHEDULED):
            return Outcome.FAILED
        if trouble is Trouble.SLOW and self._chance.random() < _SLOW_SHARE:
            return Outcome.SLOW
        # As many failures in a row as confirm an outage would be one.
        may_fail = self._story.health.failures + 1 < self._policy.failures_to_confirm
        if trouble is Trouble.ON_AND_OFF and may_fail and self._chance.random() < _ON_AND_OFF_SHARE[kind]:
            return Outcome.FAILED
        return Outcome.OK


def record(ledger: list[Entry], change: StatusChange, now: int, reason: str | None) -> None:
    """Write a change into a ledger as `services/results.py` does into the database's."""
    for entry in reversed(ledger):
        if entry.superseded:
            continue
        if entry.started_at >= change.started_at:
            entry.superseded = True
            entry.ended_at = now if entry.ended_at is None else entry.ended_at
        elif entry.ended_at is None or entry.ended_at > change.started_at:
            entry.ended_at = change.started_at
        else:
            break
    ledger.append(Entry(change.previous, change.status, change.started_at, now, change.rule, reason))
