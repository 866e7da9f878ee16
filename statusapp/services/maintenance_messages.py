"""What channels are told of maintenance: that it was announced, has begun, is over, or was called off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from statusapp.domain.enums import MaintenancePhase, Severity, Status, Transition
from statusapp.domain.instants import SECOND
from statusapp.queries.maintenance import EVERYTHING
from statusapp.services.maintenance_states import covered_by
from statusapp.services.outbox import Told, queue

_WINDOWS = text("SELECT id, title, body, covers_all FROM maintenance_window WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_NAMES = text("""
SELECT target.window_id, COALESCE(service.name, heading.name) AS name FROM maintenance_target AS target
LEFT JOIN service_endpoint AS service ON service.id = target.endpoint_id
LEFT JOIN service_group AS heading ON heading.id = target.group_id
WHERE target.window_id IN :ids ORDER BY name
""").bindparams(bindparam("ids", expanding=True))


@dataclass(frozen=True, slots=True)
class Passage:
    """That an occurrence has come to a phase. Its times, in microseconds, are those of the plan."""

    window_id: int
    starts_at: int
    ends_at: int
    phase: MaintenancePhase


def tell(connection: Connection, passages: Sequence[Passage], now: int) -> int:
    """Write a message for each channel that takes information about one of the services; how many were new.

    In the connection's transaction, as the last thing in it that waits for others.
    """
    ids = sorted({passage.window_id for passage in passages})
    if not ids:
        return 0
    windows = {row.id: row for row in connection.execute(_WINDOWS, {"ids": ids})}
    names: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(_NAMES, {"ids": ids}):
        names[row.window_id].append(row.name)
    covered = covered_by(connection, ids)
    told = []
    # Databases give changed rows in any order; people read them in that of time.
    for passage in sorted(passages, key=lambda one: (one.phase, one.starts_at, one.window_id)):
        window = windows[passage.window_id]
        data = _data(passage, window, [EVERYTHING] if window.covers_all else names[window.id], now)
        # What was moved away and back is announced again, and that is news.
        key = f"maintenance-{window.id}-{passage.starts_at // SECOND}-{passage.phase.word}-{now // SECOND}"
        told.append(Told(None, tuple(sorted(covered[window.id])), Transition.MAINTENANCE, Severity.INFO, key, data))
    return queue(connection, told, now)


def _data(passage: Passage, window: Any, names: list[str], now: int) -> dict[str, Any]:
    return {
        "kind": "maintenance",
        "name": window.title,
        "subject": f"maintenance:{window.id}",
        "phase": passage.phase.word,
        "status": Status.MAINTENANCE.word,
        "starts_at": passage.starts_at,
        "ends_at": passage.ends_at,
        "at": now,
        "note": window.body,
        "affected": names,
    }
