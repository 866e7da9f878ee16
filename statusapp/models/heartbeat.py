"""Heartbeats: the pings that jobs send in, and where each heartbeat stands. Instants are microseconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import PingSignal
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId


class Heartbeat(Base):
    """The newest pings of one endpoint. `token_hash` is the SHA-256 of the secret in its address.

    `started_at` is set while a job has said that it began and not yet that it ended; `failure` while the newest ping
    reported one.
    """

    __tablename__ = "heartbeat"

    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("service_endpoint.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_ping_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    failure: Mapped[str | None] = mapped_column(Text)


class HeartbeatPing(Base):
    """One ping as it came in."""

    __tablename__ = "heartbeat_ping"
    __table_args__ = (
        Index("ix_heartbeat_ping_endpoint_id_received_at", "endpoint_id", "received_at"),
        Index("ix_heartbeat_ping_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("service_endpoint.id", ondelete="CASCADE"))
    received_at: Mapped[int] = mapped_column(BigInteger)
    signal: Mapped[PingSignal] = mapped_column(EnumCode(PingSignal))
    exit_code: Mapped[int | None] = mapped_column(SmallInteger)
