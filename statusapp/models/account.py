"""Accounts and their server-side sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statusapp.domain.enums import Role
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class User(Base):
    """An account. The password is kept as an Argon2id hash; `password_set_at` is None until one was chosen."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(EnumCode(Role))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password_set_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserSession(Base):
    """A sign-in. The browser or client holds a random token, this row its SHA-256; deleting the row ends it.

    `address` is the network it came from, not the machine.
    """

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="", server_default="")

    user: Mapped[User] = relationship()


class PasswordLink(Base):
    """The one link with which the password of an account can be set without the present one. Used, the row goes."""

    __tablename__ = "password_link"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FirstAccount(Base):
    """The one row that says whether the first account has been made, and with which one-time token it may be."""

    __tablename__ = "first_account"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
