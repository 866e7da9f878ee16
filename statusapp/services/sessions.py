"""Sign-ins: they stay on the server and end there, wherever copies of their cookie may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import InvalidInput, NotFound, WrongCredentials
from statusapp.domain.visitors import cut_address
from statusapp.extensions import db
from statusapp.models import User, UserSession
from statusapp.queries.accounts import Credentials, SignedInAccount, find_credentials, find_signed_in
from statusapp.services import audit
from statusapp.services.credentials import check_email, digest, fits, hash_password, is_outdated, new_token
from statusapp.services.last_used import LastUsed

SESSION_LIFETIME = timedelta(days=7)
USER_AGENT_LENGTH = 200

_seen = LastUsed("statusapp:session-seen:", SESSION_LIFETIME)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session that has just begun. The token is known to nobody else and is not kept here."""

    token: str
    expires_at: datetime


def sign_in(email: str, password: str, now: datetime, user_agent: str = "", address: str = "") -> SignIn:
    """Begin a session.

    Takes as long for an unknown address as for a known one, so that time does not tell which addresses exist.

    Args:
        address: the IP address that it comes from, of which the network is kept.

    Raises:
        WrongCredentials: when nobody is signed in by these credentials.
    """
    try:
        found = find_credentials(check_email(email))
    except InvalidInput:
        found = None
    # The connection goes back before the slow part.
    db.session.rollback()
    is_right = fits(None if found is None else found.password_hash, password)
    if not is_right or found is None or not found.is_active:
        raise WrongCredentials("Email or password is wrong.")
    return _begin_session(found, password, now, user_agent, address)


def find_session(token: str, now: datetime) -> SignedInAccount | None:
    """The account signed in by this token; None when the session has ended or the account is closed."""
    found = find_signed_in(digest(token), now)
    if found is not None:
        # The number of a session that has ended may be given again.
        _seen.say(found.session_id, now, key=(found.session_id, found.session_began))
    return found


def sign_out(token: str) -> None:
    """End the session of this token, wherever else its cookie may still be."""
    with write_transaction(db.session) as session:
        session.execute(delete(UserSession).where(UserSession.token_hash == digest(token)))


def end_session(account_id: int, session_id: int, actor: Actor, now: datetime) -> None:
    """End one session of an account.

    Raises:
        NotFound: when the account has no such session, or not any more.
    """
    with write_transaction(db.session) as session:
        chosen = delete(UserSession).where(UserSession.id == session_id, UserSession.user_id == account_id)
        if not session.execute(chosen.returning(UserSession.id)).all():
            raise NotFound("This session has ended already.")
        _record_end(session, account_id, actor, now)


def end_every_session(account_id: int, actor: Actor, now: datetime) -> None:
    """End all sessions of an account, in all browsers and programs."""
    with write_transaction(db.session) as session:
        end_all_sessions(session, account_id)
        _record_end(session, account_id, actor, now)


def end_all_sessions(session: Session, account_id: int) -> None:
    """End them in the caller's transaction."""
    session.execute(delete(UserSession).where(UserSession.user_id == account_id))


def last_seen(session_ids: Sequence[int]) -> dict[int, datetime]:
    """When sessions were last used, to the minute; nothing is known while Redis is away or new."""
    return _seen.find(session_ids)


def _begin_session(account: Credentials, password: str, now: datetime, user_agent: str, address: str) -> SignIn:
    token, expires_at = new_token(), now + SESSION_LIFETIME
    new_hash = hash_password(password) if is_outdated(account.password_hash) else None
    with write_transaction(db.session) as session:
        user = session.get_one(User, account.user_id, with_for_update=True, populate_existing=True)
        if user.password_hash != account.password_hash or not user.is_active:
            # Changed while it was being checked; what it was is worth nothing now.
            raise WrongCredentials("Email or password is wrong.")
        session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.expires_at <= now))
        session.add(
            UserSession(
                token_hash=digest(token),
                user_id=user.id,
                created_at=now,
                expires_at=expires_at,
                user_agent=user_agent[:USER_AGENT_LENGTH],
                address=cut_address(address),
            )
        )
        user.last_sign_in_at = now
        if new_hash is not None:
            user.password_hash = new_hash
        actor = Actor(user.id, user.email)
        audit.record(session, actor, AuditAction.SIGNED_IN, AuditKind.ACCOUNT, user.id, user.email, now)
    return SignIn(token, expires_at)


def _record_end(session: Session, account_id: int, actor: Actor, now: datetime) -> None:
    email = session.get_one(User, account_id).email
    audit.record(session, actor, AuditAction.ENDED_SESSIONS, AuditKind.ACCOUNT, account_id, email, now)
