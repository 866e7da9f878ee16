"""How the status page presents itself, the daily reports, and the one row about the encryption key."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Boolean, CheckConstraint, Date, Integer, String, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import IncidentMode
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, UtcDateTime


class StatusPageSettings(Base):
    """The one row of page settings. `time_zone` is an IANA name; days are cut and times shown in it."""

    __tablename__ = "status_page_settings"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    title: Mapped[str] = mapped_column(String(200), default="Driver App Status")
    description: Mapped[str] = mapped_column(Text, default="Current status of Driver App services")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    refresh_interval_s: Mapped[int] = mapped_column(Integer, default=30)
    # What alerts of each severity do about incidents.
    critical_incidents: Mapped[IncidentMode] = mapped_column(
        EnumCode(IncidentMode), default=IncidentMode.PUBLIC, server_default="2"
    )
    warning_incidents: Mapped[IncidentMode] = mapped_column(
        EnumCode(IncidentMode), default=IncidentMode.OFF, server_default="0"
    )
    # How the page looks. No logo is an empty one; a colour is "#rrggbb", none is the theme's own.
    logo: Mapped[str] = mapped_column(Text, default="", server_default="")
    theme: Mapped[str] = mapped_column(String(10), default="auto", server_default="auto")
    primary_color: Mapped[str] = mapped_column(String(7), default="", server_default="")
    success_color: Mapped[str] = mapped_column(String(7), default="", server_default="")
    warning_color: Mapped[str] = mapped_column(String(7), default="", server_default="")
    danger_color: Mapped[str] = mapped_column(String(7), default="", server_default="")
    # What the page shows.
    shows_response_times: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    shows_uptime: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    shows_incidents: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    shows_metrics: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    history_days: Mapped[int] = mapped_column(Integer, default=90, server_default="90")
    footer: Mapped[str] = mapped_column(Text, default="", server_default="")
    support_url: Mapped[str] = mapped_column(Text, default="", server_default="")
    announcement: Mapped[str] = mapped_column(Text, default="", server_default="")
    is_indexed: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())


class EncryptionKey(Base):
    """Which key the secrets of this database are encrypted with. With another one the start is refused."""

    __tablename__ = "encryption_key"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    fingerprint: Mapped[str] = mapped_column(String(64))


class DailyReport(Base):
    """The report for one day of the page's time zone, as data."""

    __tablename__ = "daily_report"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, object]] = mapped_column(JSON)
