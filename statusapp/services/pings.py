"""Pings: what jobs say of themselves. Recorded before they are answered, and told to the check when that matters."""

from __future__ import annotations

from sqlalchemy import Connection, text

from statusapp.database import write_connection
from statusapp.domain.enums import CheckKind, PingSignal, Status
from statusapp.extensions import db
from statusapp.services.endpoints import hash_token

_DONE = "last_ping_at = :now, started_at = NULL, failure = :failure"
_STARTED = "started_at = :now"
_UPDATE = "UPDATE heartbeat SET {} WHERE token_hash = :token_hash RETURNING endpoint_id"
_UPDATE_BY_SIGNAL = {
    PingSignal.SUCCESS: text(_UPDATE.format(_DONE)),
    PingSignal.FAIL: text(_UPDATE.format(_DONE)),
    PingSignal.START: text(_UPDATE.format(_STARTED)),
}
_INSERT = text("""
INSERT INTO heartbeat_ping (endpoint_id, received_at, signal, exit_code)
VALUES (:endpoint_id, :now, :signal, :exit_code)
""")
# A ping that only confirms what is known waits for the next look; any other one is looked at now.
_LOOK_NOW = text("""
UPDATE endpoint_state SET extra_at = :now, extra_kind = :kind,
    due_at = CASE WHEN claimed_slot IS NULL THEN :now ELSE due_at END
WHERE endpoint_id = :endpoint_id AND next_check_at IS NOT NULL AND (status <> :operational OR :failed)
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
    values = {"token_hash": token_hash, "now": now, "failure": failure}
    if signal is PingSignal.START:
        del values["failure"]
    endpoint_id = connection.execute(_UPDATE_BY_SIGNAL[signal], values).scalar()
    if endpoint_id is None:
        return False
    connection.execute(_INSERT, {"endpoint_id": endpoint_id, "now": now, "signal": int(signal), "exit_code": exit_code})
    if signal is not PingSignal.START:
        connection.execute(
            _LOOK_NOW,
            {
                "endpoint_id": endpoint_id,
                "now": now,
                "kind": int(CheckKind.SCHEDULED),
                "operational": int(Status.OPERATIONAL),
                "failed": failure is not None,
            },
        )
    return True
