"""Daily reports in a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from statusapp.domain.errors import InvalidInput
from statusapp.extensions import db
from statusapp.models import DailyReport
from statusapp.queries.paging import Key, Order, Page, Wanted, cut_page

ORDERS = {"day": Order((DailyReport.day,), (str,))}


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A report, without what it says: that may be long."""

    day: date
    created_at: datetime


def page_of_reports(wanted: Wanted, _now: datetime) -> Page[ReportItem]:
    """Reports by their days: one statement.

    Raises:
        InvalidInput: when the key is no day.
    """
    day = DailyReport.day
    forward = wanted.descending == wanted.backward
    statement = select(day, DailyReport.created_at).order_by(day.asc() if forward else day.desc())
    if wanted.key is not None:
        try:
            beside = date.fromisoformat(str(wanted.key[0]))
        except ValueError:
            raise InvalidInput("after", "There is no such day in this list; begin with the first page.") from None
        statement = statement.where(day > beside if forward else day < beside)
    rows = db.session.execute(statement.limit(wanted.limit + 1))
    found: list[tuple[ReportItem, Key]] = [(ReportItem(*row), (row.day.isoformat(),)) for row in rows]
    return cut_page(found, wanted)
