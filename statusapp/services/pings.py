"""Pings: what jobs say of themselves. Recorded before they are answered, and told to the check when that matters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from statusapp.database import execute_plain, write_connection
from statusapp.domain.enums import CheckKind, PingSignal, Status
from statusapp.extensions import db
from statusapp.services.endpoints import hash_token

# In the driver's own form: on this path SQLAlchemy's preparing of a statement costs more than its execution.
_UPDATE = """
UPDATE heartbeat SET {} WHERE token_hash = ?
RETURNING endpoint_id, (SELECT status FROM endpoint_state AS s WHERE s.endpoint_id = heartbeat.endpoint_id)
"""
_ENDED = _UPDATE.format("last_ping_at = ?, started_at = NULL, failure = ?")
_STARTED = _UPDATE.format("started_at = ?")
_INSERT = "INSERT INTO heartbeat_ping (endpoint_id, received_at, signal, exit_code) VALUES (?, ?, ?, ?)"
# A ping that only confirms what is known waits for the next look; any other one is looked at now.
_LOOK_NOW = text("""
UPDATE endpoint_state SET extra_at = :now, extra_kind = :kind,
    due_at = CASE WHEN claimed_slot IS NULL THEN :now ELSE due_at END
WHERE endpoint_id = :endpoint_id AND next_check_at IS NOT NULL
""")


def record_ping(token: str, signal: PingSignal, exit_code: int | None, now: int) -> bool:
    """Record a ping; False when no heartbeat has this token.

    Args:
        exit_code: what the job ended with, 0 to 255, when it said so.
        now: in microseconds.
    """
    with write_connection(db.engine) as connection:
        return _record(connection, hash_token(token), signal, exit_code, now)


def _record(connection: Connection, token_hash: bytes, signal: PingSignal, exit_code: int | None, now: int) -> bool:
    failure = None
    if signal is PingSignal.FAIL:
        failure = "the job reported a failure" if exit_code is None else f"the job ended with exit code {exit_code}"
    if signal is PingSignal.START:
        found: Any = execute_plain(connection, _STARTED, (now, token_hash)).first()
    else:
        found = execute_plain(connection, _ENDED, (now, failure, token_hash)).first()
    if found is None:
        return False
    endpoint_id, status = found
    execute_plain(connection, _INSERT, (endpoint_id, now, int(signal), exit_code))
    if signal is PingSignal.FAIL or (signal is PingSignal.SUCCESS and status != Status.OPERATIONAL):
        connection.execute(_LOOK_NOW, {"endpoint_id": endpoint_id, "now": now, "kind": int(CheckKind.SCHEDULED)})
    return True
