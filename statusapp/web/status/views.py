"""The public views."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from statusapp import __version__
from statusapp.clock import utcnow
from statusapp.queries.status_page import StatusPage, load_status_page
from statusapp.web import wording
from statusapp.web.negotiation import prefers_html
from statusapp.web.status.day_strips import strip_paths, strip_view
from statusapp.web.status.presenting import overview_as_data, page_as_data

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
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/health/status-page-api/")
def page_data() -> ResponseReturnValue:
    """The status page as JSON."""
    return _revalidated(page_as_data(_load_page()))


@blueprint.get("/health/api/overview/")
def overview() -> ResponseReturnValue:
    """Which services there are and how they do."""
    return _revalidated(overview_as_data(_load_page(with_days=False)))


def _load_page(*, with_days: bool = True) -> StatusPage:
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    return load_status_page(utcnow(), weight, with_days=with_days)


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
