"""What is done with many endpoints at once, all or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services import audit
from statusapp.services.endpoints import group_named, reschedule

MOST_NAMES = 5


def mute_endpoints(
    endpoint_ids: Collection[int], actor: Actor, now: datetime, *, muted: bool, until: int | None = None
) -> int:
    """Alert nobody about these services, for good or until an instant, or alert people again; how many they are."""
    with write_transaction(db.session) as session, _changed(session, endpoint_ids, actor, now) as rows:
        for row in rows:
            row.is_muted, row.muted_until = muted, until
        return len(rows)


def set_interval(endpoint_ids: Collection[int], interval_s: int, actor: Actor, now: datetime) -> int:
    """Check these services every `interval_s` seconds from now on; how many they are.

    Raises:
        InvalidInput: when that is too short or too long, or not longer than some timeout.
    """
    if not 5 <= interval_s <= 86_400:
        raise InvalidInput("interval", "The interval must be 5 seconds to 1 day.")
    with write_transaction(db.session) as session, _changed(session, endpoint_ids, actor, now) as rows:
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


def set_group(endpoint_ids: Collection[int], group: str | None, actor: Actor, now: datetime) -> int:
    """Put these services under a heading, which is made when there is none of the name, or under none; how many.

    Raises:
        InvalidInput: when the name is too long.
    """
    name = (group or "").strip()
    if len(name) > 200:
        raise InvalidInput("group", "The name of a group must have at most 200 characters.")
    with write_transaction(db.session) as session, _changed(session, endpoint_ids, actor, now) as rows:
        group_id = group_named(session, name) if name else None
        for row in rows:
            row.group_id, row.updated_at = group_id, now
        return len(rows)


@contextmanager
def _changed(
    session: Session, endpoint_ids: Collection[int], actor: Actor, now: datetime
) -> Iterator[Sequence[ServiceEndpoint]]:
    """Those of these services that are there, to be changed; what is changed is written down."""
    table = ServiceEndpoint
    rows = session.scalars(select(table).where(table.id.in_(endpoint_ids)).order_by(table.id)).all()
    before = {row.id: audit.fields_of(row) for row in rows}
    yield rows
    for row in rows:
        after = audit.fields_of(row)
        audit.record(
            session, actor, AuditAction.CHANGED, AuditKind.SERVICE, row.id, row.name, now, before[row.id], after
        )
