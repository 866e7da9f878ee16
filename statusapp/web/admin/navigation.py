"""The navigation of the signed-in pages: what there is, and who may open it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_login import current_user

from statusapp.domain.enums import Role
from statusapp.queries.accounts import SignedInAccount


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that can be gone to from everywhere, by the endpoint of its view."""

    title: str
    endpoint: str
    least_role: Role = Role.STAFF


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is shown."""

    title: str
    address: str
    is_current: bool


SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Now",
        (
            Entry("What's wrong", "dashboard.index", Role.VIEWER),
            Entry("Overview", "admin.index"),
            Entry("Incidents", "admin.list_incidents"),
            Entry("Maintenance", "admin.list_maintenance"),
        ),
    ),
    (
        "Monitoring",
        (
            Entry("Services", "admin.list_endpoints"),
            Entry("Groups", "admin.list_groups"),
            Entry("Checks", "admin.list_checks"),
            Entry("Requests", "admin.list_requests"),
            Entry("System", "admin.list_metrics"),
            Entry("Reports", "admin.list_reports"),
        ),
    ),
    (
        "Alerts",
        (
            Entry("Channels", "admin.list_all_channels"),
            Entry("Rules", "admin.list_rules"),
            Entry("Message texts", "admin.list_texts"),
        ),
    ),
    (
        "Installation",
        (
            Entry("Settings", "admin.page_settings"),
            Entry("Accounts", "account.list_accounts", Role.OWNER),
            Entry("Audit", "account.list_audit", Role.OWNER),
        ),
    ),
)


def navigation() -> list[tuple[str, list[Link]]]:
    """The sections with what there is for the signed-in account; those without anything are left out."""
    role, known = current_user.account.role, current_app.view_functions
    found = []
    for title, entries in SECTIONS:
        shown = [entry for entry in entries if role >= entry.least_role and entry.endpoint in known]
        if shown:
            found.append((title, [_link(entry) for entry in shown]))
    return found


def account_of_browser() -> SignedInAccount | None:
    """Who is signed in. For pages behind a guard: it looks the session up."""
    return current_user.account if current_user.is_authenticated else None


def _link(entry: Entry) -> Link:
    address, here = url_for(entry.endpoint), f"{request.script_root}{request.path}"
    # The overview's address is the beginning of all others.
    is_current = here == address or (address != url_for("admin.index") and here.startswith(address))
    return Link(entry.title, address, is_current)
