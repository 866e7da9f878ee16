"""Logged requests: the list, and all of one."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statusapp.queries.admin_requests import (
    ORDERS,
    get_request,
    method_choices,
    page_of_requests,
    route_choices,
)
from statusapp.queries.requests import LoggedRequest
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, show_list
from statusapp.web.admin.rendering import render_admin

COLUMNS: tuple[Column[LoggedRequest], ...] = (
    Column("Status", lambda row: row.status),
    Column("Request", lambda row: f"{row.method} {row.route}"),
    Column("At", lambda row: row.at, is_number=True),
    Column("Took", lambda row: row.duration_us, is_number=True, is_extra=True),
    Column("User", lambda row: row.user, is_extra=True),
    Column("Address", lambda row: row.address, is_extra=True),
    Column("Error", lambda row: row.error_message, is_extra=True),
)


@blueprint.get("/health/apirequestlog/")
def list_requests() -> ResponseReturnValue:
    """Requests, the newest first."""
    routes = tuple(
        Choice(str(key), f"{route.method} {route.route} ({route.service})", route) for key, route in route_choices()
    )
    return show_list(
        Listing(
            title="Requests",
            name="requests",
            template="admin/requests.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_requests,
            sort="-time",
            filters=(
                Filter("route", "Route", routes),
                Filter("method", "Method", tuple(Choice(name, name, name) for name in method_choices())),
                Filter("status", "Status (5xx or 502)", parse=read_status),
                Filter("user", "User"),
                Filter("slow", "Slow", (Choice("yes", "Slow ones", True),)),
                Filter("error", "Error group", parse=_number),
                Filter("since", "From", is_time=True),
                Filter("until", "Until", is_time=True),
            ),
            empty=Empty("Requests of your applications stand here once one of them reports them."),
        )
    )


@blueprint.get("/health/apirequestlog/<int(max=2147483647):request_id>/")
def show_request(request_id: int) -> ResponseReturnValue:
    """All that is known of one request."""
    return render_admin("admin/request.html", found=get_request(request_id))


def read_status(text: str) -> int:
    """A code, or the first digit of all of a class: "502" or "5xx".

    Raises:
        ValueError: when it is neither.
    """
    word = text.lower().removesuffix("xx")
    if word.isdecimal() and word.isascii() and (1 <= int(word[:4]) <= 5 or 100 <= int(word[:4]) <= 599):
        return int(word[:4])
    raise ValueError(f"The status is a code such as 502, or all of a class such as 5xx, not {text[:20]!r}.")


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ValueError("The error group is a number.")
    return int(text)
