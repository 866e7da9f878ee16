"""What was measured and logged: requests, readings of hosts, reports, and the monitor itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Response, current_app
from marshmallow import ValidationError, fields

from statusapp import __version__
from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.domain.monitor import judge_health
from statusapp.queries import admin_metrics, admin_requests
from statusapp.queries.api_reports import ORDERS as REPORT_ORDERS
from statusapp.queries.api_reports import page_of_reports
from statusapp.queries.health import load_monitor_facts
from statusapp.queries.request_sums import RouteFilter
from statusapp.services.reports import day_for, show_report
from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import members
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.schemas_fields import Instant, Text
from statusapp.web.api.schemas_records import LogItem, MetricFile, MetricItem, Monitor, Report, ReportItem
from statusapp.web.health.views import STARTED_AT


class StatusCode(fields.Integer):
    """A status code, or the first digit of one for all of its class."""

    def __init__(self) -> None:
        description = "A status code, or the first digit of one for all of its class."
        super().__init__(metadata={"description": description, "example": 5}, validate=_check_status)


def _check_status(value: int) -> None:
    if not (1 <= value <= 5 or 100 <= value <= 599):
        raise ValidationError("Write a status code such as 404, or its first digit for all of its class.")


LOGS = listing(
    "Log",
    admin_requests.ORDERS,
    "-time",
    LogItem,
    {
        "since": Instant(),
        "until": Instant(),
        "service": Text(200, metadata={"description": "The application that reported the request."}),
        "route": Text(500, metadata={"description": "The route as its application has it, such as /users/<id>."}),
        "method": Text(20),
        "status": StatusCode(),
        "user": Text(254),
        "slow": fields.Boolean(metadata={"description": "Only those that were slow."}),
    },
)
METRICS = listing(
    "Metric", admin_metrics.ORDERS, "-time", MetricItem, {"host": Text(255), "since": Instant(), "until": Instant()}
)
REPORTS = listing("Report", REPORT_ORDERS, "-day", ReportItem)
DAY = {"in": "path", "name": "day", "description": "YYYY-MM-DD, today or yesterday.", "schema": {"type": "string"}}


@members.route("/logs/")
@members.arguments(LOGS.query, location="query")
@members.response(200, LOGS.answer)
def list_logs(given: dict[str, Any]) -> Response:
    """Logged requests, the newest first."""
    route = RouteFilter(given.pop("service", None), None, given.pop("route", None))
    return answer_page(LOGS, admin_requests.page_of_requests(wanted_of(LOGS, given | {"route": route}), utcnow()))


@members.route("/logs/<int(max=9223372036854775807):request_id>/")
@members.response(200, LogItem)
def show_log(request_id: int) -> Response:
    """One logged request."""
    return answer(LogItem().dump(admin_requests.get_request(request_id)))


@members.route("/metrics/")
@members.arguments(METRICS.query, location="query")
@members.response(200, METRICS.answer)
def list_metrics(given: dict[str, Any]) -> Response:
    """Readings of the hosts, the newest first."""
    return answer_page(METRICS, admin_metrics.page_of_readings(wanted_of(METRICS, given), utcnow()))


@members.route("/metrics/<int(max=9223372036854775807):reading_id>/")
@members.response(200, MetricFile)
def show_metric(reading_id: int) -> Response:
    """All of one reading."""
    return answer(MetricFile().dump(admin_metrics.get_reading(reading_id)))


@members.route("/reports/")
@members.arguments(REPORTS.query, location="query")
@members.response(200, REPORTS.answer)
def list_reports(given: dict[str, Any]) -> Response:
    """The daily reports that were written."""
    return answer_page(REPORTS, page_of_reports(wanted_of(REPORTS, given)))


@members.route("/reports/<day>/", parameters=[DAY])
@members.response(200, Report)
def get_report(day: str) -> Response:
    """The report of a day: as it was written, or else made now, of today so far."""
    try:
        wanted = day_for(day, utcnow())
        found = show_report(wanted, utcnow())
    except InvalidInput as error:
        raise NotFound(error.message) from None
    return answer({"day": wanted.isoformat(), "is_stored": found.is_stored, "report": found.data})


@members.route("/monitor/")
@members.response(200, Monitor)
def show_monitor() -> Response:
    """How the monitor itself does, with the errors of its tasks in full."""
    settings = current_app.config["SETTINGS"]
    started_at: datetime = current_app.config[STARTED_AT]
    facts = load_monitor_facts(started_at, timedelta(seconds=settings.check_window))
    verdict = judge_health(facts, utcnow())
    tasks = () if facts.database is None else facts.database.tasks
    data: dict[str, Any] = Monitor(only=["findings", "tasks"]).dump({"findings": verdict.findings, "tasks": tasks})
    return answer({"status": str(verdict.level), "version": __version__, **data})
