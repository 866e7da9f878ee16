"""What people do about maintenance: plan it, change it, call it off, and say how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind, MaintenancePhase
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.recurrence import Plan, check_plan, next_occurrence
from statusapp.extensions import db
from statusapp.models import (
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceUpdate,
    MaintenanceWindow,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.services import audit
from statusapp.services.incident_updates import checked_body, checked_title
from statusapp.services.maintenance import keep, plan_of, planned
from statusapp.services.maintenance_messages import Passage
from statusapp.services.page import page_zone

LONGEST_ANNOUNCEMENT_S = 90 * 86_400
CANCELLED = "The maintenance has been called off."


@dataclass(frozen=True, slots=True)
class MaintenanceDraft:
    """Planned work as an operator describes it. Without a `zone` it is the page's.

    It is for `endpoint_ids`, for all services of `group_ids`, or for everything, what is added later included.
    """

    title: str
    starts: str
    duration_s: int
    zone: str | None = None
    rule: str | None = None
    body: str = ""
    announce_s: int = 86_400
    endpoint_ids: Sequence[int] = ()
    group_ids: Sequence[int] = ()
    covers_all: bool = False
    is_public: bool = True


def plan_maintenance(draft: MaintenanceDraft, now: datetime, *, actor: Actor = SYSTEM) -> int:
    """Plan maintenance, once or again and again; its id. What should be going on already begins at once.

    Raises:
        InvalidInput: when a value cannot be used.
    """
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = MaintenanceWindow(valid_from=here, created_at=here)
        _fill(session, window, draft, here)
        if not planned(window, here - window.duration_s * SECOND, here + 1) and not _is_ahead(window, here):
            raise InvalidInput("starts", "It would be over already.")
        session.add(window)
        session.flush()
        _aim(session, window.id, draft)
        _record(
            session, actor, AuditAction.ADDED, window, now, None, _fields(window, draft.endpoint_ids, draft.group_ids)
        )
        keep(session, here)
        return window.id


def change_maintenance(window_id: int, draft: MaintenanceDraft, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Change planned maintenance. What has begun keeps its beginning; what is over stays as it was.

    Raises:
        InvalidInput: when a value cannot be used, or the maintenance is over.
        NotFound: when there is none of this id, or it was called off.
    """
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        before, fields = plan_of(window), _fields(window, *_targets(session, window_id))
        if window.rrule is None and _is_over(session, window_id):
            raise InvalidInput("starts", "This maintenance is over; plan a new one.")
        _fill(session, window, draft, here)
        moved: list[Passage] = []
        if plan_of(window) != before:
            window.valid_from = here
            moved = _move(session, window)
        session.execute(delete(MaintenanceTarget).where(MaintenanceTarget.window_id == window_id))
        _aim(session, window_id, draft)
        _record(
            session,
            actor,
            AuditAction.CHANGED,
            window,
            now,
            fields,
            _fields(window, draft.endpoint_ids, draft.group_ids),
        )
        keep(session, here, moved)


def cancel_maintenance(window_id: int, now: datetime, author: str | None = None, *, actor: Actor | None = None) -> None:
    """Call off a window: what is going on ends now, and there will be no more of it."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        window.cancelled_at = window.updated_at = here
        who = actor or Actor(None, author or SYSTEM.name)
        _record(session, who, AuditAction.CHANGED, window, now, {"called_off": False}, {"called_off": True})
        occurrences = session.scalars(_unfinished_of(window_id)).all()
        passages = [_call_off(session, occurrence, here, author) for occurrence in occurrences]
        keep(session, here, [passage for passage in passages if passage is not None])


def cancel_occurrence(
    window_id: int, starts_at: int, now: datetime, author: str | None = None, *, actor: Actor | None = None
) -> None:
    """Call off one occurrence, by the instant at which it is planned to begin, or end it now if it is going on.

    Raises:
        NotFound: when nothing of this window begins at that instant, or it is over.
    """
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        occurrence = _occurrence_at(session, window, starts_at)
        if occurrence.ended_at is not None or occurrence.cancelled_at is not None:
            raise NotFound("This maintenance is over.")
        who, starts = actor or Actor(None, author or SYSTEM.name), from_us(starts_at)
        _record(session, who, AuditAction.CHANGED, window, now, {}, {"called_off_occurrence": starts})
        passage = _call_off(session, occurrence, here, author)
        keep(session, here, [] if passage is None else [passage])


def add_maintenance_update(
    window_id: int, starts_at: int, body: str, author: str, now: datetime, *, actor: Actor | None = None
) -> int:
    """Say in Markdown how an occurrence goes; the update's id."""
    body = checked_body(body)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        occurrence = _occurrence_at(session, window, starts_at)
        _record(session, actor or Actor(None, author), AuditAction.CHANGED, window, now, {}, {"update": body})
        update = MaintenanceUpdate(occurrence_id=occurrence.id, body=body, author=author, created_at=to_us(now))
        session.add(update)
        session.flush()
        return update.id


def _fields(window: MaintenanceWindow, endpoint_ids: Sequence[int], group_ids: Sequence[int]) -> dict[str, Any]:
    """What the audit log compares of a window."""
    return audit.fields_of(window, services=sorted(endpoint_ids), groups=sorted(group_ids))


