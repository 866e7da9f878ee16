"""The life of an alert: what follows when a rule has judged its subject again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from statusapp.domain.alert_rules import Case, Judgement
from statusapp.domain.enums import Severity
from statusapp.domain.instants import SECOND

# What comes back so soon after it was resolved is not news but flapping.
AGAIN_US = 600 * SECOND


class Step(Enum):
    """What follows for an alert, and what is told of it."""

    NOTHING = 0
    FIRE = 1
    REOPEN = 2
    REMIND = 3
    FLAP = 4
    RESOLVE = 5


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """The newest alert of a subject. Instants are microseconds."""

    id: int
    resolved_at: int | None
    told_at: int | None
    reminders: int
    remind_at: int | None
    severity: Severity
    is_flapping: bool
    is_acknowledged: bool


def next_step(known: KnownAlert | None, case: Case, now: int) -> Step:
    """What a judgement means for the newest alert of its subject."""
    if case.judgement is Judgement.HELD:
        return Step.NOTHING
    if known is None or known.resolved_at is not None:
        if case.judgement is Judgement.FINE:
            return Step.NOTHING
        if case.flaps is not None and known is not None and now - (known.resolved_at or now) < AGAIN_US:
            return Step.REOPEN
        return Step.FIRE
    if case.judgement is Judgement.FINE:
        return _after_recovery(known, case, now)
    return Step.REMIND if _is_worth_a_reminder(known, case, now) else Step.NOTHING


def _after_recovery(known: KnownAlert, case: Case, now: int) -> Step:
    """It resolves, unless it comes and goes: then that is said once, and it resolves when it has settled."""
    if case.flaps and not known.is_flapping:
        return Step.FLAP
    if known.is_flapping and (case.flaps or now - (known.told_at or 0) < AGAIN_US):
        return Step.NOTHING
    return Step.RESOLVE


def _is_worth_a_reminder(known: KnownAlert, case: Case, now: int) -> bool:
    if case.step > known.reminders or case.severity > known.severity:
        return True
    is_due = known.remind_at is not None and now >= known.remind_at
    return is_due and not known.is_acknowledged
