"""The views for operators; all of them stand behind the staff guard."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from statusapp.clock import utcnow
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.health import list_tasks
from statusapp.queries.operator import list_services
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