def _targets(session: Session, window_id: int) -> tuple[list[int], list[int]]:
    """The services and the groups that a window is for."""
    rows = session.scalars(select(MaintenanceTarget).where(MaintenanceTarget.window_id == window_id)).all()
    return (
        [row.endpoint_id for row in rows if row.endpoint_id is not None],
        [row.group_id for row in rows if row.group_id is not None],
    )


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    window: MaintenanceWindow,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    audit.record(session, actor, action, AuditKind.MAINTENANCE, window.id, window.title, now, before, after)


def _fill(session: Session, window: MaintenanceWindow, draft: MaintenanceDraft, now: int) -> None:
    if not 0 <= draft.announce_s <= LONGEST_ANNOUNCEMENT_S:
        raise InvalidInput("announce_s", "It can be announced at most 90 days ahead.")
    if not (draft.covers_all or draft.endpoint_ids or draft.group_ids):
        raise InvalidInput("endpoint_ids", "Choose the services that it is for.")
    zone = draft.zone or page_zone().key
    rule = draft.rule.strip() if draft.rule else None
    check_plan(Plan(draft.starts, zone, draft.duration_s, rule))
    window.title = checked_title(draft.title)
    window.body = checked_body(draft.body, may_be_empty=True)
    window.zone, window.starts, window.duration_s, window.rrule = zone, draft.starts, draft.duration_s, rule
    window.announce_s, window.covers_all, window.is_public = draft.announce_s, draft.covers_all, draft.is_public
    window.updated_at = now


def _aim(session: Session, window_id: int, draft: MaintenanceDraft) -> None:
    """Write down what a window is for."""
    endpoints, groups = set(draft.endpoint_ids), set(draft.group_ids)
    known = set(session.scalars(select(ServiceEndpoint.id).where(ServiceEndpoint.id.in_(endpoints))))
    known_groups = set(session.scalars(select(ServiceGroup.id).where(ServiceGroup.id.in_(groups))))
    if endpoints - known or groups - known_groups:
        raise InvalidInput("endpoint_ids", "One of the services or groups is not there any more.")
    session.add_all(MaintenanceTarget(window_id=window_id, endpoint_id=key) for key in sorted(endpoints))
    session.add_all(MaintenanceTarget(window_id=window_id, group_id=key) for key in sorted(groups))


def _move(session: Session, window: MaintenanceWindow) -> list[Passage]:
    """Give occurrences that are not over their new end; those that the window no longer has are forgotten, and what
    channels are told of that."""
    passages = []
    for occurrence in session.scalars(_unfinished_of(window.id)):
        found = planned(window, occurrence.starts_at, occurrence.starts_at + 1)
        if found:
            occurrence.ends_at = found[0].ends_at
        elif occurrence.started_at is None:
            if occurrence.announced_at is not None:
                passages.append(_called_off(occurrence))
            session.delete(occurrence)
    return passages


def _call_off(session: Session, occurrence: MaintenanceOccurrence, now: int, author: str | None) -> Passage | None:
    """End an occurrence, or have it never begin; what channels are told of it, if they know of it."""
    occurrence.cancelled_at = now
    if occurrence.started_at is not None:
        occurrence.ended_at = now
    session.add(MaintenanceUpdate(occurrence_id=occurrence.id, body=CANCELLED, author=author, created_at=now))
    if occurrence.announced_at is None and occurrence.started_at is None:
        return None
    return _called_off(occurrence)


def _called_off(occurrence: MaintenanceOccurrence) -> Passage:
    return Passage(occurrence.window_id, occurrence.starts_at, occurrence.ends_at, MaintenancePhase.CANCELLED)


def _get(session: Session, window_id: int) -> MaintenanceWindow:
    window = session.get(MaintenanceWindow, window_id, with_for_update=True)
    if window is None or window.cancelled_at is not None:
        raise NotFound("There is no such maintenance, or it was called off.")
    return window


def _occurrence_at(session: Session, window: MaintenanceWindow, starts_at: int) -> MaintenanceOccurrence:
    """The row of an occurrence, made when it has none yet."""
    table = MaintenanceOccurrence
    row = session.scalar(select(table).where(table.window_id == window.id, table.starts_at == starts_at))
    if row is not None:
        return row
    found = planned(window, starts_at, starts_at + 1)
    if not found:
        raise NotFound("This maintenance does not begin at that time.")
    row = MaintenanceOccurrence(window_id=window.id, starts_at=starts_at, ends_at=found[0].ends_at)
    session.add(row)
    session.flush()
    return row


def _unfinished_of(window_id: int):  # type: ignore[no-untyped-def]
    table = MaintenanceOccurrence
    return select(table).where(table.window_id == window_id, table.ended_at.is_(None), table.cancelled_at.is_(None))


def _is_over(session: Session, window_id: int) -> bool:
    table = MaintenanceOccurrence
    over = table.ended_at.is_not(None) | table.cancelled_at.is_not(None)
    return session.scalar(select(table.id).where(table.window_id == window_id, over).limit(1)) is not None


def _is_ahead(window: MaintenanceWindow, now: int) -> bool:
    """Whether anything of a window is still to begin."""
    return next_occurrence(plan_of(window), now) is not None
