"""What maintenance does to services: their state, and their ledger. All in the caller's transaction.

While `maintenance_until` of a service lies ahead, its results count as maintenance (`results.apply_results`). When it
has passed, the next result decides, and a check is made due at once for it; only then the column is cleared, because
what is still broken is dated from that instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Row, bindparam, or_, select, text

from statusapp.domain.enums import CheckKind, Rule, Status
from statusapp.domain.instants import to_us
from statusapp.domain.values import StatusChange
from statusapp.models import EndpointState, MaintenanceTarget, MaintenanceWindow, ServiceEndpoint
from statusapp.queries.watermarks import UPTIME
from statusapp.services.results import Applied, record_changes
from statusapp.services.watermarks import pull_back

_BEGIN = text("""
UPDATE endpoint_state SET status = :status, status_since = :since, maintenance_until = :until
WHERE endpoint_id = :endpoint_id
""")
_SET_UNTIL = text("UPDATE endpoint_state SET maintenance_until = :until WHERE endpoint_id = :endpoint_id").bindparams(
    bindparam("until", type_=BigInteger)
)
# A check that is in flight began before now; the extra one comes after it.
_CHECK_NOW = text("""
UPDATE endpoint_state SET extra_at = :now, extra_kind = :kind,
    due_at = CASE WHEN claimed_slot IS NULL THEN :now ELSE due_at END
WHERE endpoint_id = :endpoint_id AND extra_at IS NULL AND next_check_at IS NOT NULL
""")
_UNKNOWN = text("""
SELECT id, endpoint_id, started_at, ended_at FROM status_change
WHERE endpoint_id IN :ids AND NOT superseded AND status = :unknown AND rule = :rule AND started_at < :until
    AND (ended_at IS NULL OR ended_at > :since)
