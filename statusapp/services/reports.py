"""Daily reports: one day of the page's zone, kept as data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import func, select

from statusapp.database import write_transaction
from statusapp.domain.blocks import HOUR_S
from statusapp.domain.enums import Status
from statusapp.domain.instants import SECOND
from statusapp.domain.uptime import Spent, day_start, time_per_status, uptime_percent
from statusapp.extensions import db
from statusapp.models import DailyReport, LatencyRollup, ServiceEndpoint
from statusapp.queries.ledger import load_ledger
from statusapp.services.page import page_zone

CATCH_UP_DAYS = 31


def generate_reports(now: datetime) -> str:
    """Write the report of yesterday, and of days before it that were missed."""
    zone = page_zone()
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    first_made = db.session.scalar(select(func.min(ServiceEndpoint.created_at)))
    if first_made is None:
        return "nothing is monitored, so there is nothing to report"
    first = max(first_made.astimezone(zone).date(), yesterday - timedelta(days=CATCH_UP_DAYS - 1))
    days = [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]
    written = set(db.session.scalars(select(DailyReport.day).where(DailyReport.day >= first)))
    missing = [day for day in days if day not in written]
    for day in missing:
        data = compile_report(day, zone, current_app.config["SETTINGS"].partial_outage_weight)
        with write_transaction(db.session) as session:
            session.merge(DailyReport(day=day, created_at=now, data=data))
    return "wrote " + ", ".join(day.isoformat() for day in missing) if missing else "nothing to write"


def compile_report(day: date, zone: ZoneInfo, partial_weight: float) -> dict[str, Any]:
    """What is to say of one day: each service's uptime and downtime, its checks and its response time."""
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    ledger = load_ledger(start, end)
    sums = {
        row.endpoint_id: row
        for row in db.session.execute(
            select(
                LatencyRollup.endpoint_id,
                func.sum(LatencyRollup.count).label("checks"),
                func.sum(LatencyRollup.failures).label("failures"),
                func.sum(LatencyRollup.sum_us).label("sum_us"),
            )
            .where(LatencyRollup.step_s == HOUR_S, LatencyRollup.start >= start, LatencyRollup.start < end)
            .group_by(LatencyRollup.endpoint_id)
        )
    }
    names = db.session.execute(select(ServiceEndpoint.id, ServiceEndpoint.name).order_by(ServiceEndpoint.position))
    services = [
        _service(name, time_per_status(ledger.get(endpoint_id, []), start, end), sums.get(endpoint_id), partial_weight)
        for endpoint_id, name in names
    ]
    return {"day": day.isoformat(), "time_zone": zone.key, "services": services}


def _service(name: str, spent: Spent, sums: Any, partial_weight: float) -> dict[str, Any]:
    good = int(sums.checks - sums.failures) if sums else 0
    return {
        "name": name,
        "uptime_percent": uptime_percent(spent, partial_weight),
        "downtime_s": spent.get(Status.MAJOR_OUTAGE, 0) / SECOND,
        "checks": int(sums.checks) if sums else 0,
        "failures": int(sums.failures) if sums else 0,
        "mean_response_s": int(sums.sum_us) / good / SECOND if good else None,
    }
