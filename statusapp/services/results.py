"""Results become state: check rows, `decide`, the new state and the ledger, in one transaction per batch."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, Row, bindparam, text
from sqlalchemy.exc import InterfaceError, OperationalError

from statusapp.database import write_rows
from statusapp.domain.enums import CheckKind, Outcome, Status
from statusapp.domain.schedule import retry_due
from statusapp.domain.transitions import decide
from statusapp.domain.values import Claim, Decision, EndpointHealth, Policy, ProbeResult, StatusChange
from statusapp.models.check import HERE
from statusapp.queries.watermarks import LATENCY, UPTIME
from statusapp.services import alerts
from statusapp.services.rollups import LATE_US
from statusapp.services.watermarks import pull_back

_STATE = """
SELECT endpoint_id, fence, status, status_since, history, failures, successes, slow, fast, run_since, last_checked_at,
    silent_after, next_check_at, extra_at, extra_kind, maintenance_until, certificate_expires_at
FROM endpoint_state WHERE endpoint_id IN :ids {lock}
"""
_STATE_BY_DIALECT = {
    "sqlite": text(_STATE.format(lock="")).bindparams(bindparam("ids", expanding=True)),
    # In one order everywhere, so that two batches can never wait for each other.
    "postgresql": text(_STATE.format(lock="ORDER BY endpoint_id FOR UPDATE")).bindparams(
        bindparam("ids", expanding=True)
    ),
}
# What is written for every check is written for many at once; the values come in the order of these columns.
_CHECK_COLUMNS = (
    "endpoint_id", "location", "slot", "kind", "outcome", "error_kind", "status_code", "late_us", "dns_us",
    "connect_us", "tls_us", "wait_us", "transfer_us", "total_us", "size", "peer",
)  # fmt: skip
_INSERT_CHECKS = f"INSERT INTO health_check ({', '.join(_CHECK_COLUMNS)}) VALUES"
_INSERT_DETAIL = text("""
INSERT INTO check_detail (endpoint_id, location, slot, error, data)
VALUES (:endpoint_id, :location, :slot, :error, :data) ON CONFLICT DO NOTHING
""").bindparams(bindparam("data", type_=JSON(none_as_null=True)))
_STATE_COLUMNS = (
    "status", "status_since", "history", "failures", "successes", "slow", "fast", "run_since", "last_checked_at",
    "silent_after", "last_slot", "last_outcome", "last_error_kind", "last_status_code", "last_total_us", "extra_at",
    "extra_kind", "due_at", "certificate_expires_at",
)  # fmt: skip
# A column of nothing but NULLs would have the wrong type on PostgreSQL without the cast.
_ASSIGNMENTS = ", ".join(f"{name} = CAST(v.column{place} AS BIGINT)" for place, name in enumerate(_STATE_COLUMNS, 1))
_UPDATE_STATES = f"UPDATE endpoint_state SET claimed_slot = NULL, claimed_kind = NULL, {_ASSIGNMENTS} FROM (VALUES"  # noqa: S608
_OF_THESE = ") AS v WHERE endpoint_state.endpoint_id = v.column20 AND endpoint_state.fence = v.column21"
_SUPERSEDE = text("""
UPDATE status_change SET superseded = true, ended_at = COALESCE(ended_at, :now)
WHERE endpoint_id = :endpoint_id AND NOT superseded AND started_at >= :started_at
""")
_CLOSE = text("""
UPDATE status_change SET ended_at = :started_at
WHERE endpoint_id = :endpoint_id AND NOT superseded AND (ended_at IS NULL OR ended_at > :started_at)
""")
_OPEN = text("""
INSERT INTO status_change (endpoint_id, previous, status, started_at, recorded_at, rule, superseded, reason)
VALUES (:endpoint_id, :previous, :status, :started_at, :now, :rule, false, :reason)
""")


logger = logging.getLogger(__name__)

# A look-up costs a tenth of what calling the enum does.
_STATUSES = tuple(Status)


@dataclass(frozen=True, slots=True)
class Finished:
    """A check that was made: with which claim, under which policy, and what it saw."""

    claim: Claim
    policy: Policy
    result: ProbeResult


@dataclass(frozen=True, slots=True)
class Applied:
    """A change of status that has been recorded."""

    endpoint_id: int
    change: StatusChange
    reason: str | None


def apply_results(connection: Connection, batch: list[Finished], now: int) -> list[Applied]:
    """Store a batch of results, all in the connection's transaction. Results with a fence that is old are left out."""
    ids = [finished.claim.endpoint_id for finished in batch]
    rows = connection.execute(_STATE_BY_DIALECT[connection.dialect.name], {"ids": ids}).all()
    states = {row.endpoint_id: row for row in rows}
    checks: list[tuple[Any, ...]] = []
    details: list[dict[str, Any]] = []
    updates: list[tuple[Any, ...]] = []
    changes: list[Applied] = []
    watched: list[int] = []
    for finished in batch:
        state = states.get(finished.claim.endpoint_id)
        if state is None or state.fence != finished.claim.fence:
            continue
        until = state.maintenance_until
        decision = decide(
            _health(state),
            finished.result,
            finished.policy,
            now,
            # A check that began in it says nothing of the time after it.
            in_maintenance=until is not None and finished.result.started_at < until,
            maintained_until=until,
        )
        checks.append(_check_row(finished))
        if finished.result.outcome is not Outcome.OK or finished.claim.kind is CheckKind.MANUAL:
            details.append(_detail_row(finished))
        updates.append(_state_row(state, finished, decision, now))
        if decision.changes or decision.health.status is Status.MAJOR_OUTAGE:
            watched.append(state.endpoint_id)
        changes += [Applied(state.endpoint_id, change, finished.result.error) for change in decision.changes]
    if checks:
        write_rows(connection, _INSERT_CHECKS, checks, "ON CONFLICT DO NOTHING")
        write_rows(connection, _UPDATE_STATES, updates, _OF_THESE)
    if details:
        connection.execute(_INSERT_DETAIL, details)
    record_changes(connection, changes, now)
    if watched:
        _raise_alerts(connection, watched, now)
    # After all else, as whoever sums waits for this row.
    oldest = min((finished.claim.slot for finished in batch), default=now)
    if oldest < now - LATE_US:
        pull_back(connection, LATENCY, oldest)
    return changes


