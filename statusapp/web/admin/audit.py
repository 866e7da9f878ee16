"""The audit log: who has changed what. It can be read and nothing else."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue

from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.queries.admin_audit import ORDERS, AuditItem, list_actors, page_of_audit
from statusapp.web.admin.blueprint import owner_blueprint
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, enum_choices, show_list

ACTIONS = {
    AuditAction.ADDED: "Added",
    AuditAction.CHANGED: "Changed",
    AuditAction.DELETED: "Deleted",
    AuditAction.SIGNED_IN: "Signed in",
    AuditAction.ENDED_SESSIONS: "Ended sessions of",
    AuditAction.MADE_LINK: "Made a password link for",
    AuditAction.TRIED: "Tried",
}
# Where a thing is looked at, and what its number is called in that address.
PAGES = {
    AuditKind.ACCOUNT: ("admin_owner.edit_account", "account_id"),
    AuditKind.SERVICE: ("admin.edit_endpoint", "endpoint_id"),
    AuditKind.GROUP: ("admin.edit_group", "group_id"),
    AuditKind.CHANNEL: ("admin.edit_channel", "channel_id"),
    AuditKind.INCIDENT: ("admin.show_incident", "incident_id"),
    AuditKind.MAINTENANCE: ("admin.show_maintenance", "window_id"),
}
NOTHING = "nothing"


def value_text(value: Any) -> str:
    """A value of a field as it is shown."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value_text(one) for one in value) or NOTHING
    return str(value)


def field_text(name: str) -> str:
    """A field as people call it."""
    for ending, unit in (("_s", " (s)"), ("_us", " (µs)"), ("_ms", " (ms)")):
        if name.endswith(ending):
            return name.removesuffix(ending).replace("_", " ") + unit
    return name.removeprefix("is_").replace("_", " ").replace(".", ": ")


def changes_text(item: AuditItem) -> str:
    """What differs, as one text."""
    return "; ".join(
        f"{field_text(name)}: {value_text(before)} → {value_text(after)}"
        for name, (before, after) in item.changes.items()
    )


def who(item: AuditItem) -> str:
    """Who did it, and by which API client."""
    return f"{item.actor}, by the {item.via}" if item.via else item.actor


def page_address(item: AuditItem) -> str | None:
    """Where the thing is looked at, if it has a page and was there after this change."""
    if item.kind not in PAGES or item.subject_id is None or item.action is AuditAction.DELETED:
        return None
    view, name = PAGES[item.kind]
    values: dict[str, Any] = {name: item.subject_id}
    return url_for(view, **values)


COLUMNS: tuple[Column[AuditItem], ...] = (
    Column("What", lambda row: f"{ACTIONS[row.action]} {row.kind.word}: {row.subject}"),
    Column("Before and after", changes_text, is_shown=False),
    Column("Who", who, is_extra=True),
    Column("At", lambda row: row.at, "time", is_number=True, is_extra=True),
)


@owner_blueprint.get("/health/audit/")
def list_audit() -> ResponseReturnValue:
    """Changes, the newest first."""
    return show_list(
        Listing(
            title="Audit log",
            name="audit-log",
            template="admin/audit.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_audit,
            sort="-time",
            search="name of what was changed",
            filters=(
                Filter("actor", "Who", tuple(Choice(name, name, name) for name in list_actors())),
                Filter("action", "Action", enum_choices(AuditAction)),
                Filter("kind", "Kind", enum_choices(AuditKind)),
                Filter("since", "From", is_time=True),
                Filter("until", "Until", is_time=True),
            ),
            empty=Empty("Whatever somebody changes is written down here: who, when, what, and how it was before."),
            extra={
                "actions": ACTIONS,
                "field_text": field_text,
                "value_text": value_text,
                "page_address": page_address,
                "who": who,
            },
        )
    )
