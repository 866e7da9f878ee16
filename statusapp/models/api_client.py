"""Programs that may use the API in the name of an account, and the access tokens given to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import ApiClientKind
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class ApiClient(Base):
    """A program: an API token, or an OAuth application, which shows its secret to get access tokens.

    `client_id` is public, of the secret only the SHA-256 is kept. `scopes` has a bit for each `Scope`. A revoked one
    stays, so that it can be told why it is refused.
    """

    __tablename__ = "api_client"
    __table_args__ = (Index("ix_api_client_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[ApiClientKind] = mapped_column(EnumCode(ApiClientKind))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiAccessToken(Base):
    """A token that an application was given for a while. Deleting the row ends it."""

    __tablename__ = "api_access_token"
    __table_args__ = (
        Index("ix_api_access_token_api_client_id", "api_client_id"),
        Index("ix_api_access_token_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    api_client_id: Mapped[int] = mapped_column(ForeignKey("api_client.id", ondelete="CASCADE"))
    scopes: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
