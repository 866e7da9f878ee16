"""Accounts in a list, and the sessions of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from statusapp.domain.enums import Role
from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import User, UserSession
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

ORDERS = {"email": Order((User.email,), (str,)), "made": Order((User.created_at, User.id), (datetime, int))}


@dataclass(frozen=True, slots=True)
class AccountItem:
    """An account as owners see it. `state` is "active", "invited" while no password was chosen, or "closed"."""

    id: int
    email: str
    role: Role
    state: str
    created_at: datetime
    last_sign_in_at: datetime | None
    sessions: int


@dataclass(frozen=True, slots=True)
class SessionItem:
    """A session that has not ended."""

    id: int
    user_agent: str
    address: str
    created_at: datetime
    expires_at: datetime


def page_of_accounts(wanted: Wanted, now: datetime) -> Page[AccountItem]:
    """Accounts: one statement. Filters: role, and state as `AccountItem` has it."""
    statement = _accounts(now)
    if wanted.search:
        statement = statement.where(User.email.like(containing(wanted.search.lower()), escape="\\"))
    if "role" in wanted.filters:
        statement = statement.where(User.role == wanted.filters["role"])
    state = wanted.filters.get("state")
    if state is not None:
        statement = statement.where(User.is_active.is_(state != "closed"))
    if state in ("active", "invited"):
        no_password = User.password_set_at.is_(None)
        statement = statement.where(no_password if state == "invited" else ~no_password)
    return load_page(statement, ORDERS, wanted, _item)


def get_account(account_id: int, now: datetime) -> AccountItem:
    """One account.

    Raises:
        NotFound: when there is no such account.
    """
    row = db.session.execute(_accounts(now).where(User.id == account_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such account, or not any more.")
    return _item(row)


def list_sessions(account_id: int, now: datetime) -> list[SessionItem]:
    """The sessions of an account that have not ended, the newest first."""
    rows = db.session.execute(
        select(
            UserSession.id, UserSession.user_agent, UserSession.address, UserSession.created_at, UserSession.expires_at
        )
        .where(UserSession.user_id == account_id, UserSession.expires_at > now)
        .order_by(UserSession.created_at.desc(), UserSession.id.desc())
    )
    return [SessionItem(*row) for row in rows]


def _accounts(now: datetime) -> Any:
    sessions = (
        select(func.count(UserSession.id))
        .where(UserSession.user_id == User.id, UserSession.expires_at > now)
        .scalar_subquery()
    )
    return select(User, sessions.label("sessions"))


def _item(row: Any) -> AccountItem:
    user = row.User
    state = "closed" if not user.is_active else "invited" if user.password_set_at is None else "active"
    return AccountItem(user.id, user.email, user.role, state, user.created_at, user.last_sign_in_at, row.sessions)
