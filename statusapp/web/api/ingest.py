"""Where host applications report their requests."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from statusapp.services.ingest import CannotTake, take_batch
from statusapp.web.api.blueprints import ApiBlueprint
from statusapp.web.api.schemas_accounts import Taken

blueprint = ApiBlueprint("ingest", __name__, url_prefix="/health/api/ingest")

RETRY_AFTER_S = 5


@blueprint.post("/requests")
@blueprint.doc(requestBody={"content": {"application/octet-stream": {"schema": {"type": "string"}}}})
@blueprint.response(202, Taken)
def requests() -> ResponseReturnValue:
    """Take a batch of requests. What it may hold is in docs/requests.md."""
    try:
        count = take_batch(request.get_data(cache=False))
    except ValueError as error:
        return jsonify({"error": {"message": f"This is not a batch of requests: {error}."}}), 400
    except CannotTake:
        answer = jsonify({"error": {"message": "Requests cannot be taken now; send the batch again."}})
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer, 503
    return jsonify({"taken": count}), 202
