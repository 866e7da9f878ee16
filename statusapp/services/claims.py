"""Claims: the right to make a check. One atomic statement gives out what falls due; a fence refuses who comes late.

Any number of processes may claim at the same time. A claim ends when its result is applied, when it is given back, or
when its lease runs out; then the same slot is claimed again with a higher fence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from statusapp.domain.enums import CheckKind
from statusapp.domain.instants import SECOND
from statusapp.domain.values import Claim, HeartbeatFacts, Policy, Target
from statusapp.services.targets import read_target
from statusapp.services.vault import Vault

CLAIM_AHEAD = 2 * SECOND
LEASE_SLACK = 5 * SECOND

# The slot is the one in flight when its lease has run out; else the extra check when that comes first; else the grid's,
# where slots that were missed are coalesced into the newest of them. MATERIALIZED, because PostgreSQL may run a plain
# subquery once per row of a nested loop, and each run passes over what the one before has locked: past the limit.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT s.endpoint_id,
        CAST(e.interval_s AS BIGINT) * 1000000 AS interval_us,
        CAST(e.timeout_ms AS BIGINT) * 1000 AS timeout_us,
        CASE WHEN s.claimed_slot IS NOT NULL THEN 0
             WHEN s.extra_at IS NOT NULL AND (s.next_check_at IS NULL OR s.extra_at <= s.next_check_at) THEN 1
             ELSE 2 END AS source,
        CASE WHEN s.claimed_slot IS NOT NULL THEN s.claimed_slot
             WHEN s.extra_at IS NOT NULL AND (s.next_check_at IS NULL OR s.extra_at <= s.next_check_at) THEN s.extra_at
             WHEN s.next_check_at < :now
                 THEN :now - (:now - s.next_check_at) % (CAST(e.interval_s AS BIGINT) * 1000000)
             ELSE s.next_check_at END AS slot
    FROM endpoint_state AS s JOIN service_endpoint AS e ON e.id = s.endpoint_id
    WHERE s.due_at <= :horizon AND (s.claimed_slot IS NULL OR s.due_at <= :now)
    ORDER BY s.due_at LIMIT :limit {lock}
)
UPDATE endpoint_state SET
    claimed_slot = due.slot,
    claimed_kind = CASE due.source WHEN 0 THEN endpoint_state.claimed_kind
                                   WHEN 1 THEN endpoint_state.extra_kind ELSE 0 END,
    extra_at = CASE due.source WHEN 1 THEN NULL ELSE endpoint_state.extra_at END,
    extra_kind = CASE due.source WHEN 1 THEN NULL ELSE endpoint_state.extra_kind END,
    next_check_at = CASE due.source WHEN 2 THEN due.slot + due.interval_us ELSE endpoint_state.next_check_at END,
    due_at = :now + :slack + due.timeout_us,
    fence = endpoint_state.fence + 1
FROM due
WHERE endpoint_state.endpoint_id = due.endpoint_id
RETURNING endpoint_state.endpoint_id, endpoint_state.claimed_slot, endpoint_state.claimed_kind, endpoint_state.fence
"""
_CLAIM_BY_DIALECT = {
    "sqlite": text(_CLAIM.format(lock="")),
    "postgresql": text(_CLAIM.format(lock="FOR UPDATE OF s SKIP LOCKED")),
}

_CLAIM_THESE = text("""
UPDATE endpoint_state SET claimed_slot = :now, claimed_kind = :kind, due_at = :now + :slack + (
        SELECT CAST(e.timeout_ms AS BIGINT) * 1000 FROM service_endpoint AS e WHERE e.id = endpoint_state.endpoint_id),
    fence = fence + 1
WHERE endpoint_id IN :ids AND claimed_slot IS NULL
RETURNING endpoint_id, claimed_slot, claimed_kind, fence
""").bindparams(bindparam("ids", expanding=True))

_TARGETS = text("""
SELECT e.id, e.url, e.method, e.timeout_ms, e.expected_status_codes, e.interval_s, e.retries, e.successes_to_confirm,
    e.slow_ms, e.options, e.secrets, e.conditions, h.created_at AS awaited_since, h.last_ping_at, h.started_at,
    h.failure
FROM service_endpoint AS e LEFT JOIN heartbeat AS h ON h.endpoint_id = e.id WHERE e.id IN :ids
""").bindparams(bindparam("ids", expanding=True))

_GIVE_BACK = text("""
UPDATE endpoint_state SET due_at = :now WHERE endpoint_id = :endpoint_id AND fence = :fence AND claimed_slot IS NOT NULL
""")

Claimed = tuple[Claim, Target, Policy]


def claim_due(connection: Connection, now: int, limit: int, vault: Vault) -> list[Claimed]:
    """Claim at most `limit` checks that are due within the next two seconds, with all that is needed to make them."""
    rows = connection.execute(
        _CLAIM_BY_DIALECT[connection.dialect.name],
        {"now": now, "horizon": now + CLAIM_AHEAD, "slack": CLAIM_AHEAD + LEASE_SLACK, "limit": limit},
    ).all()
    return _with_targets(connection, rows, now, vault)


def claim_these(connection: Connection, endpoint_ids: Sequence[int], now: int, vault: Vault) -> list[Claimed]:
    """Claim a manual check, due now, of each of these endpoints that has none in flight."""
    rows = connection.execute(
        _CLAIM_THESE,
        {"ids": list(endpoint_ids), "now": now, "kind": int(CheckKind.MANUAL), "slack": LEASE_SLACK},
    ).all()
    return _with_targets(connection, rows, now, vault)


def give_back(connection: Connection, claims: Iterable[Claim], now: int) -> None:
    """End the leases of checks that will not be made: the next claimer takes their slots at once."""
    values = [{"now": now, "endpoint_id": claim.endpoint_id, "fence": claim.fence} for claim in claims]
    if values:
        connection.execute(_GIVE_BACK, values)


def _with_targets(
    connection: Connection, rows: Sequence[tuple[int, int, int, int]], now: int, vault: Vault
) -> list[Claimed]:
    if not rows:
        return []
    targets = {
        row.id: (
            read_target(row, vault, None if row.awaited_since is None else _facts(row, now)),
            Policy(row.interval_s * SECOND, row.retries + 1, row.successes_to_confirm),
        )
        for row in connection.execute(_TARGETS, {"ids": [row[0] for row in rows]}).all()
    }
    return [
        (Claim(endpoint_id, slot, CheckKind(kind), fence), *targets[endpoint_id])
        for endpoint_id, slot, kind, fence in rows
        if endpoint_id in targets
    ]


def _facts(row: Row[Any], now: int) -> HeartbeatFacts:
    return HeartbeatFacts(now, row.awaited_since, row.last_ping_at, row.started_at, row.failure)
