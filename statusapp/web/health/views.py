"""Health views: the report, and the two short answers that orchestrators ask for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from statusapp import __version__
from statusapp.clock import utcnow
from statusapp.domain.monitor import Finding, Verdict, judge_health
from statusapp.queries.health import is_migrated, load_monitor_facts
from statusapp.web import wording

CONTENT_TYPE = "application/health+json"
STARTED_AT = "STARTED_AT"

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.record
def _remember_start(state: BlueprintSetupState) -> None:
    """The start grace counts from when this process made its application."""
    state.app.config[STARTED_AT] = utcnow()


@blueprint.get("/")
def health() -> ResponseReturnValue:
    """How the monitor does, in the shape of health+json; 503 only when it cannot do its work."""
    settings = current_app.config["SETTINGS"]
    started_at: datetime = current_app.config[STARTED_AT]
    facts = load_monitor_facts(started_at, timedelta(seconds=settings.check_window))
    now = utcnow()
    verdict = judge_health(facts, now)
    response = jsonify(_report(verdict, now))
    response.status_code = 200 if verdict.is_usable else 503
    return _as_health(response)


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """This process answers. Touches nothing, because a restart would mend nothing else."""
    return _as_health(jsonify({"status": "pass"}))


@blueprint.get("/ready")
def ready() -> ResponseReturnValue:
    """Whether requests can be served: the database answers and is at the revision this code needs."""
    is_ready = is_migrated(current_app.extensions["migrate"].directory)
    response = jsonify({"status": "pass" if is_ready else "fail"})
    response.status_code = 200 if is_ready else 503
    return _as_health(response)


def _as_health(response: Response) -> Response:
    response.content_type = CONTENT_TYPE
    response.headers["Cache-Control"] = "no-store"
    return response


def _report(verdict: Verdict, now: datetime) -> dict[str, Any]:
    checks: dict[str, list[dict[str, Any]]] = {}
    for finding in verdict.findings:
        checks.setdefault(finding.name, []).append(_finding(finding, now))
    return {
        "status": verdict.level,
        "version": __version__,
        "serviceId": "statusapp",
        "description": "Health of the monitor itself",
        "checks": checks,
    }


def _finding(finding: Finding, now: datetime) -> dict[str, Any]:
    told = {
        "componentId": finding.component,
        "status": finding.level,
        "observedValue": finding.value,
        "observedUnit": None if finding.value is None else finding.unit,
        "output": finding.output,
        "time": wording.iso(now),
        **dict(finding.details),
    }
    return {name: value for name, value in told.items() if value is not None}
