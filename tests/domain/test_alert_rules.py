"""The rules: what is wrong, what is fine, and what nobody says anything about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statusapp.domain.alert_life import KnownAlert, Step, next_step
from statusapp.domain.alert_rules import (
    DAY_US,
    DEFAULTS,
    Case,
    Judgement,
    RuleValues,
    ServiceFacts,
    judge_certificate,
    judge_down,
    judge_readings,
    judge_share,
    narrowest,
)
from statusapp.domain.enums import AlertKind, Severity, Status
from statusapp.domain.instants import SECOND

NOW = 1_800_000_000_000_000
MINUTE = 60 * SECOND
DOWN = RuleValues(AlertKind.DOWN, Severity.CRITICAL, for_s=600)
SERVICE = ServiceFacts(7, "Shop", is_heartbeat=False, status=Status.MAJOR_OUTAGE, status_since=NOW - 10 * MINUTE)
OPEN = KnownAlert(1, None, NOW - MINUTE, 0, NOW, Severity.CRITICAL, is_flapping=False, is_acknowledged=False)
WRONG = Case(DOWN, "endpoint:7", "Shop", Judgement.WRONG, 7, Severity.CRITICAL, flaps=False)
FINE = replace(WRONG, judgement=Judgement.FINE)


@pytest.mark.parametrize(
    ("changes", "judgement"),
    [
        ({}, Judgement.WRONG),
        ({"status_since": NOW - 10 * MINUTE + 1}, Judgement.HELD),
        ({"is_muted": True}, Judgement.HELD),
        ({"in_maintenance": True}, Judgement.HELD),
        ({"down_parents": ("Database",)}, Judgement.HELD),
        ({"status": Status.MAINTENANCE}, Judgement.HELD),
        ({"status": Status.UNKNOWN}, Judgement.HELD),
        ({"status": Status.PARTIAL_OUTAGE}, Judgement.HELD),
        ({"status": Status.DEGRADED}, Judgement.FINE),
        ({"status": Status.OPERATIONAL}, Judgement.FINE),
    ],
)
def test_down_is_told_after_its_time_and_of_nobody_who_is_excused(
    changes: dict[str, object], judgement: Judgement
) -> None:
    assert judge_down(replace(SERVICE, **changes), DOWN, NOW).judgement is judgement  # type: ignore[arg-type]


def test_a_rule_that_is_off_or_muted_raises_nothing_and_lets_what_is_over_resolve() -> None:
    off = replace(DOWN, is_on=False)
    assert judge_down(SERVICE, off, NOW).judgement is Judgement.HELD
    assert judge_down(replace(SERVICE, status=Status.OPERATIONAL), off, NOW).judgement is Judgement.FINE


@pytest.mark.parametrize(
    ("bad", "count", "judgement"), [(3, 5, "WRONG"), (3, 4, "FINE"), (5, 10, "FINE"), (6, 10, "WRONG")]
)
def test_a_share_needs_enough_results_and_more_than_the_limit(bad: int, count: int, judgement: str) -> None:
    rule = RuleValues(AlertKind.CHECK_ERRORS, Severity.WARNING, threshold=50, window_s=3600, least=5)
    service = replace(SERVICE, status=Status.OPERATIONAL)
    assert judge_share(service, rule, bad, count, 50, "", NOW).judgement is Judgement[judgement]
    assert judge_share(SERVICE, rule, bad, count, 50, "", NOW).judgement is Judgement.HELD


@pytest.mark.parametrize(
    ("days", "step", "severity"),
    [
        (30.5, 0, None),
        (29.9, 1, Severity.WARNING),
        (13.9, 2, Severity.WARNING),
        (6.9, 3, Severity.CRITICAL),
        (0.9, 4, Severity.CRITICAL),
        (-2, 4, Severity.CRITICAL),
    ],
)
def test_a_certificate_is_told_of_in_steps(days: float, step: int, severity: Severity | None) -> None:
    rule = RuleValues(AlertKind.CERTIFICATE, Severity.WARNING)
    case = judge_certificate(replace(SERVICE, certificate_expires_at=NOW + int(days * DAY_US)), rule, NOW)
    assert case.step == step
    assert case.judgement is (Judgement.WRONG if step else Judgement.FINE)
    assert severity is None or case.severity is severity


def test_a_host_is_told_of_when_it_was_above_all_the_time() -> None:
    rule = RuleValues(AlertKind.CPU, Severity.WARNING, threshold=90, for_s=600)

    def judged(*values: float | None) -> Judgement:
        readings = [(NOW - number * 5 * MINUTE, value) for number, value in enumerate(values)]
        return judge_readings(rule, "web-1", readings, " %", "CPU").judgement

    assert judged(95, 95, 95) is Judgement.WRONG
    assert judged(95, 95) is Judgement.HELD
    assert judged(95, 80, 95) is Judgement.HELD
    assert judged(90, 95, 95) is Judgement.FINE
    assert judged(None, 95, 95) is Judgement.HELD
    assert judged() is Judgement.HELD


def test_the_narrowest_rule_counts() -> None:
    for_all, for_group, for_one = (replace(DOWN, for_s=seconds) for seconds in (600, 60, 0))
    rules = [(for_all, None, None), (for_group, 3, None), (for_one, None, 7)]
    assert narrowest(rules, 7, 3) is for_one
    assert narrowest(rules, 8, 3) is for_group
    assert narrowest(rules, 8, None) is for_all
    with pytest.raises(LookupError):
        narrowest([], 7, None)


def test_every_kind_has_a_default() -> None:
    assert [values.kind for values in DEFAULTS] == list(AlertKind)


@pytest.mark.parametrize(
    ("known", "case", "step"),
    [
        (None, WRONG, Step.FIRE),
        (None, FINE, Step.NOTHING),
        (OPEN, replace(WRONG, judgement=Judgement.HELD), Step.NOTHING),
        (OPEN, WRONG, Step.REMIND),
        (replace(OPEN, remind_at=NOW + 1), WRONG, Step.NOTHING),
        (replace(OPEN, is_acknowledged=True), WRONG, Step.NOTHING),
        (replace(OPEN, remind_at=None), WRONG, Step.NOTHING),
        (replace(OPEN, remind_at=None), replace(WRONG, step=1), Step.REMIND),
        (replace(OPEN, remind_at=None, severity=Severity.WARNING), WRONG, Step.REMIND),
        (OPEN, FINE, Step.RESOLVE),
        (OPEN, replace(FINE, flaps=True), Step.FLAP),
        (replace(OPEN, is_flapping=True), replace(FINE, flaps=True), Step.NOTHING),
        (replace(OPEN, is_flapping=True), FINE, Step.NOTHING),
        (replace(OPEN, is_flapping=True, told_at=NOW - 10 * MINUTE), FINE, Step.RESOLVE),
        (replace(OPEN, resolved_at=NOW - 9 * MINUTE), WRONG, Step.REOPEN),
        (replace(OPEN, resolved_at=NOW - 10 * MINUTE), WRONG, Step.FIRE),
        (replace(OPEN, resolved_at=NOW - MINUTE), replace(WRONG, flaps=None), Step.FIRE),
        (replace(OPEN, resolved_at=NOW - MINUTE), FINE, Step.NOTHING),
    ],
)
def test_what_follows_from_a_judgement(known: KnownAlert | None, case: Case, step: Step) -> None:
    assert next_step(known, case, NOW) is step
