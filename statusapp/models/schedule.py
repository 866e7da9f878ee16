"""The schedule's truth: what Redis forgets is read back from here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.extensions import Base
from statusapp.models.types import RowId, UtcDateTime


class PeriodicTask(Base):
    """When a periodic task runs next, and how its last run went. `running_until` is the lease of a run in progress."""

    __tablename__ = "periodic_task"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    next_run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    running_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_duration_ms: Mapped[int | None] = mapped_column(Integer)
    last_result: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_count: Mapped[int] = mapped_column(Integer, default=0)


class CheckWindow(Base):
    """One job that claims checks. It claims until it sees that a fresher one has begun. Instants are microseconds."""

    __tablename__ = "check_window"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    process_id: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[int] = mapped_column(BigInteger)
    heartbeat_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    # Set while the canary targets cannot be reached either: it is the monitor that is cut off.
    cut_off_since: Mapped[int | None] = mapped_column(BigInteger)
