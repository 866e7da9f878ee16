"""The ledger of statuses, from which every uptime figure is computed, and its sums per day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, Float, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import Rule, Status
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class StatusChangeRow(Base):
    """One interval of a service's status, from the change that began it until the next. Instants are microseconds.

    An outage begins at its first bad check, which lies before `recorded_at`. Intervals that began after that check
    are superseded: kept for the record, but no longer part of the uptime. `reason` is the error of the check that
    confirmed the change.
    """

    __tablename__ = "status_change"
    __table_args__ = (
        Index("ix_status_change_endpoint_id_started_at", "endpoint_id", "started_at"),
        Index("ix_status_change_ended_at", "ended_at"),
        Index(
            "uq_status_change_open",
            "endpoint_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL AND NOT superseded"),
            postgresql_where=text("ended_at IS NULL AND NOT superseded"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("service_endpoint.id", ondelete="CASCADE"))
    previous: Mapped[Status] = mapped_column(EnumCode(Status))
    status: Mapped[Status] = mapped_column(EnumCode(Status))
    started_at: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    rule: Mapped[Rule] = mapped_column(EnumCode(Rule))
    superseded: Mapped[bool] = mapped_column(Boolean, default=False)
    reason: Mapped[str | None] = mapped_column(Text)


class UptimeDay(Base):
    """Seconds of each status of one service on one day of the page's time zone."""

    __tablename__ = "uptime_day"
    __table_args__ = {"sqlite_with_rowid": False}

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    operational_s: Mapped[float] = mapped_column(Float, default=0.0)
    degraded_s: Mapped[float] = mapped_column(Float, default=0.0)
    partial_outage_s: Mapped[float] = mapped_column(Float, default=0.0)
    major_outage_s: Mapped[float] = mapped_column(Float, default=0.0)
    maintenance_s: Mapped[float] = mapped_column(Float, default=0.0)
    unknown_s: Mapped[float] = mapped_column(Float, default=0.0)
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UptimeStrip(Base):
    """The days up to `last_day` of one service in one row, packed as `domain/strips.py` says.

    It says nothing that `uptime_day` does not: it is what makes the strips of a page cost the same whether there are
    two days of history or ninety.
    """

    __tablename__ = "uptime_strip"

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    last_day: Mapped[date] = mapped_column(Date)
    days: Mapped[bytes] = mapped_column(LargeBinary)
