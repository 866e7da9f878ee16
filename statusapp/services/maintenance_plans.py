"""What people do about maintenance: plan it, change it, call it off, and say how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.domain.instants import SECOND, to_us
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
from statusapp.services.incident_updates import checked_body, checked_title
from statusapp.services.maintenance import keep, plan_of, planned
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


def plan_maintenance(draft: MaintenanceDraft, now: datetime) -> int:
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
        keep(session, here)
        return window.id


def change_maintenance(window_id: int, draft: MaintenanceDraft, now: datetime) -> None:
    """Change planned maintenance. What has begun keeps its beginning; what is over stays as it was.

    Raises:
        InvalidInput: when a value cannot be used, or the maintenance is over.
        NotFound: when there is none of this id, or it was called off.
    """
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        before = plan_of(window)
        if window.rrule is None and _is_over(session, window_id):
            raise InvalidInput("starts", "This maintenance is over; plan a new one.")
        _fill(session, window, draft, here)
        if plan_of(window) != before:
            window.valid_from = here
            _move(session, window)
        session.execute(delete(MaintenanceTarget).where(MaintenanceTarget.window_id == window_id))
        _aim(session, window_id, draft)
        keep(session, here)


def cancel_maintenance(window_id: int, now: datetime, author: str | None = None) -> None:
    """Call off a window: what is going on ends now, and there will be no more of it."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        window = _get(session, window_id)
        window.cancelled_at = window.updated_at = here
        for occurrence in session.scalars(_unfinished_of(window_id)):
            _call_off(session, occurrence, here, author)
        keep(session, here)


def cancel_occurrence(window_id: int, starts_at: int, now: datetime, author: str | None = None) -> None:
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
        _call_off(session, occurrence, here, author)
        keep(session, here)


def add_maintenance_update(window_id: int, starts_at: int, body: str, author: str, now: datetime) -> int:
    """Say in Markdown how an occurrence goes; the update's id."""
    body = checked_body(body)
    with write_transaction(db.session) as session:
        occurrence = _occurrence_at(session, _get(session, window_id), starts_at)
        update = MaintenanceUpdate(occurrence_id=occurrence.id, body=body, author=author, created_at=to_us(now))
        session.add(update)
        session.flush()
        return update.id


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


def _move(session: Session, window: MaintenanceWindow) -> None:
    """Give occurrences that are not over their new end; those that the window no longer has are forgotten."""
    for occurrence in session.scalars(_unfinished_of(window.id)):
        found = planned(window, occurrence.starts_at, occurrence.starts_at + 1)
        if found:
            occurrence.ends_at = found[0].ends_at
        elif occurrence.started_at is None:
            session.delete(occurrence)


def _call_off(session: Session, occurrence: MaintenanceOccurrence, now: int, author: str | None) -> None:
    occurrence.cancelled_at = now
    if occurrence.started_at is not None:
        occurrence.ended_at = now
    session.add(MaintenanceUpdate(occurrence_id=occurrence.id, body=CANCELLED, author=author, created_at=now))


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