""").bindparams(bindparam("ids", expanding=True))
_CUT = text("""
UPDATE status_change SET ended_at = :ended_at, superseded = :superseded WHERE id = :id
""")
_ADD = text("""
INSERT INTO status_change (endpoint_id, previous, status, started_at, ended_at, recorded_at, rule, superseded)
VALUES (:endpoint_id, :previous, :status, :started_at, :ended_at, :now, :rule, false)
""").bindparams(bindparam("ended_at", type_=BigInteger), bindparam("rule", type_=Integer))
_UNKNOWN_SINCE = text("""
UPDATE endpoint_state SET status_since = :since WHERE endpoint_id = :endpoint_id AND status = :unknown
""")


def covered_by(connection: Connection, window_ids: Iterable[int]) -> dict[int, set[int]]:
    """The services that each window covers now, paused ones left out."""
    ids = list(window_ids)
    if not ids:
        return {}
    covers_all = set(
        connection.execute(
            select(MaintenanceWindow.id).where(MaintenanceWindow.id.in_(ids), MaintenanceWindow.covers_all)
        ).scalars()
    )
    targets = connection.execute(
        select(MaintenanceTarget.window_id, MaintenanceTarget.endpoint_id, MaintenanceTarget.group_id).where(
            MaintenanceTarget.window_id.in_(ids)
        )
    ).all()
    members: dict[int | None, set[int]] = {}
    everything: set[int] = set()
    for row in connection.execute(
        select(ServiceEndpoint.id, ServiceEndpoint.group_id).where(ServiceEndpoint.is_enabled)
    ):
        everything.add(row.id)
        members.setdefault(row.group_id, set()).add(row.id)
    covered: dict[int, set[int]] = {key: set(everything) if key in covers_all else set() for key in ids}
    for target in targets:
        wanted = {target.endpoint_id} if target.endpoint_id is not None else members.get(target.group_id, set())
        covered[target.window_id] |= wanted & everything
    return covered


def sync_states(connection: Connection, until: dict[int, int], since: dict[int, int], now: int) -> int:
    """Make the states of all services what the windows say; for how many maintenance has begun.

    Args:
        until: when the maintenance of each service that is in it ends.
        since: when that of those began whose window has just begun; for others it begins now.
    """
    begun: list[dict[str, int]] = []
    moved: list[dict[str, int | None]] = []
    checks: list[dict[str, int]] = []
    changes: list[Applied] = []
    for row in _load_states(connection, until):
        key, known = row.endpoint_id, row.maintenance_until
        wanted = until.get(key)
        if wanted is not None and (known is None or known <= now):
            began = max(since.get(key, now), to_us(row.created_at))
            begun.append({"endpoint_id": key, "status": int(Status.MAINTENANCE), "since": began, "until": wanted})
            if row.status is Status.MAINTENANCE:
                begun[-1]["since"] = row.status_since
            else:
                change = StatusChange(row.status, Status.MAINTENANCE, began, Rule.MAINTENANCE_STARTED)
                changes.append(Applied(key, change, None))
        elif wanted is not None:
            if wanted != known:
                moved.append({"endpoint_id": key, "until": wanted})
        elif known > now:
            moved.append({"endpoint_id": key, "until": now})
            checks.append({"endpoint_id": key, "now": now, "kind": int(CheckKind.SCHEDULED)})
        elif row.status is Status.MAINTENANCE:
            checks.append({"endpoint_id": key, "now": now, "kind": int(CheckKind.SCHEDULED)})
        else:
            moved.append({"endpoint_id": key, "until": None})
    for statement, rows in ((_BEGIN, begun), (_SET_UNTIL, moved), (_CHECK_NOW, checks)):
        if rows:
            connection.execute(statement, rows)
    record_changes(connection, changes, now)
    return len(begun)


def relabel_unknown(connection: Connection, endpoint_ids: Iterable[int], since: int, until: int, now: int) -> None:
    """Write maintenance into the ledger where nobody was there to check: of [since, until), what is unknown.

    What is known stays: an outage that was seen is one, though maintenance had been planned for it.
    """
    ids = sorted(endpoint_ids)
    if not ids or until <= since:
        return
    values = {"ids": ids, "unknown": int(Status.UNKNOWN), "rule": int(Rule.NOT_CHECKED), "since": since, "until": until}
    cuts: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for row in connection.execute(_UNKNOWN, values).all():
        begin = max(row.started_at, since)
        end = until if row.ended_at is None else min(row.ended_at, until)
        is_whole = begin == row.started_at
        cuts.append(
            {
                "id": row.id,
                "ended_at": (row.ended_at if row.ended_at is not None else now) if is_whole else begin,
                "superseded": is_whole,
            }
        )
        new.append(_interval(row, Status.MAINTENANCE, Rule.MAINTENANCE_STARTED, begin, end, now))
        if row.ended_at is None or row.ended_at > end:
            new.append(_interval(row, Status.UNKNOWN, Rule.NOT_CHECKED, end, row.ended_at, now))
        if row.ended_at is None:
            moved.append({"endpoint_id": row.endpoint_id, "since": end, "unknown": int(Status.UNKNOWN)})
    if cuts:
        connection.execute(_CUT, cuts)
        connection.execute(_ADD, new)
        pull_back(connection, UPTIME, min(row["started_at"] for row in new))
    if moved:
        connection.execute(_UNKNOWN_SINCE, moved)


def _load_states(connection: Connection, until: dict[int, int]) -> list[Any]:
    """The services that are in maintenance, were in it, or shall be, in the order in which everybody locks them."""
    state = EndpointState
    return list(
        connection.execute(
            select(
                state.endpoint_id, state.status, state.status_since, state.maintenance_until, ServiceEndpoint.created_at
            )
            .join(ServiceEndpoint, ServiceEndpoint.id == state.endpoint_id)
            .where(or_(state.maintenance_until.is_not(None), state.endpoint_id.in_(list(until))))
            .order_by(state.endpoint_id)
            .with_for_update(of=state)
        ).all()
    )


def _interval(
    row: Row[Any], status: Status, rule: Rule, started_at: int, ended_at: int | None, now: int
) -> dict[str, Any]:
    previous = Status.UNKNOWN if status is Status.MAINTENANCE else Status.MAINTENANCE
    return {
        "endpoint_id": row.endpoint_id,
        "previous": int(previous),
        "status": int(status),
        "started_at": started_at,
        "ended_at": ended_at,
        "now": now,
        "rule": int(rule),
    }
