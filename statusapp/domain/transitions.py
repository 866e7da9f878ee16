"""`decide`: what a check's result means for its service. Pure: the same values give the same decision.

A failure is soft until N in a row confirm it, a recovery until M good results do (soft and hard states, as Nagios has
them). What is confirmed is dated back to the first result of its run. Each change names the rule that fired.
"""

from __future__ import annotations

from dataclasses import replace

from statusapp.domain.enums import Outcome, Rule, Status
from statusapp.domain.values import Decision, EndpointHealth, Policy, ProbeResult, StatusChange

HISTORY_BITS = 21
FLAPPING_WINDOW = 20
FLAPPING_STARTS_AT = 6
FLAPPING_ENDS_AT = 2
SILENT_INTERVALS = 3

_HISTORY_MASK = (1 << HISTORY_BITS) - 1
_WINDOW_MASK = (1 << FLAPPING_WINDOW) - 1


def decide(
    health: EndpointHealth,
    result: ProbeResult,
    policy: Policy,
    now: int,
    *,
    in_maintenance: bool = False,
    maintained_until: int | None = None,
) -> Decision:
    """Apply one result to the state of its service.

    Args:
        health: the state before.
        result: what the probe saw. An internal error changes nothing, nor does waiting for a first heartbeat.
        policy: how many results confirm a change.
        now: the instant of the decision, in microseconds; never before the result's start.
        in_maintenance: whether a maintenance window covers the service now.
        maintained_until: when the last one ended, if known: what is still broken has been down since then.
    """
    if result.outcome in (Outcome.INTERNAL_ERROR, Outcome.WAITING):
        return Decision(health)
    changes: list[StatusChange] = []
    silence = silenced(health, result.started_at)
    if silence is not None:
        health, change = silence
        changes.append(change)
    health = _counted(health, result, policy, now)
    if health.status is Status.MAINTENANCE and not in_maintenance:
        # Time spent in maintenance stays maintenance, whatever the checks saw meanwhile.
        ended = result.started_at if maintained_until is None else maintained_until
        health = replace(health, run_since=ended if health.run_since is None else max(health.run_since, ended))
    status, since, rule = _judge(health, result, policy, in_maintenance)
    if status is not health.status:
        changes.append(StatusChange(health.status, status, since, rule))
        health = replace(health, status=status, status_since=since)
    return Decision(health, tuple(changes), retry_soon=_wants_confirming(health, policy))


def silenced(health: EndpointHealth, now: int) -> tuple[EndpointHealth, StatusChange] | None:
    """The change to unknown of a service that has had no result for three intervals, or None.

    Unknown begins at the last check, which is the last thing that was known.
    """
    if health.silent_after is None or now <= health.silent_after or health.status is Status.UNKNOWN:
        return None
    since = max(health.last_checked_at or health.silent_after, health.status_since)
    change = StatusChange(health.status, Status.UNKNOWN, since, Rule.NOT_CHECKED)
    silent = replace(
        health, status=Status.UNKNOWN, status_since=since, failures=0, successes=0, slow=0, fast=0, run_since=None
    )
    return silent, change


def _counted(health: EndpointHealth, result: ProbeResult, policy: Policy, now: int) -> EndpointHealth:
    """The state with this result in its counters and its history."""
    failed = result.outcome is Outcome.FAILED
    slow = result.outcome is Outcome.SLOW
    same_run = health.failures > 0 if failed else health.successes > 0
    return EndpointHealth(
        status=health.status,
        status_since=health.status_since,
        history=(health.history << 1 | failed) & _HISTORY_MASK,
        failures=health.failures + 1 if failed else 0,
        successes=0 if failed else health.successes + 1,
        slow=health.slow + 1 if slow else 0,
        fast=0 if failed or slow else health.fast + 1,
        run_since=health.run_since if same_run else result.started_at,
        last_checked_at=result.started_at,
        silent_after=now + SILENT_INTERVALS * policy.interval_us,
    )


def _judge(
    health: EndpointHealth, result: ProbeResult, policy: Policy, in_maintenance: bool
) -> tuple[Status, int, Rule]:
    """The status that follows from the counters, the instant it began, and the rule that says so."""
    current, here = health.status, result.started_at
    run_since = health.run_since if health.run_since is not None else here
    if in_maintenance:
        return Status.MAINTENANCE, here, Rule.MAINTENANCE_STARTED
    if health.failures >= policy.failures_to_confirm:
        return Status.MAJOR_OUTAGE, run_since, Rule.FAILED_IN_A_ROW
    if health.failures:
        return _judge_failing(health, policy, here)
    if current is Status.MAJOR_OUTAGE and health.successes < policy.successes_to_confirm:
        return current, health.status_since, Rule.FAILED_IN_A_ROW
    return _judge_working(health, policy, here, run_since)


def _judge_failing(health: EndpointHealth, policy: Policy, here: int) -> tuple[Status, int, Rule]:
    """After a failure that is not confirmed: nothing changes, unless failures come on and off."""
    current = health.status
    settled = current in (Status.MAJOR_OUTAGE, Status.PARTIAL_OUTAGE)
    if not settled and _fails_on_and_off(health, policy.failures_to_confirm):
        return Status.PARTIAL_OUTAGE, here, Rule.ON_AND_OFF
    if current is Status.MAINTENANCE:
        return Status.UNKNOWN, here, Rule.MAINTENANCE_ENDED
    return current, health.status_since, Rule.ON_AND_OFF


def _judge_working(health: EndpointHealth, policy: Policy, here: int, run_since: int) -> tuple[Status, int, Rule]:
    """After a good result: operational, degraded while it is slow, partial outage while failures are recent."""
    current = health.status
    if current is Status.PARTIAL_OUTAGE and _recent_failures(health) > FLAPPING_ENDS_AT:
        return current, health.status_since, Rule.ON_AND_OFF
    if health.slow >= policy.failures_to_confirm:
        return Status.DEGRADED, here, Rule.SLOW_IN_A_ROW
    if current is Status.DEGRADED and health.fast < policy.successes_to_confirm:
        return current, health.status_since, Rule.SLOW_IN_A_ROW
    if current is Status.MAJOR_OUTAGE:
        return Status.OPERATIONAL, run_since, Rule.RECOVERED
    rule = {
        Status.PARTIAL_OUTAGE: Rule.SETTLED,
        Status.DEGRADED: Rule.FAST_AGAIN,
        Status.MAINTENANCE: Rule.MAINTENANCE_ENDED,
    }.get(current, Rule.FIRST_RESULT)
    return Status.OPERATIONAL, here, rule


def _recent_failures(health: EndpointHealth) -> int:
    return (health.history & _WINDOW_MASK).bit_count()


def _fails_on_and_off(health: EndpointHealth, run: int) -> bool:
    """Whether failures come often without `run` of them in a row: such a run is an outage, told of as one."""
    window = runs = health.history & _WINDOW_MASK
    for shift in range(1, run):
        runs &= window >> shift
    return not runs and window.bit_count() >= FLAPPING_STARTS_AT


def _wants_confirming(health: EndpointHealth, policy: Policy) -> bool:
    """Whether a run has begun that more results would confirm: then the next check comes quickly."""
    if health.status is Status.MAJOR_OUTAGE:
        return 0 < health.successes < policy.successes_to_confirm
    return 0 < health.failures < policy.failures_to_confirm
