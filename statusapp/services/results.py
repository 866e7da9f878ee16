"""Results become state: check rows, `decide`, the new state and the ledger, in one transaction per batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection, Row, bindparam, text

from statusapp.domain.enums import CheckKind, Outcome, Status
from statusapp.domain.schedule import retry_due
from statusapp.domain.transitions import decide
from statusapp.domain.values import Claim, Decision, EndpointHealth, Policy, ProbeResult, StatusChange
from statusapp.models.check import HERE

_STATE = """
SELECT endpoint_id, fence, status, status_since, history, failures, successes, slow, fast, run_since, last_checked_at,
    silent_after, next_check_at, extra_at, extra_kind
FROM endpoint_state WHERE endpoint_id IN :ids {lock}
"""
_STATE_BY_DIALECT = {
    "sqlite": text(_STATE.format(lock="")).bindparams(bindparam("ids", expanding=True)),
    # In one order everywhere, so that two batches can never wait for each other.
    "postgresql": text(_STATE.format(lock="ORDER BY endpoint_id FOR UPDATE")).bindparams(
        bindparam("ids", expanding=True)
    ),
}
_INSERT_CHECK = text("""
INSERT INTO health_check (endpoint_id, location, slot, kind, outcome, error_kind, status_code, late_us, dns_us,
    connect_us, tls_us, wait_us, transfer_us, total_us, size, peer)
VALUES (:endpoint_id, :location, :slot, :kind, :outcome, :error_kind, :status_code, :late_us, :dns_us,
    :connect_us, :tls_us, :wait_us, :transfer_us, :total_us, :size, :peer)
ON CONFLICT DO NOTHING
""")
_INSERT_DETAIL = text("""
INSERT INTO check_detail (endpoint_id, location, slot, error, data)
VALUES (:endpoint_id, :location, :slot, :error, :data) ON CONFLICT DO NOTHING
""").bindparams(bindparam("data", type_=JSON(none_as_null=True)))
_UPDATE_STATE = text("""
UPDATE endpoint_state SET status = :status, status_since = :status_since, history = :history, failures = :failures,
    successes = :successes, slow = :slow, fast = :fast, run_since = :run_since, last_checked_at = :last_checked_at,
    silent_after = :silent_after, last_slot = :slot, last_outcome = :outcome, last_error_kind = :error_kind,
    last_status_code = :status_code, last_total_us = :total_us, extra_at = :extra_at, extra_kind = :extra_kind,
    due_at = :due_at, claimed_slot = NULL, claimed_kind = NULL
WHERE endpoint_id = :endpoint_id AND fence = :fence
""")
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
    rows = connection.execute(_STATE_BY_DIALECT[connection.dialect.name], {"ids": ids})
    states = {row.endpoint_id: row for row in rows}
    checks: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    changes: list[Applied] = []
    for finished in batch:
        state = states.get(finished.claim.endpoint_id)
        if state is None or state.fence != finished.claim.fence:
            continue
        decision = decide(_health(state), finished.result, finished.policy, now)
        check = _check_row(finished)
        checks.append(check)
        if finished.result.outcome is not Outcome.OK or finished.claim.kind is CheckKind.MANUAL:
            details.append(
                {key: check[key] for key in ("endpoint_id", "location", "slot")}
                | {"error": finished.result.error, "data": finished.result.detail}
            )
        updates.append(_state_row(state, finished, check, decision, now))
        changes += [Applied(state.endpoint_id, change, finished.result.error) for change in decision.changes]
    for statement, values in ((_INSERT_CHECK, checks), (_INSERT_DETAIL, details), (_UPDATE_STATE, updates)):
        if values:
            connection.execute(statement, values)
    for applied in changes:
        record_change(connection, applied.endpoint_id, applied.change, now, applied.reason)
    return changes


def record_change(
    connection: Connection, endpoint_id: int, change: StatusChange, now: int, reason: str | None = None
) -> None:
    """Write one change into the ledger: close the interval it ends, supersede the ones begun after it, open its own."""
    values = {"endpoint_id": endpoint_id, "started_at": change.started_at, "now": now}
    connection.execute(_SUPERSEDE, values)
    connection.execute(_CLOSE, {key: values[key] for key in ("endpoint_id", "started_at")})
    connection.execute(
        _OPEN,
        values
        | {"previous": int(change.previous), "status": int(change.status), "rule": int(change.rule), "reason": reason},
    )


def _health(state: Row[Any]) -> EndpointHealth:
    return EndpointHealth(
        Status(state.status),
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


def _check_row(finished: Finished) -> dict[str, Any]:
    claim, result = finished.claim, finished.result
    return {
        "endpoint_id": claim.endpoint_id,
        "location": HERE,
        "slot": claim.slot,
        "kind": int(claim.kind),
        "outcome": int(result.outcome),
        "error_kind": int(result.error_kind),
        "status_code": result.status_code,
        "late_us": result.started_at - claim.slot,
        "dns_us": result.dns_us,
        "connect_us": result.connect_us,
        "tls_us": result.tls_us,
        "wait_us": result.wait_us,
        "transfer_us": result.transfer_us,
        "total_us": result.total_us,
        "size": result.size,
        "peer": result.peer,
    }


def _state_row(
    state: Row[Any], finished: Finished, check: dict[str, Any], decision: Decision, now: int
) -> dict[str, Any]:
    """The new values of the state: what `decide` says, the newest result, and when to look again."""
    extra_at, extra_kind = state.extra_at, state.extra_kind
    if decision.retry_soon and extra_at is None and state.next_check_at is not None:
        policy = finished.policy
        due = retry_due(now, policy.interval_us, max(policy.failures_to_confirm, policy.successes_to_confirm))
        if due < state.next_check_at:
            extra_at, extra_kind = due, int(CheckKind.RETRY)
    health = decision.health
    return {
        "endpoint_id": state.endpoint_id,
        "fence": state.fence,
        "status": int(health.status),
        "status_since": health.status_since,
        "history": health.history,
        "failures": health.failures,
        "successes": health.successes,
        "slow": health.slow,
        "fast": health.fast,
        "run_since": health.run_since,
        "last_checked_at": health.last_checked_at,
        "silent_after": health.silent_after,
        "slot": check["slot"],
        "outcome": check["outcome"],
        "error_kind": check["error_kind"],
        "status_code": check["status_code"],
        "total_us": check["total_us"],
        "extra_at": extra_at,
        "extra_kind": extra_kind,
        "due_at": earliest(state.next_check_at, extra_at),
    }


def earliest(*instants: int | None) -> int | None:
    """The earliest of some instants; None when there is none."""
    return min((instant for instant in instants if instant is not None), default=None)
