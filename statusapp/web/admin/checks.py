"""Single checks: the list, and all of one."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue

from statusapp.domain.enums import Outcome
from statusapp.queries.admin_checks import ORDERS, CheckItem, get_check, page_of_checks
from statusapp.queries.admin_endpoints import endpoint_choices
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, enum_choices, show_list
from statusapp.web.admin.rendering import render_admin

COLUMNS: tuple[Column[CheckItem], ...] = (
    Column("Outcome", lambda row: row.outcome.word),
    Column("Service", lambda row: row.name),
    Column("Due", lambda row: row.due_at, is_number=True),
    Column("Error", lambda row: row.error, is_extra=True),
    Column("Code", lambda row: row.status_code, is_number=True, is_extra=True),
    Column("Answer", lambda row: row.total_us, is_number=True, is_extra=True),
    Column("Late by", lambda row: row.late_us, is_number=True, is_extra=True),
    Column("Why", lambda row: row.kind.word, is_extra=True),
)


@blueprint.get("/health/healthcheck/")
def list_checks() -> ResponseReturnValue:
    """Checks, the newest first."""
    services = [Choice(str(key), name, key) for key, name in endpoint_choices()]
    return show_list(
        Listing(
            title="Checks",
            name="checks",
            template="admin/checks.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_checks,
            sort="-time",
            filters=(
                Filter("service", "Service", services),
                Filter("outcome", "Outcome", enum_choices(Outcome)),
                Filter("since", "From", is_time=True),
                Filter("until", "Until", is_time=True),
            ),
            empty=Empty(
                "Here is every check that was made in the last weeks.", "Add a service", url_for("admin.add_endpoint")
            ),
        )
    )


@blueprint.get("/health/healthcheck/<int(max=2147483647):endpoint_id>/<int(max=9223372036854775807):slot>/")
def show_check(endpoint_id: int, slot: int) -> ResponseReturnValue:
    """All of one check."""
    return render_admin("admin/check.html", check=get_check(endpoint_id, slot))
