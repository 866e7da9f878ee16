"""The public views behind the status page: one service, one incident, the history."""

from __future__ import annotations

import re
from datetime import MAXYEAR, date

from flask import abort, request
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.incidents import find_public_incident
from statusapp.queries.ledger import explain_uptime
from statusapp.queries.page_settings import load_page_settings
from statusapp.queries.public_events import load_month, load_service_events
from statusapp.queries.public_services import find_public_service
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.uptime import load_uptimes
from statusapp.web.status.chart_data import bands_of, service_charts
from statusapp.web.status.events import incident_as_data, month_days
from statusapp.web.status.rendering import render_public
from statusapp.web.status.service_page import formula_of, intervals_of, spans_of
from statusapp.web.status.views import blueprint, partial_weight
from statusapp.web.times import Times

_MONTH = re.compile(r"(\d{4})-(\d{2})")


@blueprint.get("/health/status-page/services/<int:endpoint_id>/")
def service(endpoint_id: int) -> ResponseReturnValue:
    """The page of one service: charts over a span, and how its uptime comes about."""
    now, weight, settings = utcnow(), partial_weight(), load_page_settings()
    found = find_public_service(endpoint_id, now)
    span = request.args.get("span", "24h")
    if found is None or span not in SPANS:
        abort(404)
    uptimes = load_uptimes(endpoint_id, now, weight)
    explained = explain_uptime(endpoint_id, uptimes[span].start, uptimes[span].end, weight)
    series = load_series(endpoint_id, span, now, weight)
    start = series.starts[0]
    events = load_service_events(endpoint_id, start, now, with_incidents=settings.shows_incidents)
    return render_public(
        "status/service.html",
        settings,
        now,
        service=found,
        status_text=STATUS_LABELS[found.status],
        span=span,
        spans=spans_of(uptimes, with_uptime=settings.shows_uptime),
        charts=service_charts(
            series,
            is_timed=found.is_timed,
            with_times=settings.shows_response_times,
            with_uptime=settings.shows_uptime,
        ),
        bands=bands_of(*events, start, now),
        intervals=intervals_of(explained),
        formula=formula_of(explained),
    )


@blueprint.get("/health/status-page/incidents/<int:incident_id>/")
def incident(incident_id: int) -> ResponseReturnValue:
    """The page of one incident."""
    settings = load_page_settings()
    found = find_public_incident(incident_id) if settings.shows_incidents else None
    if found is None:
        abort(404)
    data = incident_as_data(found, Times(settings.zone))
    return render_public("status/incident.html", settings, utcnow(), incident=data)


@blueprint.get("/health/status-page/history/")
def history() -> ResponseReturnValue:
    """Incidents and maintenance, a month at a time."""
    settings, now = load_page_settings(), utcnow()
    if not settings.shows_incidents:
        abort(404)
    times = Times(settings.zone)
    this_month = now.astimezone(settings.zone).date().replace(day=1)
    first = _month(request.args.get("month", "")) if "month" in request.args else this_month
    if first is None or first > this_month:
        abort(404)
    month = load_month(first, now, settings.zone)
    return render_public("status/history.html", settings, now, month=month, past=month_days(month, times))


def _month(text: str) -> date | None:
    """The first day of a month like "2026-11"; None for what is none."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or not 2000 <= int(found[1]) < MAXYEAR:
        return None
    return date(int(found[1]), int(found[2]), 1)
