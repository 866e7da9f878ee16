"""How far the sums have come."""

from __future__ import annotations

from sqlalchemy import select

from statusapp.extensions import db
from statusapp.models import Watermark

# The names of the sums.
LATENCY = "latency"
UPTIME = "uptime"
REQUESTS = "requests"
METRICS = "metrics"


def complete_until(name: str) -> tuple[int, str | None]:
    """Up to which instant sums are complete, in microseconds, and what they depend on; 0 before there are any."""
    row = db.session.execute(
        select(Watermark.until, Watermark.pulled_to, Watermark.basis).where(Watermark.name == name)
    ).first()
    if row is None:
        return 0, None
    return (row.until if row.pulled_to is None else min(row.until, row.pulled_to)), row.basis
