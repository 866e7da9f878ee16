"""Checks on demand, for programs of staff."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.services.endpoints import request_checks
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.api.schemas_accounts import Requested
from statusapp.web.signed_in import actor

blueprint = ApiBlueprint("api_checks", __name__, url_prefix="/api/v1/endpoints")


@blueprint.post("/checks/")
@blueprint.response(202, Requested)
def check_all() -> ResponseReturnValue:
    """Have every endpoint that is not paused checked now."""
    return jsonify({"requested": request_checks(None, utcnow(), actor=actor())}), 202


@blueprint.post("/<int(max=2147483647):endpoint_id>/checks/")
@blueprint.response(202, Requested)
def check_one(endpoint_id: int) -> ResponseReturnValue:
    """Have one endpoint checked now."""
    requested = request_checks([endpoint_id], utcnow(), actor=actor())
    if not requested:
        return jsonify({"error": {"message": "There is no endpoint with this id that is being monitored."}}), 404
    return jsonify({"requested": requested}), 202
