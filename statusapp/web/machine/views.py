"""The public views for machines."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.queries.page_settings import load_page_settings
from statusapp.queries.public_figures import FIGURE_SPANS
from statusapp.queries.public_history import load_dates, load_public_work, load_recent_incidents
from statusapp.queries.status_page import load_status_page
from statusapp.web.errors import error_answer
from statusapp.web.machine import feeds
from statusapp.web.machine.answers import kept, open_to_every_site
from statusapp.web.machine.badge_drawing import draw_badge
from statusapp.web.machine.badges import BADGES, LONGEST_LABEL, Asked
from statusapp.web.machine.statuspage import Snapshot, components_part, page_part, status_part
from statusapp.web.machine.statuspage_events import IN_PROGRESS, SCHEDULED, incidents_part, maintenance_part
from statusapp.web.machine.texts import one_line
from statusapp.web.status.views import partial_weight

blueprint = Blueprint("machine", __name__)
blueprint.after_request(open_to_every_site)

BADGE = "<any(status, uptime, 'response-time'):kind>.<any(svg, json):form>"


@blueprint.get("/api/v2/summary.json")
@blueprint.get("/api/v2/summary")
def summary() -> ResponseReturnValue:
    """The page, its components, what is open and what is planned."""
    found = _snapshot()
    return _with_page(
        found,
        components=components_part(found),
        incidents=incidents_part(found, only_open=True),
        scheduled_maintenances=maintenance_part(found, SCHEDULED, IN_PROGRESS),
        status=status_part(found.page),
    )


@blueprint.get("/api/v2/status.json")
@blueprint.get("/api/v2/status")
def status() -> ResponseReturnValue:
    """How things are altogether."""
    found = _snapshot()
    return _with_page(found, status=status_part(found.page))


@blueprint.get("/api/v2/components.json")
@blueprint.get("/api/v2/components")
def components() -> ResponseReturnValue:
    """The services and their headings."""
    found = _snapshot()
    return _with_page(found, components=components_part(found))


@blueprint.get("/api/v2/incidents.json")
@blueprint.get("/api/v2/incidents")
def incidents() -> ResponseReturnValue:
    """The newest incidents."""
    found = _snapshot()
    return _with_page(found, incidents=incidents_part(found))


@blueprint.get("/api/v2/incidents/unresolved.json")
@blueprint.get("/api/v2/incidents/unresolved")
def unresolved_incidents() -> ResponseReturnValue:
    """The open incidents."""
    found = _snapshot()
    return _with_page(found, incidents=incidents_part(found, only_open=True))


@blueprint.get("/api/v2/scheduled-maintenances.json")
@blueprint.get("/api/v2/scheduled-maintenances")
def maintenances() -> ResponseReturnValue:
    """The newest maintenance, past and planned."""
    found = _snapshot()
    return _with_page(found, scheduled_maintenances=maintenance_part(found))


@blueprint.get("/api/v2/scheduled-maintenances/upcoming.json")
@blueprint.get("/api/v2/scheduled-maintenances/upcoming")
def upcoming_maintenances() -> ResponseReturnValue:
    """The maintenance that is still to begin."""
    found = _snapshot()
    return _with_page(found, scheduled_maintenances=maintenance_part(found, SCHEDULED))


@blueprint.get("/api/v2/scheduled-maintenances/active.json")
@blueprint.get("/api/v2/scheduled-maintenances/active")
def active_maintenances() -> ResponseReturnValue:
    """The maintenance that goes on."""
    found = _snapshot()
    return _with_page(found, scheduled_maintenances=maintenance_part(found, IN_PROGRESS))


@blueprint.get("/health/status-page/feed.atom")
def atom_feed() -> ResponseReturnValue:
    """The incidents as Atom."""
    story = _story()
    return kept(Response(feeds.atom(story), content_type=feeds.ATOM_TYPE), story.changed_at)


@blueprint.get("/health/status-page/feed.rss")
def rss_feed() -> ResponseReturnValue:
    """The incidents as RSS."""
    story = _story()
    return kept(Response(feeds.rss(story), content_type=feeds.RSS_TYPE), story.changed_at)


@blueprint.get("/health/status-page/maintenance.ics")
def calendar() -> ResponseReturnValue:
    """The maintenance as a calendar."""
    # The library takes a sixth of a second to import, and commands import this module too.
    from statusapp.web.machine.calendar import maintenance_calendar

    written = maintenance_calendar(load_page_settings(), load_public_work(utcnow()))
    return kept(Response(written, content_type="text/calendar; charset=utf-8"))


@blueprint.get(f"/badges/{BADGE}")
@blueprint.get(f"/badges/services/<int:endpoint_id>/{BADGE}")
def badge(kind: str, form: str, endpoint_id: int | None = None) -> ResponseReturnValue:
    """A figure as an image, or as JSON for shields.io."""
    span, label = request.args.get("span", "24h"), one_line(request.args.get("label", ""))
    if span not in FIGURE_SPANS:
        return error_answer(400, f"The span must be one of {', '.join(FIGURE_SPANS)}.")
    if len(label) > LONGEST_LABEL:
        return error_answer(400, f"The label can have {LONGEST_LABEL} characters; this one has {len(label)}.")
    found = BADGES[kind](Asked(endpoint_id, span, utcnow(), partial_weight()))
    if found is None:
        abort(404)
    label = label or found.label
    if form == "svg":
        return kept(Response(draw_badge(label, found.message, found.color), content_type="image/svg+xml"))
    return kept(jsonify({"schemaVersion": 1, "label": label, "message": found.message, "color": found.color}))


def _snapshot() -> Snapshot:
    now = utcnow()
    page = load_status_page(now, partial_weight(), with_days=False)
    told = load_recent_incidents() if page.settings.shows_incidents else []
    return Snapshot(page, load_dates(), told, load_public_work(now))


def _with_page(snapshot: Snapshot, **parts: Any) -> Response:
    return kept(jsonify({"page": page_part(snapshot), **parts}))


def _story() -> feeds.Story:
    settings = load_page_settings()
    return feeds.Story(settings, load_recent_incidents() if settings.shows_incidents else [])
