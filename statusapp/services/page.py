"""The settings of the status page."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select

from statusapp.extensions import db
from statusapp.models import StatusPageSettings


def page_zone() -> ZoneInfo:
    """The time zone in which days are cut and times are shown."""
    name = db.session.scalar(select(StatusPageSettings.time_zone))
    return ZoneInfo(name or "UTC")
