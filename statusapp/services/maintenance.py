"""Maintenance keeps itself: occurrences are announced, started and ended, also late after the system was down.

An occurrence that passed wholly while nobody was there is written down as such (`ended_at` without `started_at`). Its
time is maintenance in the ledger only where nothing else is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, text
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.enums import MaintenancePhase as Phase
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.recurrence import LONGEST_S, Occurrence, Plan, occurrences
from statusapp.extensions import db
from statusapp.models import MaintenanceOccurrence, MaintenanceWindow
from statusapp.services.alerting import record_silence
from statusapp.services.incidents import settle_incidents
from statusapp.services.maintenance_messages import Passage, tell
from statusapp.services.maintenance_states import covered_by, relabel_unknown, sync_states

STARTED = "The maintenance has begun."
ENDED = "The maintenance is over."
MISSED = "This maintenance passed while the monitor was not running."

# How far back occurrences are looked for that passed while the system was down, and how many of a window at once.
LOOK_BACK = 366 * 86_400 * SECOND
MOST_MISSED = 400

_NOTE = text("""
INSERT INTO maintenance_occurrence (window_id, starts_at, ends_at, announced_at)
VALUES (:window_id, :starts_at, :ends_at, :announced_at) ON CONFLICT (window_id, starts_at) DO NOTHING RETURNING id
""")
_START = text("UPDATE maintenance_occurrence SET started_at = :now WHERE id = :id")
_END = text("UPDATE maintenance_occurrence SET ended_at = :now WHERE id = :id")
_SAY = text("INSERT INTO maintenance_update (occurrence_id, body, created_at) VALUES (:id, :body, :now)")


def keep_maintenance(now: datetime) -> str:
    """Announce, start and end what is due, and resolve the incidents that nothing keeps open any more."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        told = keep(session, here)
    # Apart, because whoever holds the outbox waits for no incident.
    with write_transaction(db.session) as session:
        settled = settle_incidents(session.connection(), here)
    return f"{told}, {settled} incidents resolved"


def keep(session: Session, now: int, called_off: Sequence[Passage] = ()) -> str:
    """Announce, start and end what is due, within the caller's transaction, and tell channels of it.

    Args:
        called_off: what else they are told.
    """
    session.flush()
    connection = session.connection()
    announced = _announce(connection, now)
    rows = _unfinished(connection, now)
    running = [row for row in rows if row.ends_at > now]
    over = [row for row in rows if row.ends_at <= now]
    starting = [row for row in running if row.started_at is None]
    _write(connection, _START, starting, STARTED, now)
    ended = [row for row in over if row.started_at is not None]
    _write(connection, _END, ended, ENDED, now)
    _write(connection, _END, [row for row in over if row.started_at is None], MISSED, now)
    covered = covered_by(connection, {row.window_id for row in rows})
    until: dict[int, int] = {}
    for row in running:
        until |= {key: max(until.get(key, 0), row.ends_at) for key in covered[row.window_id]}
    since: dict[int, int] = {}
    for row in starting:
        began = max(row.starts_at, row.valid_from)
        since |= {key: min(since.get(key, began), began) for key in covered[row.window_id]}
    sync_states(connection, until, since, now)
    if over:
        # Who was not there when it ended was perhaps not there to check either.
        record_silence(session, now)
        for row in over:
            began = max(row.starts_at, row.valid_from)
            relabel_unknown(connection, covered[row.window_id], began, row.ends_at, now)
    passages = [*announced, *_passages(starting, Phase.STARTED), *_passages(ended, Phase.ENDED), *called_off]
    tell(connection, passages, now)
    # What the ORM has loaded is older than what was just written.
    session.expire_all()
    return f"{len(announced)} announced, {len(starting)} started, {len(over)} ended"


def plan_of(window: MaintenanceWindow | Row[Any]) -> Plan:
    """When a window takes place."""
    return Plan(window.starts, window.zone, window.duration_s, window.rrule)


