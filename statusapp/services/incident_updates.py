"""What people do to incidents: open, publish, tell, move, change. Whatever they do marks it as touched.

From then on no machine changes its title, status or impact (see `incidents.py`); it only adds updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind, Impact, IncidentStatus, Status
from statusapp.domain.errors import InvalidInput, InvalidMove, NotFound
from statusapp.domain.incidents import MOST_TITLE, OVER, STATUS_WORDS, automatic_title, derive_impact, may_move
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import EndpointState, Incident, IncidentEndpoint, IncidentUpdate, ServiceEndpoint
from statusapp.services import audit

MOST_BODY = 10_000


@dataclass(frozen=True, slots=True)
class IncidentDraft:
    """An incident as a person describes it. `impact` overrides the one that follows from the affected services."""

    title: str
    body: str
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    impact: Impact | None = None
    endpoint_ids: Sequence[int] = ()
    is_public: bool = True


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """What is to be different about an incident: None leaves a thing as it is.

    `derives_impact` takes an impact back that a person has set.
    """

    title: str | None = None
    impact: Impact | None = None
    derives_impact: bool = False
    endpoint_ids: Sequence[int] | None = None


def open_incident(draft: IncidentDraft, author: str, now: datetime, *, actor: Actor | None = None) -> int:
    """Open an incident by hand; its id.

    Raises:
        InvalidInput: when a value cannot be used.
    """
    here = to_us(now)
    title, body = checked_title(draft.title), checked_body(draft.body)
    if draft.status in OVER:
        raise InvalidInput("status", "An incident is opened as investigating, identified or monitoring.")
    with write_transaction(db.session) as session:
        incident = Incident(
            title=title,
            status=draft.status,
            impact=Impact.NONE,
            impact_override=draft.impact,
            is_public=draft.is_public,
            touched_at=here,
            started_at=here,
            created_at=here,
            updated_at=here,
        )
        session.add(incident)
        session.flush()
        _affect(session, incident, draft.endpoint_ids)
        _say(session, incident, body, author, here)
        after = _fields(session, incident, update=body)
        _record(session, actor or Actor(None, author), AuditAction.ADDED, incident, now, None, after)
        return incident.id


def add_update(
    incident_id: int,
    body: str,
    author: str,
    now: datetime,
    status: IncidentStatus | None = None,
    *,
    actor: Actor | None = None,
) -> int:
    """Tell how an incident goes, in Markdown, and move it to `status` if there is one; the update's id.

    Raises:
        InvalidInput: when the text cannot be used.
        InvalidMove: when it cannot pass to that status.
        NotFound: when there is no such incident.
    """
    body, here = checked_body(body), to_us(now)
    with write_transaction(db.session) as session:
        incident = _touched(session, incident_id, here)
        before = _fields(session, incident)
        if status is not None:
            _move(incident, status, here)
        after = _fields(session, incident, update=body)
        _record(session, actor or Actor(None, author), AuditAction.CHANGED, incident, now, before, after)
        return _say(session, incident, body, author, here)


def resolve_incident(incident_id: int, body: str, author: str, now: datetime, *, actor: Actor | None = None) -> int:
    """Say that it is over; as `add_update`."""
    return add_update(incident_id, body, author, now, IncidentStatus.RESOLVED, actor=actor)


def publish_incident(incident_id: int, now: datetime, *, is_public: bool = True, actor: Actor = SYSTEM) -> None:
    """Show a draft to the public, or make a draft of what was public."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        incident = _touched(session, incident_id, here)
        before = _fields(session, incident)
        incident.is_public = is_public
        _record(session, actor, AuditAction.CHANGED, incident, now, before, _fields(session, incident))


