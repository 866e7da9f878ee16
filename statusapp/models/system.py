"""What the machines under the monitor were doing, and the services that others run for us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import ExternalStatus
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class SystemMetric(Base):
    """One reading of one host. `details` has what is not drawn as a line: cores, mounts, database, Redis, queues."""

    __tablename__ = "system_metric"
    __table_args__ = (
        Index("ix_system_metric_taken_at", "taken_at"),
        Index("ix_system_metric_host_taken_at", "host", "taken_at"),
    )

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
    details: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class SystemMetricHour(Base):
    """The readings of one host in one hour of UTC, summed up. `hour` is its first instant in microseconds."""

    __tablename__ = "system_metric_hour"
    __table_args__ = {"sqlite_with_rowid": False}

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Integer)
    cpu_mean: Mapped[float] = mapped_column(Float)
    cpu_max: Mapped[float] = mapped_column(Float)
    load_mean: Mapped[float] = mapped_column(Float)
    load_max: Mapped[float] = mapped_column(Float)
    memory_mean: Mapped[float] = mapped_column(Float)
    memory_max: Mapped[float] = mapped_column(Float)
    disk_mean: Mapped[float] = mapped_column(Float)
    disk_max: Mapped[float] = mapped_column(Float)
    database_query_us_mean: Mapped[float | None] = mapped_column(Float)
    database_query_us_max: Mapped[int | None] = mapped_column(Integer)


class MetricHost(Base):
    """When a host is read next: of several workers on it, one takes the reading."""

    __tablename__ = "metric_host"

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExternalReading(Base):
    """How a service that others run for us was found. `duration_us` is None where it did not answer."""

    __tablename__ = "external_reading"
    __table_args__ = (
        Index("ix_external_reading_name_taken_at", "name", "taken_at"),
        Index("ix_external_reading_taken_at", "taken_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[ExternalStatus] = mapped_column(EnumCode(ExternalStatus))
    duration_us: Mapped[int | None] = mapped_column(Integer)
    message: Mapped[str] = mapped_column(String(300))
