"""The updates of incidents and of maintenance, the newest first, in one statement for both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, null, select, union_all

from statusapp.domain.enums import IncidentStatus
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import IncidentUpdate, MaintenanceUpdate

# How many of each are shown; whoever wrote more than that meant the newest.
MOST_UPDATES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One update. `body` is Markdown, `status` that of an incident; no `author` is a machine."""

    id: int
    status: IncidentStatus | None
    body: str
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Timelines:
    """The updates of some incidents and of some occurrences of maintenance, by their ids."""

    incidents: dict[int, tuple[Entry, ...]]
    occurrences: dict[int, tuple[Entry, ...]]


def load_timelines(incident_ids: Sequence[int], occurrence_ids: Sequence[int]) -> Timelines:
    """The newest updates of each."""
    if not incident_ids and not occurrence_ids:
        return Timelines({}, {})
    told, work = IncidentUpdate, MaintenanceUpdate
    of_incidents = select(
        literal(0).label("source"),
        told.incident_id.label("owner"),
        told.id,
        told.status,
        told.body,
        told.author,
        told.created_at,
        func.row_number().over(partition_by=told.incident_id, order_by=told.id.desc()).label("place"),
    ).where(told.incident_id.in_(incident_ids))
    of_occurrences = select(
        literal(1),
        work.occurrence_id,
        work.id,
        null(),
        work.body,
        work.author,
        work.created_at,
        func.row_number().over(partition_by=work.occurrence_id, order_by=work.id.desc()),
    ).where(work.occurrence_id.in_(occurrence_ids))
    both = union_all(of_incidents, of_occurrences).subquery()
    found: tuple[defaultdict[int, list[Entry]], ...] = (defaultdict(list), defaultdict(list))
    for source, owner, key, status, body, author, created_at, _ in db.session.execute(
        select(both).where(both.c.place <= MOST_UPDATES).order_by(both.c.source, both.c.owner, both.c.place)
    ):
        found[source][owner].append(Entry(key, status, body, author, from_us(created_at)))
    incidents, occurrences = ({key: tuple(entries) for key, entries in part.items()} for part in found)
    return Timelines(incidents, occurrences)
