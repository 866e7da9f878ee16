"""Daily reports: the list, and one of them."""

from __future__ import annotations

from datetime import date

from flask.typing import ResponseReturnValue

from statusapp.domain.errors import NotFound
from statusapp.domain.report_sections import sections_of, summary_of
from statusapp.domain.report_texts import title
from statusapp.queries.admin_reports import ORDERS, ReportItem, page_of_reports
from statusapp.queries.report_facts import find_report
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.listing import Column, Empty, Listing, show_list
from statusapp.web.admin.rendering import render_admin

SERVICES_SHOWN = 200
COLUMNS: tuple[Column[ReportItem], ...] = (
    Column("Day", lambda row: row.day.isoformat(), "day"),
    Column("Written", lambda row: row.created_at, is_number=True),
)


@blueprint.get("/health/report/")
def list_reports() -> ResponseReturnValue:
    """All reports, the newest first."""
    return show_list(
        Listing(
            title="Reports",
            name="reports",
            template="admin/reports.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_reports,
            sort="-day",
            empty=Empty("Every night the day before is summed up here, and sent to the channels that want it."),
        )
    )


@blueprint.get("/health/report/<day>/")
def show_report(day: str) -> ResponseReturnValue:
    """The report of a day as it was written."""
    try:
        report = find_report(date.fromisoformat(day))
    except ValueError:
        report = None
    if report is None:
        raise NotFound("There is no report of this day.")
    return render_admin(
        "admin/report.html",
        title=title(report),
        summary=summary_of(report),
        sections=sections_of(report, SERVICES_SHOWN),
    )
