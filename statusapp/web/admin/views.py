"""The overview, and checks by hand."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.queries.health import list_tasks
from statusapp.queries.operator import list_services
from statusapp.services.endpoints import request_checks
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.rendering import render_admin
from statusapp.web.signed_in import actor


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Where every service and every periodic task stands, and why."""
    now = utcnow()
    return render_admin("admin/index.html", services=list_services(now), tasks=list_tasks(), now=now)


@blueprint.get("/health/")
def contents() -> ResponseReturnValue:
    """What there is to look at and to change."""
    return render_admin("admin/contents.html")


@blueprint.post("/checks")
def check_all() -> ResponseReturnValue:
    """Have every service that is not paused checked now."""
    return _asked(request_checks(None, utcnow(), actor=actor()))


@blueprint.post("/endpoints/<int(max=2147483647):endpoint_id>/checks")
def check_one(endpoint_id: int) -> ResponseReturnValue:
    """Have one service checked now."""
    return _asked(request_checks([endpoint_id], utcnow(), actor=actor()))


def _asked(count: int) -> ResponseReturnValue:
    if count:
        noun = "service is" if count == 1 else "services are"
        flash(f"{count} {noun} being checked. The results are here in a few seconds.")
    else:
        flash("Nothing was checked: a paused service has to be resumed first.")
    return redirect(url_for("admin.index"))
