"""The views for operators; all of them stand behind the staff guard."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from statusapp.clock import utcnow
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.health import list_tasks
from statusapp.queries.operator import list_services
from statusapp.services.endpoints import request_checks
from statusapp.web import wording

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Where every service and every periodic task stands, and why."""
    now = utcnow()
    return render_template(
        "admin/index.html",
        services=list_services(now),
        tasks=list_tasks(),
        now=now,
        account=current_user.account,
        labels=STATUS_LABELS,
        wording=wording,
    )


@blueprint.post("/checks")
def check_all() -> ResponseReturnValue:
    """Have every service that is not paused checked now."""
    return _asked(request_checks(None, utcnow()))


@blueprint.post("/endpoints/<int:endpoint_id>/checks")
def check_one(endpoint_id: int) -> ResponseReturnValue:
    """Have one service checked now."""
    return _asked(request_checks([endpoint_id], utcnow()))


def _asked(count: int) -> ResponseReturnValue:
    if count:
        noun = "service is" if count == 1 else "services are"
        flash(f"{count} {noun} being checked. The results are here in a few seconds.")
    else:
        flash("Nothing was checked: a paused service has to be resumed first.")
    return redirect(url_for("admin.index"))
