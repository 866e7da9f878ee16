"""Checks on demand: asked for, followed, waited for."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields

from statusapp.clock import utcnow
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import db
from statusapp.queries.api_runs import CheckRun, get_check_run
from statusapp.services.endpoints import request_checks
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import members
from statusapp.web.api.schemas_fields import Known, Seconds, Whole
from statusapp.web.wording import iso

LONGEST_WAIT_S = 30
LOOK_EVERY_S = 0.1


class RunQuery(Known):
    """Which services are to be checked, all of them without a word, and how long the answer may wait for the end."""

    endpoint = Whole(1, metadata={"description": "The id of a service; all that are not paused without it."})
    wait = Seconds(1, LONGEST_WAIT_S, load_default=0, metadata={"description": "How many seconds to wait for the end."})


class Run(Schema):
    """Checks that somebody asked for, and how far they are."""

    id = fields.Integer(required=True, metadata={"description": "Their slot, in microseconds."})
    requested_at = fields.DateTime(required=True)
    done = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    is_finished = fields.Boolean(required=True)


@members.route("/run-health-checks/", methods=["POST"])
@members.arguments(RunQuery, location="query")
@members.response(202, Run)
@members.alt_response(200, schema=Run, description="All of them were made while the answer waited.")
def run_health_checks(given: dict[str, Any]) -> Response:
    """Have services checked now. Follow the checks at the address in Location, or wait for them."""
    now = utcnow()
    asked = request_checks([given["endpoint"]] if "endpoint" in given else None, now, actor=caller().actor)
    if not asked:
        raise NotFound("There is no such service that is being monitored.")
    slot = to_us(now)
    found = _wait(slot, given["wait"])
    response = answer(_as_data(found))
    response.status_code = 200 if found.is_finished else 202
    response.headers["Location"] = url_for("api_resources.show_run", slot=slot)
    return response


@members.route("/run-health-checks/<int(max=9223372036854775807):slot>/")
@members.response(200, Run)
def show_run(slot: int) -> Response:
    """How far checks are that somebody asked for."""
    return answer(_as_data(get_check_run(slot)))


def _wait(slot: int, longest_s: float) -> CheckRun:
    """How far they are, at the end or when it has been waited long enough."""
    until = time.monotonic() + longest_s
    while not (found := get_check_run(slot)).is_finished and time.monotonic() < until:
        # What the workers write meanwhile is seen by a transaction that begins after it.
        db.session.rollback()
        time.sleep(LOOK_EVERY_S)
    return found


def _as_data(run: CheckRun) -> dict[str, Any]:
    return {
        "id": run.slot,
        "requested_at": iso(from_us(run.slot)),
        "done": run.done,
        "waiting": run.waiting,
        "is_finished": run.is_finished,
    }
