"""Taking back that somebody is at an alert."""

from __future__ import annotations

from sqlalchemy import update

from statusapp.database import write_transaction
from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import Alert


def unacknowledge(alert_id: int) -> None:
    """Nobody is at it any more: reminders go on.

    Raises:
        NotFound: when there is no such alert, or it is over.
    """
    with write_transaction(db.session) as session:
        changed = session.execute(
            update(Alert)
            .where(Alert.id == alert_id, Alert.resolved_at.is_(None))
            .values(acknowledged_at=None, acknowledged_by=None, note=None)
        )
        if not changed.rowcount:  # type: ignore[attr-defined]
            raise NotFound("there is no such alert that is still open")
