"""Everything about one service on one page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.enums import Rule
from statusapp.queries.alerts import list_alerts
from statusapp.queries.dashboard_service import (
    IncidentLine,
    MaintenanceLine,
    ServiceFile,
    get_service,
    list_incidents_of,
    list_last_checks,
    list_maintenance_of,
)
from statusapp.queries.ledger import explain_uptime
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.uptime import load_uptimes
from statusapp.services.page import page_zone
from statusapp.web import wording
from statusapp.web.charts import chart_script
from statusapp.web.dashboard.blueprint import blueprint
from statusapp.web.dashboard.loading import load_alerts_of
from statusapp.web.dashboard.rendering import render_dashboard
from statusapp.web.status.chart_data import IMPACT_COLORS, Band, service_charts
from statusapp.web.status.service_page import MOST_INTERVALS, SPAN_NAMES, formula_of
from statusapp.web.times import Times

LENGTHS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
USUAL = "24h"
PAST_ALERTS = 10


@blueprint.get("/services/<int:endpoint_id>/")
def service(endpoint_id: int) -> ResponseReturnValue:
    """Where a service stands and why, its checks, charts, alerts, incidents and maintenance."""
    now = utcnow()
    found = get_service(endpoint_id, now)
    asked = request.args.get("span", "").strip() or USUAL
    span = asked if asked in SPANS else USUAL
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    start = now - LENGTHS[span]
    incidents, works = list_incidents_of(endpoint_id), list_maintenance_of(endpoint_id)
    return render_dashboard(
        "dashboard/service.html",
        now=now,
        times=Times(page_zone()),
        service=found,
        why=why(found),
        span=span,
        span_problem=None if span == asked else _no_span(asked),
        spans=_spans(endpoint_id, now, weight),
        charts=service_charts(
            load_series(endpoint_id, span, now, weight), is_timed=found.is_timed, with_times=True, with_uptime=True
        ),
        bands=_bands(incidents, works, start, now),
        checks=list_last_checks(endpoint_id),
        alerts=load_alerts_of(endpoint_id, now),
        past_alerts=[one for one in list_alerts(PAST_ALERTS, endpoint_id) if one.resolved_at is not None],
        incidents=incidents,
        works=works,
        problem=None,
        back=request.full_path.rstrip("?"),
        chart_js=chart_script(),
        **_ledger(endpoint_id, start, now, weight),
    )


def why(found: ServiceFile) -> str:
    """The rule that put a service into its status, in a sentence with the figures that it went by."""
    tries = found.retries + 1
    sentences = {
        Rule.CREATED: "It was added and has not been checked yet.",
        Rule.FIRST_RESULT: "That is what its first check found.",
        Rule.FAILED_IN_A_ROW: f"{tries} checks failed in a row." if tries > 1 else "A check failed.",
        Rule.RECOVERED: f"{found.successes_to_confirm} good checks in a row ended the outage.",
        Rule.ON_AND_OFF: "Its checks fail on and off, too often to call it well.",
        Rule.SETTLED: "Failures have become rare.",
        Rule.SLOW_IN_A_ROW: "Answers were slow again and again.",
        Rule.FAST_AGAIN: "Answers are fast again.",
        Rule.NOT_CHECKED: "It has not been checked for three intervals, so nothing is known of it.",
        Rule.MAINTENANCE_STARTED: "Planned maintenance began.",
        Rule.MAINTENANCE_ENDED: "Planned maintenance is over.",
        Rule.PAUSED: "Somebody paused it.",
        Rule.RESUMED: "Somebody resumed it.",
    }
    return "Nothing is on record." if found.rule is None else sentences[found.rule]


def _no_span(asked: str) -> str:
    return f"There is no span {asked[:20]!r}. There are {', '.join(SPANS)}. The last 24 hours are shown."


def _spans(endpoint_id: int, now: datetime, weight: float) -> list[dict[str, Any]]:
    """The spans that there are charts of, each with its uptime."""
    return [
        {"key": key, "name": SPAN_NAMES[key], "text": wording.uptime(found.percent)}
        for key, found in load_uptimes(endpoint_id, now, weight).items()
        if key in SPANS
    ]


def _ledger(endpoint_id: int, start: datetime, now: datetime, weight: float) -> dict[str, Any]:
    found = explain_uptime(endpoint_id, start, now, weight)
    newest = list(reversed(found.entries))
    return {
        "entries": newest[:MOST_INTERVALS],
        "more_entries": len(newest[MOST_INTERVALS:]),
        "formula": formula_of(found),
        "ledger_start": start,
    }


def _bands(incidents: list[IncidentLine], works: list[MaintenanceLine], start: datetime, now: datetime) -> list[Band]:
    """What is shaded in on the charts."""
    bands = [Band(one.title, IMPACT_COLORS[one.impact], one.started_at, one.resolved_at or now) for one in incidents]
    bands += [
        Band(one.title, "maintenance", one.started_at, min(one.ends_at, now) if one.is_over else now)
        for one in works
        if one.started_at is not None
    ]
    return [
        Band(band.title, band.color, max(band.start, start), min(band.end, now))
        for band in bands
        if band.end > start and band.start < now
    ]
