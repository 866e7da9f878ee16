"""The blueprints of the dashboard: what everybody may look at who can sign in, and what only staff may do there."""

from __future__ import annotations

from flask import Blueprint, Response

from statusapp.domain.errors import NotFound
from statusapp.web.errors import error_answer

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")
actions_blueprint = Blueprint("dashboard_actions", __name__, url_prefix="/dashboard")


@blueprint.errorhandler(NotFound)
def answer_not_found(error: NotFound) -> Response:
    """What is asked for is not there, or not any more."""
    return error_answer(404, error.message)
