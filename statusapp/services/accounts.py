"""Accounts: the first one by a one-time token, signing in and out, and the sessions that stay on the server."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.enums import Role
from statusapp.domain.errors import AccountExists, InvalidInput, WrongCredentials, WrongToken
from statusapp.extensions import db
from statusapp.models import FirstAccount, User, UserSession
from statusapp.queries.accounts import (
    Credentials,
    SignedInAccount,
    find_credentials,
    find_signed_in,
    first_account_token_matches,
)

SESSION_LIFETIME = timedelta(days=7)
PASSWORD_MIN_LENGTH = 12
# Longer ones are refused before they are hashed: hashing is meant to be slow.
PASSWORD_MAX_LENGTH = 1024
EMAIL_MAX_LENGTH = 254
USER_AGENT_LENGTH = 200

ALREADY_MADE = "The first account has been made already."
NOT_VALID = "This link is not valid. A newer one may have replaced it."

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

# Argon2id as OWASP advises where memory is dear: 19 MiB and two passes. The library's default of 64 MiB would let eight
# sign-ins at once take half a gigabyte. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session that has just begun. The token is known to nobody else and is not kept here."""

    token: str
    expires_at: datetime


def check_email(email: str) -> str:
    """The normal form of an email address: trimmed and in lower case.

    Raises:
        InvalidInput: when it does not look like an address.
    """
    text = email.strip().lower()
    if not text:
        raise InvalidInput("email", "Enter an email address.")
    if len(text) > EMAIL_MAX_LENGTH or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise InvalidInput("email", "This does not look like an email address.")
    return text


def check_password(password: str) -> str:
    """A password that may be set, unchanged.

    Raises:
        InvalidInput: when it is too short or too long.
    """
    if not password:
        raise InvalidInput("password", "Enter a password.")
    if len(password) < PASSWORD_MIN_LENGTH:
        raise InvalidInput("password", f"Use at least {PASSWORD_MIN_LENGTH} characters.")
    if len(password) > PASSWORD_MAX_LENGTH:
        raise InvalidInput("password", f"Use at most {PASSWORD_MAX_LENGTH} characters.")
    if not _is_encodable(password):
        raise InvalidInput("password", "This password has characters that cannot be used.")
    return password


def offer_first_account(now: datetime) -> str | None:
    """A one-time token for making the first account; it replaces the one before. None when there is an account."""
    token = secrets.token_urlsafe(32)
    with write_transaction(db.session) as session:
        sentinel = session.get(FirstAccount, 1) or FirstAccount(id=1)
        if sentinel.made_at is not None:
            return None
        sentinel.token_hash = _digest(token)
        session.add(sentinel)
    return token


def opens_first_account(token: str) -> bool:
    """Whether this token would be accepted by `create_first_account`."""
    return first_account_token_matches(_digest(token))


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
    account = User(email=email, password_hash=_hasher.hash(password), role=Role.OWNER, is_active=True, created_at=now)
    try:
        with write_transaction(db.session) as session:
            session.add_all([_taken_sentinel(session, token, now), account])
            session.flush()
    except IntegrityError as error:
        # Without an offer there is no row to lock yet, and on PostgreSQL two may insert it at the same time.
        raise AccountExists(ALREADY_MADE) from error
    return account.id


def _taken_sentinel(session: Session, token: str | None, now: datetime) -> FirstAccount:
    """The row that says the first account is made, locked and marked as such."""
    sentinel = session.get(FirstAccount, 1, with_for_update=True, populate_existing=True) or FirstAccount(id=1)
    if sentinel.made_at is not None:
        raise AccountExists(ALREADY_MADE)
    if token is not None and not _same(sentinel.token_hash, _digest(token)):
        raise WrongToken(NOT_VALID)
    sentinel.made_at, sentinel.token_hash = now, None
    return sentinel


def sign_in(email: str, password: str, now: datetime, user_agent: str = "") -> SignIn:
    """Begin a session.

    Takes as long for an unknown address as for a known one, so that time does not tell which addresses exist.

    Raises:
        WrongCredentials: when nobody is signed in by these credentials.
    """
    try:
        found = find_credentials(check_email(email))
    except InvalidInput:
        found = None
    # The connection goes back before the slow part.
    db.session.rollback()
    if not _verified(found, password) or found is None:
        raise WrongCredentials("Email or password is wrong.")
    return _begin_session(found, password, now, user_agent)


def find_session(token: str, now: datetime) -> SignedInAccount | None:
    """The account signed in by this token; None when the session has ended or the account is closed."""
    return find_signed_in(_digest(token), now)


def sign_out(token: str) -> None:
    """End the session of this token, wherever else its cookie may still be."""
    with write_transaction(db.session) as session:
        session.execute(delete(UserSession).where(UserSession.token_hash == _digest(token)))


def _begin_session(account: Credentials, password: str, now: datetime, user_agent: str) -> SignIn:
    token, expires_at = secrets.token_urlsafe(32), now + SESSION_LIFETIME
    new_hash = _hasher.hash(password) if _hasher.check_needs_rehash(account.password_hash) else None
    with write_transaction(db.session) as session:
        session.execute(
            delete(UserSession).where(UserSession.user_id == account.user_id, UserSession.expires_at <= now)
        )
        session.add(
            UserSession(
                token_hash=_digest(token),
                user_id=account.user_id,
                created_at=now,
                expires_at=expires_at,
                user_agent=user_agent[:USER_AGENT_LENGTH],
            )
        )
        if new_hash is not None:
            session.get_one(User, account.user_id).password_hash = new_hash
    return SignIn(token, expires_at)


def _verified(account: Credentials | None, password: str) -> bool:
    """Whether the password is that of the account and the account is open."""
    if len(password) > PASSWORD_MAX_LENGTH or not _is_encodable(password):
        return False
    try:
        _hasher.verify(_hash_of_nobody() if account is None else account.password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None and account.is_active


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    """The hash that is checked for addresses without an account."""
    return _hasher.hash(secrets.token_urlsafe(32))


def _refused_first_account() -> WrongToken | AccountExists:
    sentinel = db.session.get(FirstAccount, 1)
    if sentinel is not None and sentinel.made_at is not None:
        return AccountExists(ALREADY_MADE)
    return WrongToken(NOT_VALID)


def _is_encodable(text: str) -> bool:
    """Whether the text has no half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _same(stored: bytes | None, given: bytes) -> bool:
    return stored is not None and secrets.compare_digest(stored, given)
