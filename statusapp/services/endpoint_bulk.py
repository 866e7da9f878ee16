"""What is done with many endpoints at once, all or none."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update

from statusapp.database import write_transaction
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.endpoints import group_named, reschedule

MOST_NAMES = 5


def mute_endpoints(endpoint_ids: Collection[int], *, muted: bool, until: int | None = None) -> int:
    """Alert nobody about these services, for good or until an instant, or alert people again; how many they are."""
    table = ServiceEndpoint
    with write_transaction(db.session) as session:
        chosen = update(table).where(table.id.in_(endpoint_ids)).values(is_muted=muted, muted_until=until)
        return len(session.scalars(chosen.returning(table.id)).all())


def set_interval(endpoint_ids: Collection[int], interval_s: int, now: datetime) -> int:
    """Check these services every `interval_s` seconds from now on; how many they are.

    Raises:
        InvalidInput: when that is too short or too long, or not longer than some timeout.
    """
    if not 5 <= interval_s <= 86_400:
        raise InvalidInput("interval", "The interval must be 5 seconds to 1 day.")
    with write_transaction(db.session) as session:
        rows = session.scalars(
            select(ServiceEndpoint).where(ServiceEndpoint.id.in_(endpoint_ids)).order_by(ServiceEndpoint.id)
        ).all()
        slow = [row.name for row in rows if row.timeout_ms >= interval_s * 1000]
        if slow:
            names = ", ".join(slow[:MOST_NAMES]) + (f" and {len(slow) - MOST_NAMES} more" if slow[MOST_NAMES:] else "")
            raise InvalidInput("interval", f"It must be longer than the timeout, which it is not for {names}.")
        for row in rows:
            row.interval_s, row.updated_at = interval_s, now
        session.flush()
        for row in rows:
            reschedule(session, row.id, to_us(now))
        return len(rows)


def set_group(endpoint_ids: Collection[int], group: str | None, now: datetime) -> int:
    """Put these services under a heading, which is made when there is none of the name, or under none; how many.

    Raises:
        InvalidInput: when the name is too long.
    """
    name = (group or "").strip()
    if len(name) > 200:
        raise InvalidInput("group", "The name of a group must have at most 200 characters.")
    table = ServiceEndpoint
    with write_transaction(db.session) as session:
        group_id = group_named(session, name) if name else None
        chosen = update(table).where(table.id.in_(endpoint_ids)).values(group_id=group_id, updated_at=now)
        return len(session.scalars(chosen.returning(table.id)).all())