def planned(window: MaintenanceWindow | Row[Any], start: int, end: int) -> list[Occurrence]:
    """The occurrences of a window that begin within [start, end). Those over before it was valid are none of it."""
    return [item for item in occurrences(plan_of(window), start, end) if item.ends_at > window.valid_from]


def _passages(rows: Sequence[Row[Any]], phase: Phase) -> list[Passage]:
    return [Passage(row.window_id, row.starts_at, row.ends_at, phase) for row in rows]


def _announce(connection: Connection, now: int) -> list[Passage]:
    """Write a row for each occurrence that is near enough, or past without one; those that are announced."""
    rows = []
    for window in _active(connection, now):
        start = window.valid_from - window.duration_s * SECOND if window.newest is None else window.newest + 1
        found = planned(window, max(start, now - LOOK_BACK), now + window.announce_s * SECOND + 1)[:MOST_MISSED]
        noted = _noted(connection, window.id, found)
        rows += [
            {
                "window_id": window.id,
                "starts_at": item.starts_at,
                "ends_at": item.ends_at,
                "announced_at": now if item.starts_at > now else None,
            }
            for item in found
            if item.starts_at not in noted
        ]
    # Of several keepers at once, one writes the row, and that one tells of it.
    written = [row for row in rows if connection.execute(_NOTE, row).first() is not None]
    return [
        Passage(row["window_id"], row["starts_at"], row["ends_at"], Phase.ANNOUNCED)
        for row in written
        if row["announced_at"] is not None
    ]


def _active(connection: Connection, now: int) -> Sequence[Any]:
    """The windows that may have an occurrence ahead or one that was missed; `newest` is the last that was not."""
    window, occurrence = MaintenanceWindow, MaintenanceOccurrence
    newest = (
        select(occurrence.starts_at)
        .where(occurrence.window_id == window.id, occurrence.starts_at <= now)
        .order_by(occurrence.starts_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_over = (
        select(occurrence.id)
        .where(
            occurrence.window_id == window.id,
            or_(occurrence.ended_at.is_not(None), occurrence.cancelled_at.is_not(None)),
        )
        .exists()
    )
    return connection.execute(
        select(*window.__table__.c, newest.label("newest"))
        .where(window.cancelled_at.is_(None), or_(window.rrule.is_not(None), ~is_over))
        .order_by(window.id)
    ).all()


def _noted(connection: Connection, window_id: int, found: list[Occurrence]) -> set[int]:
    """Which of these occurrences have a row."""
    if not found:
        return set()
    occurrence = MaintenanceOccurrence
    return set(
        connection.execute(
            select(occurrence.starts_at).where(
                occurrence.window_id == window_id,
                occurrence.starts_at.between(found[0].starts_at, found[-1].starts_at),
            )
        ).scalars()
    )


def _unfinished(connection: Connection, now: int) -> list[Any]:
    """The occurrences that have begun, by the plan, and not ended."""
    occurrence, window = MaintenanceOccurrence, MaintenanceWindow
    return list(
        connection.execute(
            select(
                occurrence.id,
                occurrence.window_id,
                occurrence.starts_at,
                occurrence.ends_at,
                occurrence.started_at,
                window.valid_from,
            )
            .join(window, window.id == occurrence.window_id)
            .where(
                occurrence.starts_at <= now,
                # What is older has ended, or was given up.
                occurrence.starts_at > now - LOOK_BACK - LONGEST_S * SECOND,
                occurrence.ended_at.is_(None),
                occurrence.cancelled_at.is_(None),
            )
            .order_by(occurrence.starts_at, occurrence.id)
            # Of several at once the first does it, and the others see that it is done.
            .with_for_update(of=occurrence)
        ).all()
    )


def _write(connection: Connection, statement: Any, rows: list[Row[Any]], body: str, now: int) -> None:
    if rows:
        connection.execute(statement, [{"id": row.id, "now": now} for row in rows])
        connection.execute(_SAY, [{"id": row.id, "body": body, "now": now} for row in rows])