def _raise_alerts(connection: Connection, endpoint_ids: list[int], now: int) -> None:
    """Judge services that changed or are down. A fault in there must not cost results: the sweep judges them again."""
    try:
        with connection.begin_nested():
            alerts.on_results(connection, endpoint_ids, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("alerts of %d services could not be judged; the sweep tries again", len(endpoint_ids))


def record_change(
    connection: Connection, endpoint_id: int, change: StatusChange, now: int, reason: str | None = None
) -> None:
    """Write one change into the ledger: close the interval it ends, supersede the ones begun after it, open its own."""
    record_changes(connection, [Applied(endpoint_id, change, reason)], now)


def record_changes(connection: Connection, changes: list[Applied], now: int) -> None:
    """Write changes into the ledger; those of one endpoint in their order, those of different ones together."""
    rounds: list[list[dict[str, Any]]] = []
    seen: Counter[int] = Counter()
    for applied in changes:
        change, turn = applied.change, seen[applied.endpoint_id]
        seen[applied.endpoint_id] += 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(
            {
                "endpoint_id": applied.endpoint_id,
                "started_at": change.started_at,
                "now": now,
                "previous": int(change.previous),
                "status": int(change.status),
                "rule": int(change.rule),
                "reason": applied.reason,
            }
        )
    for values in rounds:
        connection.execute(_SUPERSEDE, values)
        connection.execute(_CLOSE, values)
        connection.execute(_OPEN, values)
    if changes:
        pull_back(connection, UPTIME, min(applied.change.started_at for applied in changes))


def _health(state: Row[Any]) -> EndpointHealth:
    return EndpointHealth(
        _STATUSES[state.status],
        state.status_since,
        state.history,
        state.failures,
        state.successes,
        state.slow,
        state.fast,
        state.run_since,
        state.last_checked_at,
        state.silent_after,
    )


def _check_row(finished: Finished) -> tuple[Any, ...]:
    claim, result = finished.claim, finished.result
    return (
        claim.endpoint_id,
        HERE,
        claim.slot,
        int(claim.kind),
        int(result.outcome),
        int(result.error_kind),
        result.status_code,
        result.started_at - claim.slot,
        result.dns_us,
        result.connect_us,
        result.tls_us,
        result.wait_us,
        result.transfer_us,
        result.total_us,
        result.size,
        result.peer,
    )


def _detail_row(finished: Finished) -> dict[str, Any]:
    claim, result = finished.claim, finished.result
    key = {"endpoint_id": claim.endpoint_id, "location": HERE, "slot": claim.slot}
    return key | {"error": result.error, "data": result.detail}


def _state_row(state: Row[Any], finished: Finished, decision: Decision, now: int) -> tuple[Any, ...]:
    """The new values of the state: what `decide` says, the newest result, and when to look again."""
    extra_at, extra_kind = state.extra_at, state.extra_kind
    if decision.retry_soon and extra_at is None and state.next_check_at is not None:
        policy = finished.policy
        due = retry_due(now, policy.interval_us, max(policy.failures_to_confirm, policy.successes_to_confirm))
        if due < state.next_check_at:
            extra_at, extra_kind = due, int(CheckKind.RETRY)
    health, result = decision.health, finished.result
    return (
        int(health.status),
        health.status_since,
        health.history,
        health.failures,
        health.successes,
        health.slow,
        health.fast,
        health.run_since,
        health.last_checked_at,
        health.silent_after,
        finished.claim.slot,
        int(result.outcome),
        int(result.error_kind),
        result.status_code,
        result.total_us,
        extra_at,
        extra_kind,
        earliest(state.next_check_at, extra_at),
        # A check that has not come as far as a handshake says nothing of it.
        state.certificate_expires_at if result.certificate_expires_at is None else result.certificate_expires_at,
        state.endpoint_id,
        state.fence,
    )


def earliest(*instants: int | None) -> int | None:
    """The earliest of some instants; None when there is none."""
    return min((instant for instant in instants if instant is not None), default=None)
