"""Watermarks: sums that are made once, and made again when what is summed changes under them.

A job that sums takes the watermark with `begin`, sums everything from there on and says with `finish` how far it came.
Whoever writes something that dates back says so with `pull_back` in the same transaction. As all three write the one
row, none of them can miss another: a change is either visible to the job that sums, or pulls its watermark back.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_CREATE = text("""
INSERT INTO watermark (name, until, basis) VALUES (:name, :first, :basis) ON CONFLICT (name) DO NOTHING
""")
_BEGIN = text("""
UPDATE watermark SET
    until = CASE WHEN COALESCE(basis, '') <> COALESCE(:basis, '') THEN :first
                 WHEN pulled_to < until THEN pulled_to ELSE until END,
    pulled_to = NULL, basis = :basis
WHERE name = :name RETURNING until
""")
_FINISH = text("""
UPDATE watermark SET until = CASE WHEN pulled_to < :until THEN pulled_to ELSE :until END, pulled_to = NULL
WHERE name = :name
""")
_PULL_BACK = text("""
UPDATE watermark SET pulled_to = CASE WHEN pulled_to < :instant THEN pulled_to ELSE :instant END WHERE name = :name
""")


def begin(session: Session, name: str, first: int, basis: str | None = None) -> int:
    """From which instant on there is something to sum, in microseconds.

    Args:
        first: where sums begin that were never made, or on another basis.
        basis: what the sums depend on besides what is summed.
    """
    values = {"name": name, "first": first, "basis": basis}
    session.execute(_CREATE, values)
    until: int = session.execute(_BEGIN, values).scalar_one()
    return until


def finish(session: Session, name: str, until: int) -> None:
    """Say that everything up to `until` is summed, less what has changed since `begin`."""
    session.execute(_FINISH, {"name": name, "until": until})


def pull_back(connection: Connection, name: str, instant: int) -> None:
    """Say that what is summed has changed from `instant` on."""
    connection.execute(_PULL_BACK, {"name": name, "instant": instant})
