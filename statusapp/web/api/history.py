"""What was: checks, series, the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, current_app

from statusapp.clock import utcnow
from statusapp.domain.blocks import DAY_S
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.series_cuts import Kept, SeriesCut, cut_between, cut_span
from statusapp.queries.admin_checks import ORDERS, get_check, page_of_checks
from statusapp.queries.ledger import explain_uptime
from statusapp.queries.step_series import StepPoint, load_step_series
from statusapp.services.endpoint_edits import load_endpoint
from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import members
from statusapp.web.api.endpoints import ENDPOINT
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.problems import invalid
from statusapp.web.api.schemas_endpoints import CheckFile, CheckItem, Ledger, Series
from statusapp.web.api.schemas_fields import Instant, Known, Length, Whole, Word
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
_DAY = DAY_S * SECOND


class SeriesQuery(Known):
    """Which time is wanted, in which steps: the last `span`, up to `until`, or from `since` on."""

    span = Length(metadata={"description": "How long it is: 24h unless told.", "example": "36h"})
    since = Instant()
    until = Instant(metadata={"description": "Its end; now unless told."})
    step = Length(
        metadata={
            "description": "How long each point is, at most a thousand of them. Without it, about three hundred.",
            "example": "1h",
        }
    )


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
    """Uptime, latency and error rate of a service over any span in any step.

    A step is at least the interval of the checks. Where those are not kept any more it is whole hours, and where the
    sums of hours are not, whole days.
    """
    interval_s = load_endpoint(endpoint_id).draft.interval_s
    now = to_us(utcnow())
    cut = _cut(given, interval_s, now)
    points = [_point(point) for point in load_step_series(endpoint_id, cut, now, _partial_weight())]
    ends = {"since": iso(from_us(cut.edges[0])), "until": iso(from_us(cut.edges[-1]))}
    return answer({**ends, "step_seconds": cut.step_s, "points": points}, is_written=False)


def _cut(given: dict[str, Any], interval_s: int, now: int) -> SeriesCut:
    """How what is asked for is cut.

    Raises:
        Problem: when it is asked for twice.
        InvalidInput: when the step does not go with the span.
    """
    if "since" in given and "span" in given:
        raise invalid("span", "Say how long it is or when it begins, not both.")
    settings = current_app.config["SETTINGS"]
    kept = Kept(now - settings.check_retention_days * _DAY, now - settings.hour_retention_days * _DAY)
    end = min(to_us(given["until"]), now) if "until" in given else now
    if "since" in given:
        return cut_between(to_us(given["since"]), end, given.get("step"), interval_s, kept)
    return cut_span(end, given.get("span", DAY_S), given.get("step"), interval_s, kept)


def _point(point: StepPoint) -> dict[str, Any]:
    sums = point.sums
    return {
        "start": iso(from_us(point.start)),
        "checks": sums.count,
        "mean_seconds": _seconds(sums.mean_us),
        "p50_seconds": _seconds(sums.percentile(0.5)),
        "p95_seconds": _seconds(sums.percentile(0.95)),
        "p99_seconds": _seconds(sums.percentile(0.99)),
        "error_percent": sums.error_percent,
        "uptime_percent": point.uptime_percent,
    }


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
