"""Daily reports: one day of the page's zone, kept as data and sent to the channels that want it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import JSON, Date, bindparam, func, select, text

from statusapp.database import write_transaction
from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import Severity, Transition
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import to_us
from statusapp.domain.report_texts import title
from statusapp.domain.uptime import day_start, days_between
from statusapp.extensions import db
from statusapp.models import DailyReport, ServiceEndpoint
from statusapp.models.types import UtcDateTime
from statusapp.queries.report_facts import find_report
from statusapp.queries.watermarks import LATENCY, complete_until
from statusapp.services import outbox, rollups
from statusapp.services.outbox import Told
from statusapp.services.page import page_zone
from statusapp.services.report_data import compile_report

CATCH_UP_DAYS = 31
# What happened longer ago than this is written down for the record and not sent: it is no news any more.
SENT_DAYS = 2

_KEEP = text("""
INSERT INTO daily_report (day, created_at, data) VALUES (:day, :created_at, :data) ON CONFLICT (day) DO NOTHING
""").bindparams(bindparam("day", type_=Date), bindparam("created_at", type_=UtcDateTime), bindparam("data", type_=JSON))


@dataclass(frozen=True, slots=True)
class FoundReport:
    """The report of a day; `is_stored` is one that was written at the end of it and no more changes."""

    data: dict[str, Any]
    is_stored: bool


def generate_reports(now: datetime) -> str:
    """Write the report of yesterday, and of days before it that were missed; send those that are news."""
    zone = page_zone()
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    first_made = db.session.scalar(select(func.min(ServiceEndpoint.created_at)))
    if first_made is None:
        return "nothing is monitored, so there is nothing to report"
    first = max(first_made.astimezone(zone).date(), yesterday - timedelta(days=CATCH_UP_DAYS - 1))
    written = set(db.session.scalars(select(DailyReport.day).where(DailyReport.day >= first)))
    missing = [day for day in days_between(first, yesterday) if day not in written]
    if missing:
        _complete_sums(day_start(yesterday + timedelta(days=1), zone), now)
    kept, queued = [], 0
    for day in missing:
        data = _compile(day, zone, now)
        messages = _keep(day, data, now, is_news=(yesterday - day).days < SENT_DAYS)
        if messages is not None:
            kept.append(day.isoformat())
            queued += messages
    return f"wrote {', '.join(kept)}, {queued} messages" if kept else "nothing to write"


def show_report(day: date, now: datetime) -> FoundReport:
    """The report of a day: as it was written, or else made now, of today so far.

    Raises:
        InvalidInput: when the day has not begun, or was over before there was anything to monitor.
    """
    zone = page_zone()
    today = now.astimezone(zone).date()
    if day > today:
        raise InvalidInput("date", f"{day} has not begun yet; today is {today} in {zone.key}.")
    stored = find_report(day)
    if stored is not None:
        return FoundReport(stored, is_stored=True)
    first_made = db.session.scalar(select(func.min(ServiceEndpoint.created_at)))
    if first_made is None:
        raise InvalidInput("date", "Nothing is monitored yet, so there is nothing to report.")
    first = first_made.astimezone(zone).date()
    if day < first:
        raise InvalidInput("date", f"Nothing was monitored on {day}; there are reports from {first} on.")
    return FoundReport(_compile(day, zone, now), is_stored=False)


def day_for(given: str | None, now: datetime) -> date:
    """The day that somebody asks for by YYYY-MM-DD, `today` or `yesterday`; yesterday unless they say.

    Raises:
        InvalidInput: when it is none.
    """
    today = now.astimezone(page_zone()).date()
    if given in (None, "yesterday"):
        return today - timedelta(days=1)
    if given == "today":
        return today
    try:
        return datetime.strptime(given or "", "%Y-%m-%d").date()  # noqa: DTZ007  (a day has no zone)
    except ValueError:
        raise InvalidInput("date", f"{given!r} is no day; write it as in {today}, or today or yesterday.") from None


def _compile(day: date, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    return compile_report(day, zone, current_app.config["SETTINGS"].partial_outage_weight, now)


def _keep(day: date, data: dict[str, Any], now: datetime, *, is_news: bool) -> int | None:
    """Store a report and queue its messages, both or neither; how many those are, or None when it was there already.

    The messages hold the day alone: what they say is read from the report, which never changes.
    """
    with write_transaction(db.session) as session:
        connection = session.connection()
        stored = connection.execute(_KEEP, {"day": day, "created_at": now, "data": data}).rowcount
        if not stored:
            return None
        if not is_news:
            return 0
        heading = title(data)
        content = {"name": heading, "title": heading, "day": day.isoformat()}
        told = Told(None, (), Transition.REPORT, Severity.INFO, f"report-{day.isoformat()}", content)
        return outbox.queue(connection, [told], to_us(now))


def _complete_sums(end: int, now: datetime) -> None:
    """Sum up what has not been yet: after a night without workers this task may be the first to run."""
    until, _ = complete_until(LATENCY)
    if until < floor_to(end, HOUR_S):
        rollups.roll_up_checks(now)
