"""What the machines under the monitor were doing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.extensions import Base
from statusapp.models.types import RowId, UtcDateTime


class SystemMetric(Base):
    """One reading of one host."""

    __tablename__ = "system_metric"
    __table_args__ = (Index("ix_system_metric_taken_at", "taken_at"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    host: Mapped[str] = mapped_column(String(255))
    cpu_percent: Mapped[float] = mapped_column(Float)
    load_1m: Mapped[float] = mapped_column(Float)
    load_5m: Mapped[float] = mapped_column(Float)
    load_15m: Mapped[float] = mapped_column(Float)
    memory_percent: Mapped[float] = mapped_column(Float)
    memory_used_mb: Mapped[int] = mapped_column(Integer)
    memory_total_mb: Mapped[int] = mapped_column(Integer)
    disk_percent: Mapped[float] = mapped_column(Float)
    disk_free_mb: Mapped[int] = mapped_column(BigInteger)
    network_sent_bytes: Mapped[int] = mapped_column(BigInteger)
    network_received_bytes: Mapped[int] = mapped_column(BigInteger)
    database_connect_us: Mapped[int | None] = mapped_column(Integer)
    database_query_us: Mapped[int | None] = mapped_column(Integer)
