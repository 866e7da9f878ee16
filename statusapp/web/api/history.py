"""What was: checks, series, the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, current_app
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND
from statusapp.queries.admin_checks import ORDERS, get_check, page_of_checks
from statusapp.queries.ledger import explain_uptime
from statusapp.queries.series import SPANS, load_series
from statusapp.services.endpoint_edits import load_endpoint
from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import members
from statusapp.web.api.endpoints import ENDPOINT
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.problems import invalid
from statusapp.web.api.schemas_endpoints import CheckFile, CheckItem, Ledger, Series
from statusapp.web.api.schemas_fields import Instant, Known, Whole, Word, one_of
from statusapp.web.wording import iso

CHECKS = listing(
    "Check",
    ORDERS,
    "-time",
    CheckItem,
    {
        "endpoint": Whole(1, metadata={"description": "The id of a service."}),
        "outcome": Word(Outcome),
        "since": Instant(),
        "until": Instant(),
    },
)
LONGEST_LEDGER = timedelta(days=3660)


class SeriesQuery(Known):
    """Which span is wanted."""

    span = fields.String(validate=one_of(SPANS), load_default="24h")


class LedgerQuery(Known):
    """From when to when; the last thirty days without a word."""

    since = Instant()
    until = Instant()


@members.route("/checks/")
@members.arguments(CHECKS.query, location="query")
@members.response(200, CHECKS.answer)
def list_checks(given: dict[str, Any]) -> Response:
    """Single checks, the newest first."""
    if "endpoint" in given:
        given["service"] = given.pop("endpoint")
    return answer_page(CHECKS, page_of_checks(wanted_of(CHECKS, given), utcnow()))


@members.route("/checks/<int(max=2147483647):endpoint_id>/<int(max=9223372036854775807):slot>/")
@members.response(200, CheckFile)
def show_check(endpoint_id: int, slot: int) -> Response:
    """One check, by its service and its slot in microseconds."""
    return answer(CheckFile().dump(get_check(endpoint_id, slot)))


@members.route(f"{ENDPOINT}series/")
@members.arguments(SeriesQuery, location="query")
@members.response(200, Series)
def show_series(given: dict[str, Any], endpoint_id: int) -> Response:
    """Uptime, latency and error rate of a service over a span, at most 300 points."""
    load_endpoint(endpoint_id)
    series = load_series(endpoint_id, given["span"], utcnow(), _partial_weight())
    columns = zip(
        series.starts,
        series.count,
        series.mean_us,
        series.p50_us,
        series.p95_us,
        series.error_percent,
        series.uptime_percent,
        strict=True,
    )
    points = [
        {
            "start": iso(start),
            "checks": count,
            "mean_seconds": _seconds(mean),
            "p50_seconds": _seconds(p50),
            "p95_seconds": _seconds(p95),
            "error_percent": errors,
            "uptime_percent": uptime,
        }
        for start, count, mean, p50, p95, errors, uptime in columns
    ]
    return answer({"span": given["span"], "step_seconds": series.step_s, "points": points})


@members.route(f"{ENDPOINT}ledger/")
@members.arguments(LedgerQuery, location="query")
@members.response(200, Ledger)
def show_ledger(given: dict[str, Any], endpoint_id: int) -> Response:
    """How the uptime of a service over a span comes about, interval by interval."""
    load_endpoint(endpoint_id)
    until = given.get("until") or utcnow()
    since = given.get("since") or until - timedelta(days=30)
    if not timedelta() < until - since <= LONGEST_LEDGER:
        raise invalid("until", "Choose an end after the beginning, at most ten years later.")
    found = explain_uptime(endpoint_id, since, min(until, utcnow()), _partial_weight())
    data = Ledger(exclude=["seconds"]).dump(found)
    data["seconds"] = {status.word: seconds for status, seconds in found.seconds.items()}
    return answer(data)


def _partial_weight() -> float:
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    return weight


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / SECOND
