"""What the rules ask of services, read in a few statements for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from statusapp.domain.alert_rules import ServiceFacts
from statusapp.domain.enums import Status
from statusapp.domain.flapping import is_flapping
from statusapp.domain.web_addresses import HEARTBEAT

IDS_AT_ONCE = 500

_FACTS = text("""
SELECT e.id, e.name, e.url, e.group_id, e.is_muted, e.muted_until, e.slow_ms, s.status, s.status_since, s.history,
    s.maintenance_until, s.certificate_expires_at, d.error
FROM service_endpoint AS e
JOIN endpoint_state AS s ON s.endpoint_id = e.id
LEFT JOIN check_detail AS d ON d.endpoint_id = e.id AND d.location = 0 AND d.slot = s.last_slot
WHERE e.id IN :ids AND e.is_enabled
""").bindparams(bindparam("ids", expanding=True))
# A parent that fails counts before it is confirmed: its children may be confirmed first.
_PARENTS = text("""
SELECT link.endpoint_id AS linked, parent.name FROM endpoint_dependency AS link
JOIN service_endpoint AS parent ON parent.id = link.parent_id
JOIN endpoint_state AS state ON state.endpoint_id = parent.id
WHERE link.endpoint_id IN :ids AND parent.is_enabled AND (state.status = :down OR state.failures > 0)
ORDER BY parent.name
""").bindparams(bindparam("ids", expanding=True))
_CHILDREN = text("""
SELECT link.parent_id AS linked, child.name FROM endpoint_dependency AS link
JOIN service_endpoint AS child ON child.id = link.endpoint_id
JOIN endpoint_state AS state ON state.endpoint_id = child.id
WHERE link.parent_id IN :ids AND child.is_enabled AND (state.status = :down OR state.failures > 0)
ORDER BY child.name
""").bindparams(bindparam("ids", expanding=True))
_FLAPPING = text("""
SELECT endpoint_id FROM alert WHERE endpoint_id IN :ids AND resolved_at IS NULL AND is_flapping
""").bindparams(bindparam("ids", expanding=True))


def load_services(
    connection: Connection, endpoint_ids: Sequence[int], now: int
) -> list[tuple[ServiceFacts, int | None, int | None]]:
    """The facts of these services that are not paused, each with its group and its own threshold of slowness in ms."""
    found: list[tuple[ServiceFacts, int | None, int | None]] = []
    for start in range(0, len(endpoint_ids), IDS_AT_ONCE):
        found += _load(connection, endpoint_ids[start : start + IDS_AT_ONCE], now)
    return found


def _load(
    connection: Connection, endpoint_ids: Sequence[int], now: int
) -> list[tuple[ServiceFacts, int | None, int | None]]:
    ids = list(endpoint_ids)
    bad = {"ids": ids, "down": int(Status.MAJOR_OUTAGE)}
    parents, children = (
        _names(connection.execute(_PARENTS, bad).all()),
        _names(connection.execute(_CHILDREN, bad).all()),
    )
    flapping = set(connection.scalars(_FLAPPING, {"ids": ids}))
    return [
        (
            ServiceFacts(
                row.id,
                row.name,
                row.url == HEARTBEAT,
                Status(row.status),
                row.status_since,
                error=row.error,
                is_muted=bool(row.is_muted) and (row.muted_until is None or row.muted_until > now),
                in_maintenance=row.maintenance_until is not None and now < row.maintenance_until,
                down_parents=parents.get(row.id, ()),
                affected=children.get(row.id, ()),
                flaps=is_flapping(row.history, was_flapping=row.id in flapping),
                certificate_expires_at=row.certificate_expires_at,
            ),
            row.group_id,
            row.slow_ms,
        )
        for row in connection.execute(_FACTS, {"ids": ids})
    ]


def _names(rows: Sequence[Row[Any]]) -> dict[int, tuple[str, ...]]:
    names: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        names[row.linked].append(row.name)
    return {key: tuple(found) for key, found in names.items()}
