"""What people have changed. Rows are only ever added. Instants are microseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId


class AuditEntry(Base):
    """One change by one actor. `changes` holds each field that differs, with its value before and after.

    `via` is the API client by which it was made, None for people themselves. Names are
    copied and no key leads to another table: what was done stays known when the account or the thing is gone.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at", "id"),
        Index("ix_audit_entry_actor", "actor", "at", "id"),
        Index("ix_audit_entry_kind", "kind", "at", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int | None] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(254))
    via: Mapped[str | None] = mapped_column(String(120))
    action: Mapped[AuditAction] = mapped_column(EnumCode(AuditAction))
    kind: Mapped[AuditKind] = mapped_column(EnumCode(AuditKind))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(254))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
