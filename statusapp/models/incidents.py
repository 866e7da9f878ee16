"""Incidents: what the public is told when something is wrong. Instants are microseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId


class Incident(Base):
    """A disruption and how it is told.

    A draft is seen by operators only. `impact` follows from the affected services unless `impact_override` says
    something else. `is_automatic` is one that a rule opened; `touched_at` is when a person first changed it, and from
    then on no machine changes its title, status or impact. `evidence` is what was known when it opened.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_started_at", "started_at"),
        Index(
            "ix_incident_open",
            "id",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[IncidentStatus] = mapped_column(EnumCode(IncidentStatus))
    impact: Mapped[Impact] = mapped_column(EnumCode(Impact))
    impact_override: Mapped[Impact | None] = mapped_column(EnumCode(Impact))
    is_public: Mapped[bool] = mapped_column(Boolean, default=False)
    is_automatic: Mapped[bool] = mapped_column(Boolean, default=False)
    touched_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int] = mapped_column(BigInteger)
    resolved_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class IncidentUpdate(Base):
    """One entry of an incident's timeline. `body` is Markdown, made safe when it is shown; no `author` is a machine."""

    __tablename__ = "incident_update"
    __table_args__ = (Index("ix_incident_update_incident_id", "incident_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    status: Mapped[IncidentStatus] = mapped_column(EnumCode(IncidentStatus))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[int] = mapped_column(BigInteger)


class IncidentEndpoint(Base):
    """A service that an incident affects, and the worst status it has had in it."""

    __tablename__ = "incident_endpoint"
    __table_args__ = (Index("ix_incident_endpoint_endpoint_id", "endpoint_id"), {"sqlite_with_rowid": False})

    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    status: Mapped[Status] = mapped_column(EnumCode(Status))


class MaintenanceWindow(Base):
    """Planned work, once or again and again.

    `starts` is a wall time ("2026-11-30T02:00") in the IANA zone `zone`, `rrule` an RFC 5545 recurrence from there on,
    if it recurs. Occurrences are computed; what happened at one is a `MaintenanceEvent`. It is announced
    `announce_s` before each occurrence. `covers_all` is every service, those made later included.
    """

    __tablename__ = "maintenance_window"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    zone: Mapped[str] = mapped_column(String(64))
    starts: Mapped[str] = mapped_column(String(16))
    duration_s: Mapped[int] = mapped_column(Integer)
    rrule: Mapped[str | None] = mapped_column(Text)
    announce_s: Mapped[int] = mapped_column(Integer, default=86_400)
    covers_all: Mapped[bool] = mapped_column(Boolean, default=False)
    is_public: Mapped[bool] = mapped_column(Boolean, default=True)
    # Occurrences that begin before this instant are as they were when the window had other times.
    valid_from: Mapped[int] = mapped_column(BigInteger)
    cancelled_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class MaintenanceTarget(Base):
    """What a window is for: a service, or all services of a group."""

    __tablename__ = "maintenance_target"
    __table_args__ = (Index("ix_maintenance_target_window_id", "window_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("maintenance_window.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("service_endpoint.id", ondelete="CASCADE"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("service_group.id", ondelete="CASCADE"))


class MaintenanceOccurrence(Base):
    """One occurrence of a window from when it was announced, began or was cancelled; later ones are computed.

    `starts_at` and `ends_at` are as planned; the others are when it happened.
    """

    __tablename__ = "maintenance_occurrence"
    __table_args__ = (
        Index("uq_maintenance_occurrence", "window_id", "starts_at", unique=True),
        Index("ix_maintenance_occurrence_starts_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("maintenance_window.id", ondelete="CASCADE"))
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    announced_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    cancelled_at: Mapped[int | None] = mapped_column(BigInteger)


class MaintenanceUpdate(Base):
    """A word on an occurrence, in Markdown; no `author` is a machine."""

    __tablename__ = "maintenance_update"
    __table_args__ = (Index("ix_maintenance_update_occurrence_id", "occurrence_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("maintenance_occurrence.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[int] = mapped_column(BigInteger)
