"""The operator's own words for messages, beside the product's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind, Transition
from statusapp.domain.errors import InvalidInput
from statusapp.domain.messages import DEFAULTS, PLACEHOLDERS, Texts, unknown_placeholders
from statusapp.extensions import db
from statusapp.models import MessageText
from statusapp.services import audit

# A report is made of sections, which have words of their own.
EDITABLE = tuple(transition for transition in Transition if transition is not Transition.REPORT)
LONGEST_TITLE = 500
LONGEST_BODY = 20_000


def own_texts() -> dict[Transition, Texts]:
    """The texts that operators have written."""
    return {row.transition: Texts(row.title, row.body) for row in db.session.scalars(select(MessageText))}


def texts_in_use() -> dict[Transition, Texts]:
    """The texts of all kinds of messages: the operator's where there are any, else the product's."""
    return DEFAULTS | own_texts()


def set_text(transition: Transition, title: str, body: str, *, actor: Actor = SYSTEM) -> None:
    """Use other words for a kind of message.

    Raises:
        InvalidInput: when a text is empty, too long, or has a placeholder that is not known.
    """
    if transition not in EDITABLE:
        raise InvalidInput("transition", "The words of a report cannot be changed.")
    _check("title", title, LONGEST_TITLE)
    _check("body", body, LONGEST_BODY)
    if "\n" in title or "\r" in title:
        raise InvalidInput("title", "The title is one line.")
    with write_transaction(db.session) as session:
        row = session.get(MessageText, transition)
        before = None if row is None else audit.fields_of(row)
        row = session.merge(MessageText(transition=transition, title=title, body=body))
        action = AuditAction.ADDED if before is None else AuditAction.CHANGED
        _record(session, actor, action, transition, before, audit.fields_of(row))


def reset_text(transition: Transition, *, actor: Actor = SYSTEM) -> None:
    """Use the product's own words again."""
    with write_transaction(db.session) as session:
        row = session.get(MessageText, transition)
        if row is not None:
            _record(session, actor, AuditAction.DELETED, transition, audit.fields_of(row), None)
            session.delete(row)


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    transition: Transition,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    subject = transition.word.capitalize()
    audit.record(session, actor, action, AuditKind.TEXT, int(transition), subject, utcnow(), before, after)


def _check(field: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest:
        raise InvalidInput(field, f"The {field} must have 1 to {longest} characters.")
    unknown = unknown_placeholders(text)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise InvalidInput(field, f"{', '.join(unknown)} is no placeholder. There are {known}.")
