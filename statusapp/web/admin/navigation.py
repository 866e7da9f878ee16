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
    about: str
    least_role: Role = Role.STAFF


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is shown."""

    title: str
    about: str
    address: str
    is_current: bool


SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Now",
        (
            Entry("What's wrong", "dashboard.index", "What needs somebody now, and how everything does.", Role.VIEWER),
            Entry("Incidents", "admin.list_incidents", "What the public is told when something is wrong."),
            Entry("Maintenance", "admin.list_maintenance", "Planned work: announced ahead, and nobody is alerted."),
        ),
    ),
    (
        "Monitoring",
        (
            Entry("Services", "admin.list_endpoints", "What is checked, how, and how often."),
            Entry("Groups", "admin.list_groups", "The headings of the status page."),
            Entry("Checks", "admin.list_checks", "Every single check, with its phases and what was found."),
            Entry("Requests", "admin.list_requests", "The requests that people really made."),
            Entry("System", "admin.list_metrics", "CPU, memory, disk, network and database of each host."),
            Entry("Reports", "admin.list_reports", "Every day summed up."),
        ),
    ),
    (
        "Alerts",
        (
            Entry("Channels", "admin.list_all_channels", "Where alerts and reports are sent."),
            Entry("Rules", "admin.list_rules", "When somebody is alerted."),
            Entry("Message texts", "admin.list_texts", "The words of the messages."),
        ),
    ),
    (
        "Installation",
        (
            Entry("Settings", "admin.page_settings", "How the status page looks and what it shows."),
            Entry("API clients", "admin.list_api_clients", "Tokens and applications by which programs use the API."),
            Entry("Accounts", "admin_owner.list_accounts", "Who can sign in, and what they may do.", Role.OWNER),
            Entry("Audit log", "admin_owner.list_audit", "Who has changed what, and how it was before.", Role.OWNER),
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
    return Link(entry.title, entry.about, address, here.startswith(address))
