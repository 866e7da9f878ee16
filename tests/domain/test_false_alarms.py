"""A hundred thousand checks with failures strewn in: nobody is said to be down who is not."""

from __future__ import annotations

import random
from itertools import groupby

from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import SECOND
from statusapp.domain.transitions import decide
from statusapp.domain.uptime import time_per_status
from statusapp.domain.values import EndpointHealth, Interval, Policy, ProbeResult, StatusChange

ENDPOINTS, CHECKS = 100, 1000
MINUTE = 60 * SECOND
POLICY = Policy(MINUTE, failures_to_confirm=2, successes_to_confirm=1)


def live(failures: list[bool]) -> list[StatusChange]:
    """What is said of one endpoint, checked every minute, whose checks fail so."""
    health, changes = EndpointHealth(), []
    for number, failed in enumerate(failures):
        started = number * MINUTE
        decision = decide(
            health, ProbeResult(started, Outcome.FAILED if failed else Outcome.OK), POLICY, started + SECOND
        )
        health = decision.health
        changes += decision.changes
    return changes


def outage(changes: list[StatusChange]) -> int:
    """Microseconds of outage in the ledger that these changes make."""
    ends = [change.started_at for change in changes[1:]] + [CHECKS * MINUTE]
    intervals = [Interval(change.status, change.started_at, end) for change, end in zip(changes, ends, strict=True)]
    spent = time_per_status(intervals, 0, CHECKS * MINUTE)
    return spent.get(Status.MAJOR_OUTAGE, 0) + spent.get(Status.PARTIAL_OUTAGE, 0)


def test_single_failures_are_no_outage() -> None:
    chance = random.Random(1)
    count = 0
    for _ in range(ENDPOINTS):
        failures = [False]
        while len(failures) < CHECKS:
            failures.append(not failures[-1] and chance.random() < 0.0101)
        count += sum(failures)
        changes = live(failures)
        assert [change.status for change in changes] == [Status.OPERATIONAL]
        assert outage(changes) == 0
    assert count > 0.009 * ENDPOINTS * CHECKS


def test_independent_failures_are_outages_exactly_where_two_follow_one_another() -> None:
    chance = random.Random(2)
    confirmed = pairs = 0
    for _ in range(ENDPOINTS):
        failures = [False, *(chance.random() < 0.01 for _ in range(CHECKS - 2)), False]
        runs = [len(list(run)) for failed, run in groupby(failures) if failed]
        changes = live(failures)
        down = [change for change in changes if change.status is Status.MAJOR_OUTAGE]
        assert all(change.status is not Status.PARTIAL_OUTAGE for change in changes)
        assert len(down) == sum(length >= 2 for length in runs)
        assert outage(changes) == MINUTE * sum(length for length in runs if length >= 2)
        confirmed += len(down)
        pairs += sum(length >= 2 for length in runs)
    assert confirmed == pairs > 0
