"""The list of services, and what can be done with many of them at once."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue

from statusapp.domain.enums import Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.admin_endpoints import (
    ORDERS,
    EndpointItem,
    group_choices,
    page_of_endpoints,
    tag_choices,
)
from statusapp.services.endpoint_kinds import list_kinds
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.listing import (
    Action,
    Choice,
    Column,
    Empty,
    Filter,
    Listing,
    enum_choices,
    flag_choices,
    show_list,
    word_choices,
)
from statusapp.web.admin.roles import is_owner

NO_GROUP = "none"
ACTIONS = (
    Action("run", "Check now"),
    Action("disable", "Pause"),
    Action("enable", "Resume"),
    Action("mute", "Mute or unmute"),
    Action("interval", "Change the interval"),
    Action("group", "Change the group"),
)
COLUMNS: tuple[Column[EndpointItem], ...] = (
    Column("Status", lambda row: STATUS_LABELS[row.status] if row.is_enabled else "Paused", "status"),
    Column("Service", lambda row: row.name, "name"),
    Column("Address", lambda row: row.url, is_extra=True),
    Column("Group", lambda row: row.group, "group", is_extra=True),
    Column("Every", lambda row: row.interval_s, "interval", is_number=True, is_extra=True),
    Column("Answer", lambda row: row.last_total_us, "time", is_number=True, is_extra=True),
    Column("Last check", lambda row: row.last_checked_at, "checked", is_number=True, is_extra=True),
)


@blueprint.get("/health/serviceendpoint/")
def list_endpoints() -> ResponseReturnValue:
    """All services."""
    add = url_for("admin.add_endpoint")
    return show_list(
        Listing(
            title="Services",
            name="services",
            template="admin/endpoints.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_endpoints,
            sort="name",
            search="name, address, tag",
            filters=_filters(),
            empty=Empty("A service is something that is checked again and again.", "Add a service", add),
            bulk=ACTIONS,
            bulk_address=url_for("admin.bulk_endpoints"),
            delete_address=url_for("admin_owner.delete_endpoints") if is_owner() else None,
            add=("Add a service", add),
        )
    )


def _filters() -> tuple[Filter, ...]:
    groups = [Choice(NO_GROUP, "No group", None), *(Choice(str(key), name, key) for key, name in group_choices())]
    return (
        Filter("status", "Status", enum_choices(Status, STATUS_LABELS)),
        Filter("state", "State", word_choices("enabled", "paused", "muted")),
        Filter("group", "Group", groups),
        Filter("kind", "Kind", tuple(Choice(kind.name, kind.label, kind.schemes) for kind in list_kinds())),
        Filter("tag", "Tag", tuple(Choice(tag, tag, tag) for tag in tag_choices())),
        Filter("public", "Page", flag_choices("On the page", "Private")),
    )
