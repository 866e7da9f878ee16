"""What there is in the admin area, and having everything checked."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.services.endpoints import request_checks
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.rendering import render_admin
from statusapp.web.signed_in import actor


@blueprint.get("/")
@blueprint.get("/health/")
def index() -> ResponseReturnValue:
    """What there is to look at and to change."""
    return render_admin("admin/index.html")


@blueprint.post("/health/serviceendpoint/run")
def check_all() -> ResponseReturnValue:
    """Have every service that is not paused checked now."""
    count = request_checks(None, utcnow(), actor=actor())
    if count:
        noun = "service is" if count == 1 else "services are"
        flash(f"{count} {noun} being checked. The results are here in a few seconds.")
    else:
        flash("Nothing was checked: a paused service has to be resumed first.")
    return redirect(url_for("admin.list_endpoints"))