def change_incident(incident_id: int, change: IncidentChange, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Change the title, the impact or the affected services of an incident.

    Raises:
        InvalidInput: when a value cannot be used.
        NotFound: when there is no such incident.
    """
    here = to_us(now)
    with write_transaction(db.session) as session:
        incident = _touched(session, incident_id, here)
        before = _fields(session, incident)
        if change.title is not None:
            incident.title = checked_title(change.title)
        if change.impact is not None or change.derives_impact:
            incident.impact_override = change.impact
        if change.endpoint_ids is not None:
            _affect(session, incident, change.endpoint_ids)
        _record(session, actor, AuditAction.CHANGED, incident, now, before, _fields(session, incident))


def change_update(update_id: int, body: str, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Put another text in the place of an update's."""
    body = checked_body(body)
    with write_transaction(db.session) as session:
        update = session.get(IncidentUpdate, update_id)
        if update is None:
            raise NotFound("There is no such update.")
        incident = _touched(session, update.incident_id, to_us(now))
        before, after = {"update": update.body}, {"update": body}
        _record(session, actor, AuditAction.CHANGED, incident, now, before, after)
        update.body = body


def checked_title(title: str) -> str:
    """A title that can be used."""
    title = " ".join(title.split())
    if not title or len(title) > MOST_TITLE:
        raise InvalidInput("title", f"A title has 1 to {MOST_TITLE} characters.")
    return title


def checked_body(body: str, *, may_be_empty: bool = False) -> str:
    """A text that can be used."""
    # PostgreSQL stores no NUL.
    body = body.replace("\0", "").strip()
    if len(body) > MOST_BODY or not (body or may_be_empty):
        raise InvalidInput("body", f"A text has 1 to {MOST_BODY} characters.")
    return body


def _fields(session: Session, incident: Incident, **more: str) -> dict[str, Any]:
    """What the audit log compares of an incident: what people set, and whom it affects."""
    session.flush()
    table = IncidentEndpoint
    affected = session.scalars(select(table.endpoint_id).where(table.incident_id == incident.id))
    names = ("title", "status", "impact_override", "is_public")
    return {name: getattr(incident, name) for name in names} | {"services": sorted(affected)} | more


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    incident: Incident,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    audit.record(session, actor, action, AuditKind.INCIDENT, incident.id, incident.title, now, before, after)


def _touched(session: Session, incident_id: int, now: int) -> Incident:
    """The incident, from now on a person's."""
    incident = session.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("There is no such incident.")
    if incident.touched_at is None:
        incident.touched_at = now
        if incident.is_automatic and incident.is_public:
            # What the public has read so far is what stays: without services that have become private.
            incident.title = automatic_title(_public_affected(session, incident_id))
    incident.updated_at = now
    return incident


def _public_affected(session: Session, incident_id: int) -> list[tuple[str, Status]]:
    rows = session.execute(
        select(ServiceEndpoint.name, IncidentEndpoint.status)
        .join(IncidentEndpoint, IncidentEndpoint.endpoint_id == ServiceEndpoint.id)
        .where(IncidentEndpoint.incident_id == incident_id, ServiceEndpoint.is_public)
    )
    return [(row.name, row.status) for row in rows]


def _move(incident: Incident, status: IncidentStatus, now: int) -> None:
    if not may_move(incident.status, status):
        before, after = STATUS_WORDS[incident.status].lower(), STATUS_WORDS[status].lower()
        raise InvalidMove(f"An incident cannot go from {before} to {after}.")
    if status not in OVER:
        incident.resolved_at = None
    elif incident.resolved_at is None:
        incident.resolved_at = now
    incident.status = status


def _affect(session: Session, incident: Incident, endpoint_ids: Sequence[int]) -> None:
    """Make these the affected services. Who stays keeps the worst status so far; who is new has its present one."""
    wanted = set(endpoint_ids)
    state, table = EndpointState, IncidentEndpoint
    states = _statuses(session, select(state.endpoint_id, state.status).where(state.endpoint_id.in_(wanted)))
    if wanted - states.keys():
        raise InvalidInput("endpoint_ids", "One of the services is not there any more.")
    kept = _statuses(session, select(table.endpoint_id, table.status).where(table.incident_id == incident.id))
    session.execute(delete(table).where(table.incident_id == incident.id, table.endpoint_id.not_in(wanted)))
    for key in sorted(wanted - kept.keys()):
        session.add(IncidentEndpoint(incident_id=incident.id, endpoint_id=key, status=states[key]))
    incident.impact = derive_impact(kept.get(key, states[key]) for key in wanted)


def _statuses(session: Session, statement: Select[int, Status]) -> dict[int, Status]:
    return {row.endpoint_id: row.status for row in session.execute(statement)}


def _say(session: Session, incident: Incident, body: str, author: str, now: int) -> int:
    update = IncidentUpdate(
        incident_id=incident.id, status=incident.status, body=body, author=author, created_at=now
    )  # fmt: skip
    session.add(update)
    session.flush()
    return update.id
