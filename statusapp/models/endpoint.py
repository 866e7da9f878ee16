"""What is checked and how (written by operators), and where it stands (written by workers): two tables, so that a form
never overwrites what a worker has just found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, SmallInteger, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statusapp.domain.enums import CheckKind, ErrorKind, Outcome, Status
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, UtcDateTime


class ServiceEndpoint(Base):
    """A monitored service. Operator columns only.

    `url` may be shown to operators: what is secret in it stands as ***, and the whole is among the `secrets`, which are
    encrypted. `options` is a JSON object, `conditions` a JSON list of [condition, degrades].
    """

    __tablename__ = "service_endpoint"
    # An id is never given twice: checks of a deleted endpoint may still be there.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(Text, default="", server_default="")
    url: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(20), default="GET", server_default="GET")
    expected_status_codes: Mapped[str] = mapped_column(String(200), default="200-299", server_default="200-299")
    interval_s: Mapped[int] = mapped_column(Integer, default=300, server_default="300")
    timeout_ms: Mapped[int] = mapped_column(Integer, default=10_000, server_default="10000")
    # Failures confirm an outage when all retries have failed as well: `retries` + 1 in a row.
    retries: Mapped[int] = mapped_column(SmallInteger, default=2, server_default="2")
    successes_to_confirm: Mapped[int] = mapped_column(SmallInteger, default=2, server_default="2")
    slow_ms: Mapped[int | None] = mapped_column(Integer)
    options: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    secrets: Mapped[str | None] = mapped_column(Text)
    conditions: Mapped[str] = mapped_column(Text, default="[]", server_default="[]")
    group_id: Mapped[int | None] = mapped_column(ForeignKey("service_group.id", ondelete="SET NULL"))
    shows_url: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    is_enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    is_public: Mapped[bool] = mapped_column(Boolean, default=True)
    # While it is muted (for good, or until an instant in microseconds) nobody is alerted about it.
    is_muted: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    muted_until: Mapped[int | None] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    state: Mapped[EndpointState] = relationship(back_populates="endpoint", cascade="all, delete-orphan")


class ServiceGroup(Base):
    """A heading on the page, with the services under it. Its status follows from theirs."""

    __tablename__ = "service_group"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    position: Mapped[int] = mapped_column(Integer, default=0)
    is_collapsed: Mapped[bool] = mapped_column(Boolean, default=False)


class EndpointTag(Base):
    """A word that an operator has given to a service, to find it by."""

    __tablename__ = "endpoint_tag"
    __table_args__ = {"sqlite_with_rowid": False}

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    tag: Mapped[str] = mapped_column(String(50), primary_key=True)


class EndpointDependency(Base):
    """A service that needs another one: while the parent is down, the child is shown as affected."""

    __tablename__ = "endpoint_dependency"
    __table_args__ = (Index("ix_endpoint_dependency_parent_id", "parent_id"), {"sqlite_with_rowid": False})

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    parent_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


class EndpointState(Base):
    """Where a service stands and when it is next looked at. Worker columns only; instants are microseconds.

    `next_check_at` is the next slot of the grid, `extra_at` the due time of a check off the grid (retry, run now, first
    check). `claimed_slot` is set while a check is in flight. `due_at` is derived from them: when a claimer must look at
    this row, which is the end of the lease while a check is in flight. A paused endpoint has no `due_at`.
    """

    __tablename__ = "endpoint_state"
    __table_args__ = (Index("ix_endpoint_state_due_at", "due_at"),)

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    status: Mapped[Status] = mapped_column(EnumCode(Status), default=Status.UNKNOWN)
    status_since: Mapped[int] = mapped_column(BigInteger)
    history: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    successes: Mapped[int] = mapped_column(Integer, default=0)
    slow: Mapped[int] = mapped_column(Integer, default=0)
    fast: Mapped[int] = mapped_column(Integer, default=0)
    run_since: Mapped[int | None] = mapped_column(BigInteger)
    last_checked_at: Mapped[int | None] = mapped_column(BigInteger)
    silent_after: Mapped[int | None] = mapped_column(BigInteger)

    last_slot: Mapped[int | None] = mapped_column(BigInteger)
    last_outcome: Mapped[Outcome | None] = mapped_column(EnumCode(Outcome))
    last_error_kind: Mapped[ErrorKind | None] = mapped_column(EnumCode(ErrorKind))
    last_status_code: Mapped[int | None] = mapped_column(SmallInteger)
    last_total_us: Mapped[int | None] = mapped_column(BigInteger)
    certificate_expires_at: Mapped[int | None] = mapped_column(BigInteger)
    # While a maintenance window covers the service: when that ends.
    maintenance_until: Mapped[int | None] = mapped_column(BigInteger)

    next_check_at: Mapped[int | None] = mapped_column(BigInteger)
    extra_at: Mapped[int | None] = mapped_column(BigInteger)
    extra_kind: Mapped[CheckKind | None] = mapped_column(EnumCode(CheckKind))
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    claimed_slot: Mapped[int | None] = mapped_column(BigInteger)
    claimed_kind: Mapped[CheckKind | None] = mapped_column(EnumCode(CheckKind))
    fence: Mapped[int] = mapped_column(BigInteger, default=0)

    endpoint: Mapped[ServiceEndpoint] = relationship(back_populates="state")
