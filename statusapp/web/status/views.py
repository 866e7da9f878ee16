"""The public views: the index, the status page, the same as JSON, and what it is dressed with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp import __version__
from statusapp.clock import utcnow
from statusapp.domain.instants import from_us
from statusapp.queries.page_settings import PageSettings, load_page_settings
from statusapp.queries.performance import hour_edges
from statusapp.queries.status_page import StatusPage, load_status_page
from statusapp.web.negotiation import prefers_html
from statusapp.web.status.chart_data import bands_of, page_charts
from statusapp.web.status.events import past_days
from statusapp.web.status.presenting import overview_as_data, page_as_data
from statusapp.web.status.rendering import Dress, render_public
from statusapp.web.status.themes import logo_file, theme_css, version_of

blueprint = Blueprint("status", __name__)

FOR_EVER = "public, max-age=31536000, immutable"
# An image that is opened by itself is a document of this site, and an SVG may hold scripts.
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


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
    return show_page(_load_page())


def preview_page(settings: PageSettings, dress: Dress) -> Response:
    """The status page as it would be with settings that are not in effect."""
    return show_page(load_status_page(utcnow(), partial_weight(), settings=settings), dress)


def show_page(found: StatusPage, dress: Dress | None = None) -> Response:
    """The status page of what has been loaded."""
    data = page_as_data(found)
    day_start = from_us(hour_edges(found.now)[0])
    works = (*found.events.in_progress, *(work for day in found.events.days for work in day.maintenance))
    return render_public(
        "status/page.html",
        found.settings,
        found.now,
        dress=dress,
        data=data,
        page=found,
        services={service["id"]: service for service in data["services"]},
        past=past_days(found.events, data),
        charts=page_charts(found),
        bands=bands_of(found.events.incidents, works, day_start, found.now),
    )


@blueprint.get("/health/status-page-api/")
def page_data() -> ResponseReturnValue:
    """The status page as JSON."""
    return _kept_json(page_as_data(_load_page()))


@blueprint.get("/health/api/overview/")
def overview() -> ResponseReturnValue:
    """Which services there are and how they do."""
    return _kept_json(overview_as_data(_load_page(with_days=False)))


@blueprint.get("/health/status-page/theme.css")
def theme() -> ResponseReturnValue:
    """The operator's colours."""
    css = theme_css(load_page_settings())
    return _file(css.encode(), "text/css", version_of(css))


@blueprint.get("/health/status-page/logo")
def logo() -> ResponseReturnValue:
    """The operator's logo."""
    uri = load_page_settings().logo
    if not uri:
        abort(404)
    kind, content = logo_file(uri)
    response = _file(content, kind, version_of(uri))
    response.headers["Content-Security-Policy"] = IMAGE_POLICY
    return response


def partial_weight() -> float:
    """What a second of a partial outage costs of the uptime, 0 to 1."""
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    return weight


def _load_page(*, with_days: bool = True) -> StatusPage:
    return load_status_page(utcnow(), partial_weight(), with_days=with_days)


def _kept_json(data: dict[str, Any]) -> Response:
    """JSON that may be kept but is asked for again each time; 304 while it is the same."""
    response = jsonify(data)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.add_etag()
    response.make_conditional(request)
    return response


def _file(content: bytes, kind: str, version: str) -> Response:
    """A file that may be kept for ever at the address that has its version."""
    response = Response(content, mimetype=kind)
    response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == version else "no-cache"
    return response


def _links() -> dict[str, str]:
    return {
        "status_page": url_for("status.page"),
        "status_page_data": url_for("status.page_data"),
        "overview": url_for("status.overview"),
        "health": url_for("health.health"),
        "admin": url_for("admin.index"),
    }
