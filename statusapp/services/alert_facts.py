"""What the rules ask of services, read in a few statements for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from statusapp.domain.alert_rules import ServiceFacts
from statusapp.domain.enums import Status
from statusapp.domain.flapping import is_flapping
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.queries.dependencies import list_affected

IDS_AT_ONCE = 500

_FACTS = text("""
SELECT e.id, e.name, e.url, e.group_id, e.is_muted, e.muted_until, e.slow_ms, s.status, s.status_since, s.history,
    s.maintenance_until, s.certificate_expires_at, d.error
FROM service_endpoint AS e
JOIN endpoint_state AS s ON s.endpoint_id = e.id
LEFT JOIN check_detail AS d ON d.endpoint_id = e.id AND d.location = 0 AND d.slot = s.last_slot
WHERE e.id IN :ids AND e.is_enabled
""").bindparams(bindparam("ids", expanding=True))
_FLAPPING = text("""
SELECT endpoint_id FROM alert WHERE endpoint_id IN :ids AND resolved_at IS NULL AND is_flapping
""").bindparams(bindparam("ids", expanding=True))


def load_services(
    connection: Connection, endpoint_ids: Sequence[int], now: int
) -> list[tuple[ServiceFacts, int | None, int | None]]:
    """The facts of these services that are not paused, each with its group and its own threshold of slowness in ms."""
    if not endpoint_ids:
        return []
    # A parent that fails counts before it is confirmed: its children may be confirmed first.
    parents: dict[int, list[str]] = defaultdict(list)
    children: dict[int, list[str]] = defaultdict(list)
    for one in list_affected(connection, with_failing=True):
        parents[one.child_id].append(one.parent)
        if one.is_failing:
            children[one.parent_id].append(one.child)
    found: list[tuple[ServiceFacts, int | None, int | None]] = []
    for start in range(0, len(endpoint_ids), IDS_AT_ONCE):
        ids = list(endpoint_ids[start : start + IDS_AT_ONCE])
        flapping = set(connection.scalars(_FLAPPING, {"ids": ids}))
        for row in connection.execute(_FACTS, {"ids": ids}):
            facts = _facts(row, now, tuple(parents.get(row.id, ())), tuple(children.get(row.id, ())), flapping)
            found.append((facts, row.group_id, row.slow_ms))
    return found


def _facts(
    row: Row[Any], now: int, parents: tuple[str, ...], children: tuple[str, ...], flapping: Collection[int]
) -> ServiceFacts:
    return ServiceFacts(
        row.id,
        row.name,
        row.url == HEARTBEAT,
        Status(row.status),
        row.status_since,
        error=row.error,
        is_muted=bool(row.is_muted) and (row.muted_until is None or row.muted_until > now),
        in_maintenance=row.maintenance_until is not None and now < row.maintenance_until,
        down_parents=parents,
        affected=children,
        flaps=is_flapping(row.history, was_flapping=row.id in flapping),
        certificate_expires_at=row.certificate_expires_at,
    )
