"""How the status page presents itself, the daily reports, and the one row about the encryption key."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Date, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.extensions import Base
from statusapp.models.types import UtcDateTime


class StatusPageSettings(Base):
    """The one row of page settings. `time_zone` is an IANA name; days are cut and times shown in it."""

    __tablename__ = "status_page_settings"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    title: Mapped[str] = mapped_column(String(200), default="Driver App Status")
    description: Mapped[str] = mapped_column(Text, default="Current status of Driver App services")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    refresh_interval_s: Mapped[int] = mapped_column(Integer, default=30)


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
