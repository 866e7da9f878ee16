"""The public views."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from statusapp import __version__
from statusapp.clock import utcnow
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.ledger import explain_uptime
from statusapp.queries.public_services import find_public_service
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.status_page import StatusPage, load_page_settings, load_status_page
from statusapp.queries.uptime import load_uptimes
from statusapp.web import wording
from statusapp.web.charts import chart_script
from statusapp.web.negotiation import prefers_html
from statusapp.web.status.day_strips import strip_paths, strip_view
from statusapp.web.status.events import as_html, listed, past_days
from statusapp.web.status.presenting import overview_as_data, page_as_data
from statusapp.web.status.service_page import charts_of, formula_of, intervals_of, spans_of

blueprint = Blueprint("status", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Where things are, for programs; browsers go to the status page."""
    if prefers_html():
        response = make_response(redirect(url_for("status.page")))
    else:
        response = jsonify({"name": "Statusapp", "version": __version__, "links": _links()})
    response.vary.add("Accept")
    return response


@blueprint.get("/health/status-page/")
def page() -> ResponseReturnValue:
    """The status page."""
    found = _load_page()
    data = page_as_data(found)
    html = render_template(
        "status/page.html",
        data=data,
        page=found,
        now=found.now,
        wording=wording,
        strip_paths=strip_paths,
        strip_view=strip_view,
        past=past_days(found.events, data),
        as_html=as_html,
        listed=listed,
        moment_of=datetime.fromisoformat,
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/health/status-page-api/")
def page_data() -> ResponseReturnValue:
    """The status page as JSON."""
    return _revalidated(page_as_data(_load_page()))


@blueprint.get("/health/status-page/services/<int:endpoint_id>/")
def service(endpoint_id: int) -> ResponseReturnValue:
    """The page of one service: charts over a span, and how its uptime comes about."""
    now, weight = utcnow(), _partial_weight()
    found = find_public_service(endpoint_id, now)
    span = request.args.get("span", "24h")
    if found is None or span not in SPANS:
        abort(404)
    uptimes = load_uptimes(endpoint_id, now, weight)
    explained = explain_uptime(endpoint_id, uptimes[span].start, uptimes[span].end, weight)
    html = render_template(
        "status/service.html",
        service=found,
        status_text=STATUS_LABELS[found.status],
        title=load_page_settings().title,
        now=now,
        span=span,
        spans=spans_of(uptimes),
        charts=charts_of(load_series(endpoint_id, span, now, weight), is_timed=found.is_timed),
        intervals=intervals_of(explained),
        formula=formula_of(explained),
        wording=wording,
        chart_js=chart_script(),
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/health/api/overview/")
def overview() -> ResponseReturnValue:
    """Which services there are and how they do."""
    return _revalidated(overview_as_data(_load_page(with_days=False)))


def _load_page(*, with_days: bool = True) -> StatusPage:
    return load_status_page(utcnow(), _partial_weight(), with_days=with_days)


def _partial_weight() -> float:
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    return weight


def _revalidated(data: dict[str, Any]) -> Response:
    """JSON that may be kept but is asked for again each time; 304 while it is the same."""
    response = jsonify(data)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def _links() -> dict[str, str]:
    return {
        "status_page": url_for("status.page"),
        "status_page_data": url_for("status.page_data"),
        "overview": url_for("status.overview"),
        "health": url_for("health.health"),
        "admin": url_for("admin.index"),
    }
