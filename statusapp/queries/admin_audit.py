"""The audit log in a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.models import AuditEntry
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

# Steps from one name to the next along the index, instead of reading all entries for a few names.
_ACTORS = text("""
WITH RECURSIVE step (actor) AS (
    SELECT MIN(actor) FROM audit_entry
    UNION ALL
    SELECT (SELECT MIN(e.actor) FROM audit_entry AS e WHERE e.actor > step.actor) FROM step WHERE step.actor IS NOT NULL
)
SELECT actor FROM step WHERE actor IS NOT NULL ORDER BY actor
""")
ORDERS = {"time": Order((AuditEntry.at, AuditEntry.id), (int, int))}


@dataclass(frozen=True, slots=True)
class AuditItem:
    """One change. `changes` holds of each field that differs its value before and after.

    `via` is the API client by which it was done, if any.
    """

    id: int
    at: datetime
    actor: str
    action: AuditAction
    kind: AuditKind
    subject_id: int | None
    subject: str
    changes: dict[str, list[Any]]
    via: str | None


def page_of_audit(wanted: Wanted, _now: datetime) -> Page[AuditItem]:
    """Changes by their time: one statement. Filters: actor, action, kind, and the times since and until.

    What is searched for is a part of the subject's name.
    """
    given, entry = wanted.filters, AuditEntry
    statement = select(entry)
    if wanted.search:
        statement = statement.where(func.lower(entry.subject).like(containing(wanted.search.lower()), escape="\\"))
    for name, column in (("actor", entry.actor), ("action", entry.action), ("kind", entry.kind)):
        if name in given:
            statement = statement.where(column == given[name])
    if "since" in given:
        statement = statement.where(entry.at >= to_us(given["since"]))
    if "until" in given:
        statement = statement.where(entry.at < to_us(given["until"]))
    return load_page(statement, ORDERS, wanted, _item)


def list_actors() -> list[str]:
    """Everybody who has changed something, by their names."""
    return list(db.session.scalars(_ACTORS))


def _item(row: Any) -> AuditItem:
    entry = row.AuditEntry
    return AuditItem(
        entry.id, from_us(entry.at), entry.actor, entry.action, entry.kind, entry.subject_id, entry.subject,
        entry.changes, entry.via,
    )  # fmt: skip
