"""Checks on demand, for programs of staff."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.services.endpoints import request_checks

blueprint = Blueprint("api_checks", __name__, url_prefix="/api/v1/endpoints")


@blueprint.post("/checks/")
def check_all() -> ResponseReturnValue:
    """Have every endpoint that is not paused checked now."""
    return jsonify({"requested": request_checks(None, utcnow())}), 202


@blueprint.post("/<int:endpoint_id>/checks/")
def check_one(endpoint_id: int) -> ResponseReturnValue:
    """Have one endpoint checked now."""
    requested = request_checks([endpoint_id], utcnow())
    if not requested:
        return jsonify({"error": {"message": "There is no endpoint with this id that is being monitored."}}), 404
    return jsonify({"requested": requested}), 202
