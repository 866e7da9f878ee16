"""What tests of daily reports share: the night of one, and its data."""

from __future__ import annotations

from datetime import date
from typing import Any

from statusapp.database import write_transaction
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import DailyReport, StatusPageSettings
from statusapp.services.channels import ChannelDraft, add_channel
from tests.world import MINUTE, T0

HOUR = 60 * MINUTE
DAY = 24 * HOUR
MIDNIGHT = T0 // DAY * DAY  # The first instant of 2026-11-24.
THE_DAY = date(2026, 11, 24)
NIGHT = from_us(MIDNIGHT + DAY + 30 * MINUTE)


def report_of(day: date = THE_DAY) -> dict[str, Any]:
    """The stored report of a day."""
    db.session.expire_all()
    data: dict[str, Any] = db.session.get_one(DailyReport, day).data
    return data


def set_zone(name: str) -> None:
    """Give the page a time zone."""
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, time_zone=name))


def channel(name: str, url: str = "http://127.0.0.1:1/", *, sends_reports: bool = True) -> int:
    """A channel that gets reports."""
    draft = ChannelDraft(name, "webhook", {"url": url, "secret": "x" * 16}, sends_reports=sends_reports)
    return add_channel(draft, from_us(T0))
