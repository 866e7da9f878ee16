"""Requests that real clients have made, as host applications report them. Instants and durations are microseconds.

What repeats in every row, such as a route's template, stands once in a table of its own. No foreign key keeps a row
from being deleted in a batch.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import ClientKind
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class TrackedRoute(Base):
    """A method and the template of a route of one service. `slow_ms` stands above the setting when it is given."""

    __tablename__ = "tracked_route"
    __table_args__ = (UniqueConstraint("service", "method", "route"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service: Mapped[str] = mapped_column(String(100))
    method: Mapped[str] = mapped_column(String(20))
    route: Mapped[str] = mapped_column(String(200))
    slow_ms: Mapped[int | None] = mapped_column(Integer)


class TrackedHost(Base):
    """A machine that requests were served on."""

    __tablename__ = "tracked_host"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class RequestLog(Base):
    """One request. `weight` is for how many it stands where only a sample is kept; status 0 is none at all."""

    __tablename__ = "api_request_log"
    __table_args__ = (
        Index("ix_api_request_log_at", "at"),
        Index("ix_api_request_log_route_id_at", "route_id", "at"),
        Index(
            # Of all that is not as usual. What it may be narrowed by besides stands in it, as in that of slow ones.
            "ix_api_request_log_statuses", "status", "at", "id", "route_id",
            sqlite_where=text("status <> 200"), postgresql_where=text("status <> 200"),
        ),
        Index(
            "ix_api_request_log_users", "user_id", "at",
            sqlite_where=text("user_id IS NOT NULL"), postgresql_where=text("user_id IS NOT NULL"),
        ),
        Index(
            "ix_api_request_log_error_groups", "error_id", "at",
            sqlite_where=text("error_id IS NOT NULL"), postgresql_where=text("error_id IS NOT NULL"),
        ),
        Index(
            "ix_api_request_log_slow", "is_slow", "at", "id", "route_id", "status",
            sqlite_where=text("is_slow"), postgresql_where=text("is_slow"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    route_id: Mapped[int] = mapped_column(Integer)
    host_id: Mapped[int] = mapped_column(Integer)
    status: Mapped[int] = mapped_column(SmallInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
    request_size: Mapped[int | None] = mapped_column(BigInteger)
    response_size: Mapped[int | None] = mapped_column(BigInteger)
    user_id: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(100))
    request_id: Mapped[str | None] = mapped_column(String(128))
    error_id: Mapped[int | None] = mapped_column(Integer)
    error_message: Mapped[str | None] = mapped_column(String(300))
    is_slow: Mapped[bool] = mapped_column(Boolean)
    is_probe: Mapped[bool] = mapped_column(Boolean)
    went_away: Mapped[bool] = mapped_column(Boolean)
    weight: Mapped[float] = mapped_column(Float)


# All routes together, in the sums of hours and days. No route has this number.
EVERY_ROUTE = 0


class RequestRollup(Base):
    """The requests of one route, or of `EVERY_ROUTE`, in one block of time: five minutes, an hour or a day of UTC.

    Our own probes are not among them. `failures` had a status of 500 and above, `client_errors` one of 400 to 499.
    """

    __tablename__ = "request_rollup"
    __table_args__ = {"sqlite_with_rowid": False}

    route_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    step_s: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(BigInteger)
    client_errors: Mapped[int] = mapped_column(BigInteger)
    slow: Mapped[int] = mapped_column(BigInteger)
    went_away: Mapped[int] = mapped_column(BigInteger)
    sum_us: Mapped[int] = mapped_column(BigInteger)
    min_us: Mapped[int] = mapped_column(BigInteger)
    max_us: Mapped[int] = mapped_column(BigInteger)
    histogram: Mapped[bytes] = mapped_column(LargeBinary)


class RequestClient(Base):
    """How many requests one user or one address made in one hour."""

    __tablename__ = "request_client"
    __table_args__ = {"sqlite_with_rowid": False}

    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[ClientKind] = mapped_column(EnumCode(ClientKind), primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(BigInteger)


class RequestClientDay(Base):
    """The hours of a client added up to a day of UTC; `day` is its first instant in microseconds."""

    __tablename__ = "request_client_day"
    __table_args__ = {"sqlite_with_rowid": False}

    day: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[ClientKind] = mapped_column(EnumCode(ClientKind), primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(BigInteger)


class RequestError(Base):
    """Errors of one fingerprint of one service: the same exception from the same place."""

    __tablename__ = "request_error"
    __table_args__ = (
        UniqueConstraint("service", "fingerprint"),
        Index("ix_request_error_last_at", "last_at"),
        Index("ix_request_error_first_at", "first_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service: Mapped[str] = mapped_column(String(100))
    fingerprint: Mapped[str] = mapped_column(String(64))
    error_class: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(String(300))
    route_id: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(BigInteger)
    clients: Mapped[int] = mapped_column(Integer)


class RequestErrorClient(Base):
    """That a client has met an error, so that clients are counted once. `client` is a keyed hash, cut short."""

    __tablename__ = "request_error_client"
    __table_args__ = {"sqlite_with_rowid": False}

    error_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    client: Mapped[bytes] = mapped_column(LargeBinary(8), primary_key=True)


class RequestBatch(Base):
    """A batch of requests that has been stored, by the number that its sender gave it: sent again, it counts once."""

    __tablename__ = "request_batch"
    __table_args__ = (Index("ix_request_batch_stored_at", "stored_at"), {"sqlite_with_rowid": False})

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    stored_at: Mapped[int] = mapped_column(BigInteger)


class RequestLoss(Base):
    """What was lost on the way, since the beginning: `dropped` by host applications, `unreadable` batches that were
    none. `last_at` is when it was last heard of."""

    __tablename__ = "request_loss"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    dropped: Mapped[int] = mapped_column(BigInteger, default=0)
    unreadable: Mapped[int] = mapped_column(BigInteger, default=0)
    last_at: Mapped[int] = mapped_column(BigInteger)


class IngestToken(Base):
    """What a host application shows to report its requests over HTTP; kept as its SHA-256."""

    __tablename__ = "ingest_token"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
