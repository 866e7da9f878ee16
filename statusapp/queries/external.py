"""External services: how each was found last, and since when it has been so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from statusapp.domain.enums import ExternalStatus
from statusapp.extensions import db
from statusapp.models import ExternalReading

# How many readings are looked through for the last change: ten days of one every ten minutes.
LOOK_BACK = 1500


@dataclass(frozen=True, slots=True)
class ExternalState:
    """The newest reading of a service. `duration_us` is None where it did not answer.

    It has been found so at every reading from `since` on; when `is_longer`, that is only how far back was looked.
    """

    name: str
    status: ExternalStatus
    message: str
    duration_us: int | None
    taken_at: datetime
    since: datetime
    is_longer: bool


def list_external(oldest: datetime) -> list[ExternalState]:
    """All services by name. One that was last asked before `oldest` is not configured any more and left out."""
    reading = ExternalReading
    # From name to name along the index, however many readings each has.
    names = select(func.min(reading.name).label("name")).cte("names", recursive=True)
    following = select(func.min(reading.name)).where(reading.name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    newest = (
        select(reading.id)
        .where(reading.name == names.c.name)
        .order_by(reading.taken_at.desc())
        .limit(1)
        .correlate(names)
        .scalar_subquery()
    )
    rows = db.session.scalars(
        select(reading).where(reading.id.in_(select(newest).select_from(names))).order_by(reading.name)
    )
    return [_state(row) for row in rows.all() if row.taken_at >= oldest]


def _state(row: ExternalReading) -> ExternalState:
    reading = ExternalReading
    recent = (
        select(reading.taken_at, reading.status)
        .where(reading.name == row.name)
        .order_by(reading.taken_at.desc())
        .limit(LOOK_BACK)
        .subquery()
    )
    is_other = recent.c.status != row.status
    count, first, last_other = db.session.execute(
        select(func.count(), func.min(recent.c.taken_at), func.max(case((is_other, recent.c.taken_at))))
    ).one()
    since = first
    if last_other is not None:
        since = db.session.scalar(
            select(func.min(reading.taken_at)).where(reading.name == row.name, reading.taken_at > last_other)
        )
    return ExternalState(
        name=row.name,
        status=row.status,
        message=row.message,
        duration_us=row.duration_us,
        taken_at=row.taken_at,
        since=since,
        is_longer=last_other is None and count == LOOK_BACK,
    )
