"""The daily reports that were written, without their content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, cast, select

from statusapp.models import DailyReport
from statusapp.queries.paging import Order, Page, Wanted, load_page

# A day as its text, which sorts alike and can stand in an address.
ORDERS = {"day": Order((cast(DailyReport.day, String),), (str,))}


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A report without its content."""

    day: date
    created_at: datetime


def page_of_reports(wanted: Wanted) -> Page[ReportItem]:
    """Reports: one statement."""
    statement: Any = select(DailyReport.day, DailyReport.created_at)
    return load_page(statement, ORDERS, wanted, lambda row: ReportItem(row.day, row.created_at))
