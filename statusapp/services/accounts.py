"""Accounts: the first one by a one-time token, the others by an owner, and what owners may change of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import COMMAND_LINE, Actor
from statusapp.domain.enums import AuditAction, AuditKind, Role
from statusapp.domain.errors import AccountExists, InvalidInput, NotFound, WrongToken
from statusapp.extensions import db
from statusapp.models import FirstAccount, PasswordLink, User
from statusapp.queries.accounts import first_account_token_matches
from statusapp.services import audit
from statusapp.services.credentials import (
    check_email,
    check_password,
    digest,
    hash_of_no_password,
    hash_password,
    is_same,
    new_token,
)
from statusapp.services.sessions import end_all_sessions

ALREADY_MADE = "The first account has been made already."
NOT_VALID = "This link is not valid. A newer one may have replaced it."
MISSING = "There is no such account."
TAKEN = "There is an account of this address already."
LAST_OWNER = (
    "This is the last owner who can sign in. Make somebody else an owner first, or nobody could manage accounts."
)


def offer_first_account(now: datetime) -> str | None:
    """A one-time token for making the first account; it replaces the one before. None when there is an account."""
    token = new_token()
    with write_transaction(db.session) as session:
        sentinel = session.get(FirstAccount, 1) or FirstAccount(id=1)
        if sentinel.made_at is not None:
            return None
        sentinel.token_hash = digest(token)
        session.add(sentinel)
    return token


def opens_first_account(token: str) -> bool:
    """Whether this token would be accepted by `create_first_account`."""
    return first_account_token_matches(digest(token))


def create_first_account(token: str | None, email: str, password: str, now: datetime) -> int:
    """Make the first account, an owner, and return its id. Without a token only for who has the machine itself.

    Of any number of calls at once exactly one succeeds: all of them take the one row that says whether it is made.

    Raises:
        InvalidInput: when email or password cannot be used.
        WrongToken: when the token is not the one that was offered last.
        AccountExists: when the first account has been made.
    """
    email, password = check_email(email), check_password(password)
    # A guessed token must not cost a hash, and the hash must not be made while the write lock is held.
    if token is not None and not opens_first_account(token):
        raise _refused_first_account()
    account = User(
        email=email,
        password_hash=hash_password(password),
        role=Role.OWNER,
        is_active=True,
        created_at=now,
        password_set_at=now,
    )
    try:
        with write_transaction(db.session) as session:
            session.add_all([_taken_sentinel(session, token, now), account])
            session.flush()
            actor = COMMAND_LINE if token is None else Actor(account.id, email)
            _record(session, actor, AuditAction.ADDED, account, now)
    except IntegrityError as error:
        # Without an offer there is no row to lock yet, and on PostgreSQL two may insert it at the same time.
        raise AccountExists(ALREADY_MADE) from error
    return account.id


def add_account(email: str, role: Role, actor: Actor, now: datetime) -> int:
    """Make an account without a password, which its owner sets by a link; its id.

    Raises:
        InvalidInput: when the address cannot be used, or has an account.
    """
    account = User(
        email=check_email(email), password_hash=hash_of_no_password(), role=role, is_active=True, created_at=now
    )
    try:
        return insert_account(account, actor, now)
    except AccountExists as error:
        raise InvalidInput("email", str(error)) from error


def insert_account(account: User, actor: Actor | None, now: datetime) -> int:
    """Keep a new account and record who made it, None being itself; its id.

    Raises:
        AccountExists: when its address has an account.
    """
    try:
        with write_transaction(db.session) as session:
            session.add(account)
            session.flush()
            _record(session, actor or Actor(account.id, account.email), AuditAction.ADDED, account, now)
    except IntegrityError as error:
        raise AccountExists(TAKEN) from error
    return account.id


def change_role(account_id: int, role: Role, actor: Actor, now: datetime) -> None:
    """Give an account another role. Its sessions end: they were begun under the old one.

    Raises:
        NotFound: when there is no such account.
        InvalidInput: when it is the last owner.
    """
    with write_transaction(db.session) as session:
        account = _locked(session, account_id)
        if account.role is role:
            return
        _check_not_last_owner(session, account)
        before = audit.fields_of(account)
        account.role = role
        end_all_sessions(session, account_id)
        _record(session, actor, AuditAction.CHANGED, account, now, before)


def set_active(account_id: int, is_active: bool, actor: Actor, now: datetime) -> None:
    """Open or close an account. Closed, its sessions end, and so does the link that would set a password.

    Raises:
        NotFound: when there is no such account.
        InvalidInput: when it is the last owner that would be closed.
    """
    with write_transaction(db.session) as session:
        account = _locked(session, account_id)
        if not is_active:
            _check_not_last_owner(session, account)
            end_all_sessions(session, account_id)
            link = session.get(PasswordLink, account_id)
            if link is not None:
                session.delete(link)
        before = audit.fields_of(account)
        account.is_active = is_active
        _record(session, actor, AuditAction.CHANGED, account, now, before)


def delete_account(account_id: int, actor: Actor, now: datetime) -> None:
    """Delete an account with its sessions. What it did stays in the audit log, by its name.

    Raises:
        NotFound: when there is no such account.
        InvalidInput: when it is the last owner.
    """
    with write_transaction(db.session) as session:
        account = _locked(session, account_id)
        _check_not_last_owner(session, account)
        before = audit.fields_of(account)
        session.delete(account)
        audit.record(session, actor, AuditAction.DELETED, AuditKind.ACCOUNT, account_id, account.email, now, before)


def _locked(session: Session, account_id: int) -> User:
    """The account, with all owners locked: of two who take each other's role away at once, one comes too late."""
    session.execute(select(User.id).where(User.role == Role.OWNER).order_by(User.id).with_for_update())
    account = session.get(User, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound(MISSING)
    return account


def _check_not_last_owner(session: Session, account: User) -> None:
    if account.role is not Role.OWNER or not account.is_active:
        return
    # Whoever has not chosen a password yet may never come.
    others = select(User.id).where(
        User.role == Role.OWNER, User.is_active, User.password_set_at.is_not(None), User.id != account.id
    )
    if session.scalar(others.limit(1)) is None:
        raise InvalidInput("role", LAST_OWNER)


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    account: User,
    now: datetime,
    before: dict[str, object] | None = None,
) -> None:
    after = audit.fields_of(account)
    audit.record(session, actor, action, AuditKind.ACCOUNT, account.id, account.email, now, before, after)


def _taken_sentinel(session: Session, token: str | None, now: datetime) -> FirstAccount:
    """The row that says the first account is made, locked and marked as such."""
    sentinel = session.get(FirstAccount, 1, with_for_update=True, populate_existing=True) or FirstAccount(id=1)
    if sentinel.made_at is not None:
        raise AccountExists(ALREADY_MADE)
    if token is not None and not is_same(sentinel.token_hash, digest(token)):
        raise WrongToken(NOT_VALID)
    sentinel.made_at, sentinel.token_hash = now, None
    return sentinel


def _refused_first_account() -> WrongToken | AccountExists:
    sentinel = db.session.get(FirstAccount, 1)
    if sentinel is not None and sentinel.made_at is not None:
        return AccountExists(ALREADY_MADE)
    return WrongToken(NOT_VALID)
