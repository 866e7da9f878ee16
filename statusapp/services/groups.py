"""Groups: the headings on the page that services stand under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.extensions import db
from statusapp.models import ServiceGroup
from statusapp.services import audit

MISSING = "There is no such group, or not any more."
LARGEST_POSITION = 1_000_000


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """What an operator says about a group. Without a position it comes after those that are there."""

    name: str
    position: int | None = None
    is_collapsed: bool = False


def add_group(draft: GroupDraft, actor: Actor, now: datetime) -> int:
    """Make a group; its id.

    Raises:
        InvalidInput: when it cannot be saved as it is.
    """
    values = _checked(draft)
    try:
        with write_transaction(db.session) as session:
            if draft.position is None:
                last = session.scalar(select(func.max(ServiceGroup.position)))
                values["position"] = 0 if last is None else last + 1
            group = ServiceGroup(**values)
            session.add(group)
            session.flush()
            after = audit.fields_of(group)
            audit.record(session, actor, AuditAction.ADDED, AuditKind.GROUP, group.id, group.name, now, None, after)
            return group.id
    except IntegrityError as error:
        raise _taken() from error


def change_group(group_id: int, draft: GroupDraft, actor: Actor, now: datetime) -> None:
    """Give a group other values.

    Raises:
        NotFound: when it is not there.
        InvalidInput: when it cannot be saved so.
    """
    values = _checked(draft)
    try:
        with write_transaction(db.session) as session:
            group = session.get(ServiceGroup, group_id)
            if group is None:
                raise NotFound(MISSING)
            before, action = audit.fields_of(group), AuditAction.CHANGED
            for name, value in values.items():
                setattr(group, name, value)
            after = audit.fields_of(group)
            audit.record(session, actor, action, AuditKind.GROUP, group_id, group.name, now, before, after)
    except IntegrityError as error:
        raise _taken() from error


def delete_group(group_id: int, actor: Actor, now: datetime) -> None:
    """Delete a group. Its services stay, under no heading; its rules go.

    Raises:
        NotFound: when it is not there.
    """
    with write_transaction(db.session) as session:
        group = session.get(ServiceGroup, group_id)
        if group is None:
            raise NotFound(MISSING)
        before = audit.fields_of(group)
        audit.record(session, actor, AuditAction.DELETED, AuditKind.GROUP, group_id, group.name, now, before)
        session.delete(group)


def _checked(draft: GroupDraft) -> dict[str, str | int | bool]:
    name = draft.name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("name", "The name must have 1 to 200 characters.")
    values: dict[str, str | int | bool] = {"name": name, "is_collapsed": draft.is_collapsed}
    if draft.position is not None:
        if abs(draft.position) > LARGEST_POSITION:
            raise InvalidInput("position", f"The position must be a number up to {LARGEST_POSITION}.")
        values["position"] = draft.position
    return values


def _taken() -> InvalidInput:
    return InvalidInput("name", "There is a group of this name already; choose another name.")
