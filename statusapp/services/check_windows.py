"""Check windows: which job claims. A job claims until it sees that a fresher one has begun."""

from __future__ import annotations

import os
import socket

from sqlalchemy import Connection, Row, text

from statusapp.domain.instants import SECOND
from statusapp.services.claims import CLAIM_AHEAD

ALIVE_US = 5 * SECOND  # A claimer writes its heartbeat every second; after this long without one it is gone.

_NEWEST = text("SELECT id, started_at, heartbeat_at, ended_at FROM check_window ORDER BY id DESC LIMIT 1")
_OVERDUE = text("SELECT MIN(due_at) FROM endpoint_state WHERE due_at <= :instant")
_BEGIN = text("""
INSERT INTO check_window (host, process_id, started_at, heartbeat_at, checks, cut_off_since)
VALUES (:host, :process_id, :now, :now, 0, :cut_off_since) RETURNING id
""")
_BEAT = text("""
UPDATE check_window SET heartbeat_at = :now, checks = checks + :checks, cut_off_since = :cut_off_since
WHERE id = :id
RETURNING (SELECT MAX(w.id) FROM check_window AS w)
""")
_CUT_OFF = text("SELECT cut_off_since FROM check_window ORDER BY id DESC LIMIT 1")
_END = text("UPDATE check_window SET ended_at = :now, heartbeat_at = :now WHERE id = :id")


def begin(connection: Connection, now: int, window_us: int) -> int | None:
    """Begin to claim, and with it end the claiming of any older job. None when there is nothing to take over.

    That is so when a claimer that is alive began within this window and nothing is overdue: ticks that piled up while
    no worker was free end here.
    """
    newest = connection.execute(_NEWEST).first()
    fresh = newest is not None and _is_alive(newest, now) and now - newest.started_at < window_us // 2
    if fresh and not _is_overdue(connection, now):
        return None
    values: dict[str, object] = {"host": socket.gethostname(), "process_id": os.getpid(), "now": now}
    values["cut_off_since"] = cut_off_since(connection)
    window_id: int = connection.execute(_BEGIN, values).scalar_one()
    return window_id


def cut_off_since(connection: Connection) -> int | None:
    """Since when the newest job has not reached its canary targets; None when it has."""
    since: int | None = connection.execute(_CUT_OFF).scalar()
    return since


def beat(connection: Connection, window_id: int, now: int, checks: int, cut_off: int | None = None) -> bool:
    """Show that this claimer is alive and has made so many more checks; whether it is still the freshest.

    Args:
        cut_off: since when the canary targets cannot be reached either; None while they can.
    """
    values = {"id": window_id, "now": now, "checks": checks, "cut_off_since": cut_off}
    newest = connection.execute(_BEAT, values).scalar_one()
    return bool(newest == window_id)


def end(connection: Connection, window_id: int, now: int) -> None:
    """Say that this claimer has ended in order."""
    connection.execute(_END, {"id": window_id, "now": now})


def has_live_claimer(connection: Connection, now: int) -> bool:
    """Whether some job is claiming."""
    newest = connection.execute(_NEWEST).first()
    return newest is not None and _is_alive(newest, now)


def _is_alive(window: Row[tuple[int, int, int, int | None]], now: int) -> bool:
    return window.ended_at is None and now - window.heartbeat_at < ALIVE_US


def _is_overdue(connection: Connection, now: int) -> bool:
    return connection.execute(_OVERDUE, {"instant": now - CLAIM_AHEAD}).scalar() is not None
