"""One figure for a span, of one public service or of all of them together: what badges show."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from statusapp.domain.blocks import HOUR_S, ceil_to, cover
from statusapp.domain.instants import to_us
from statusapp.domain.strips import days_percent
from statusapp.domain.uptime import summed, uptime_percent
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import LatencyRollup, ServiceEndpoint
from statusapp.queries.latency import load_latency
from statusapp.queries.uptime import SPAN_DAYS, load_rolling, load_strips, load_uptimes
from statusapp.queries.watermarks import LATENCY, complete_until

FIGURE_SPANS = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}


def load_service_uptime(endpoint_id: int, span: str, now: datetime, partial_weight: float) -> float | None:
    """The uptime of one service in percent over one of `FIGURE_SPANS`; None where nothing is known."""
    return load_uptimes(endpoint_id, now, partial_weight)[span].percent


def load_overall_uptime(span: str, now: datetime, partial_weight: float) -> float | None:
    """The share of the time of all public services together that they were up, in percent."""
    ids = db.session.scalars(select(ServiceEndpoint.id).where(ServiceEndpoint.is_enabled, ServiceEndpoint.is_public))
    if span not in SPAN_DAYS:
        rolling = load_rolling(now)
        return uptime_percent(summed(rolling.get(key, {}) for key in ids), partial_weight)
    strips = load_strips(now)
    days = [day for key in ids for day in strips.of_service(key)[-SPAN_DAYS[span] :]]
    return days_percent(days, partial_weight)


def load_service_response(endpoint_id: int, span: str, now: datetime) -> float | None:
    """The mean response time of one service over one of `FIGURE_SPANS`, in microseconds."""
    return load_latency(endpoint_id, now - FIGURE_SPANS[span], now).mean_us


def load_overall_response(span: str, now: datetime) -> float | None:
    """The mean response time of all public services, in microseconds; from sums alone, so up to five minutes old."""
    until, _ = complete_until(LATENCY)
    rollup, endpoint = LatencyRollup, ServiceEndpoint
    # Not a join: through the list each service's blocks are found by their key.
    ids = select(endpoint.id).where(endpoint.is_enabled, endpoint.is_public, endpoint.url != HEARTBEAT)
    sum_us = answered = 0
    first = ceil_to(to_us(now - FIGURE_SPANS[span]), HOUR_S)
    for tile in cover(first, ceil_to(to_us(now), HOUR_S), until):
        found = db.session.execute(
            select(func.sum(rollup.sum_us), func.sum(rollup.count - rollup.failures)).where(
                rollup.endpoint_id.in_(ids),
                # What is not final yet is in the hours as far as it is known.
                rollup.step_s == (tile.step_s or HOUR_S),
                rollup.start >= tile.start,
                rollup.start < tile.end,
            )
        ).one()
        # PostgreSQL sums whole numbers as decimals.
        sum_us, answered = sum_us + int(found[0] or 0), answered + int(found[1] or 0)
    return sum_us / answered if answered else None
