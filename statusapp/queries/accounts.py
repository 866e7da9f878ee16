"""Who is who: accounts and the sessions that are signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from statusapp.domain.enums import Role
from statusapp.extensions import db
from statusapp.models import FirstAccount, PasswordLink, User, UserSession


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to check a password."""

    user_id: int
    password_hash: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An open account that somebody has shown to be theirs, and as what it acts."""

    user_id: int
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class SignedInAccount(KnownAccount):
    """An active account with a session that has not expired."""

    session_id: int
    session_began: datetime


def find_credentials(email: str) -> Credentials | None:
    """The account of an email address in its normal form."""
    statement = select(User.id, User.password_hash, User.is_active).where(User.email == email)
    row = db.session.execute(statement).one_or_none()
    return None if row is None else Credentials(row.id, row.password_hash, row.is_active)


def find_signed_in(token_hash: bytes, now: datetime) -> SignedInAccount | None:
    """The account that a session token belongs to, when the session holds and the account is open."""
    statement = (
        select(User.id, User.email, User.role, UserSession.id.label("session_id"), UserSession.created_at)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == token_hash, UserSession.expires_at > now, User.is_active)
    )
    row = db.session.execute(statement).one_or_none()
    return None if row is None else SignedInAccount(row.id, row.email, row.role, row.session_id, row.created_at)


def find_link(token_hash: bytes, now: datetime) -> int | None:
    """The open account whose password may be set with this token."""
    statement = (
        select(PasswordLink.user_id)
        .join(User, User.id == PasswordLink.user_id)
        .where(PasswordLink.token_hash == token_hash, PasswordLink.expires_at > now, User.is_active)
    )
    return db.session.execute(statement).scalar_one_or_none()


def first_account_token_matches(token_hash: bytes) -> bool:
    """Whether this one-time token would open the making of the first account."""
    statement = select(FirstAccount.id).where(FirstAccount.token_hash == token_hash, FirstAccount.made_at.is_(None))
    return db.session.execute(statement).first() is not None


def has_first_account() -> bool:
    """Whether the first account has been made."""
    return db.session.execute(select(FirstAccount.id).where(FirstAccount.made_at.is_not(None))).first() is not None
