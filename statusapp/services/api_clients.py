"""API clients: making and revoking tokens and applications, and giving applications their access tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.api_access import (
    ALPHABET,
    ID_LENGTH,
    LEAST_ROLE,
    SECRET_LENGTH,
    Prefix,
    is_client_id,
    mask_of,
    scopes_of,
    write_token,
)
from statusapp.domain.enums import ApiClientKind, AuditAction, AuditKind, Role, Scope
from statusapp.domain.errors import InvalidInput, NotFound, WrongCredentials
from statusapp.extensions import db
from statusapp.models import ApiAccessToken, ApiClient, User
from statusapp.services import audit
from statusapp.services.credentials import digest

ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
LONGEST_NAME = 100
LONGEST_LIFETIME = timedelta(days=3660)
# So that a program that makes one each time it runs is noticed.
MOST_CLIENTS = 100
AUDITED = {ApiClientKind.TOKEN: AuditKind.API_TOKEN, ApiClientKind.APPLICATION: AuditKind.APPLICATION}
MISSING = "There is no such API client, or it was revoked already."


@dataclass(frozen=True, slots=True)
class ClientDraft:
    """An API client as somebody wants it. Without an end it works until it is revoked."""

    kind: ApiClientKind
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client that was just made. `secret` is the token, or the application's secret; it is kept nowhere."""

    client_id: str
    kind: ApiClientKind
    name: str
    scopes: tuple[Scope, ...]
    secret: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was just given out. The token is kept nowhere."""

    token: str
    scopes: tuple[Scope, ...]
    expires_at: datetime


def add_client(account_id: int, draft: ClientDraft, actor: Actor, now: datetime) -> NewClient:
    """Make an API client of an account.

    Raises:
        NotFound: when there is no such account, or it is closed.
        InvalidInput: when name, scopes or end cannot be used.
    """
    name = _checked_name(draft.name)
    _check_end(draft.expires_at, now)
    client_id = _random(ID_LENGTH)
    prefix = Prefix.TOKEN if draft.kind is ApiClientKind.TOKEN else Prefix.CLIENT_SECRET
    secret = write_token(prefix, client_id, _random(SECRET_LENGTH))
    with write_transaction(db.session) as session:
        account = session.get(User, account_id, with_for_update=True, populate_existing=True)
        if account is None or not account.is_active:
            raise NotFound("There is no such account.")
        _check_scopes(draft.scopes, account.role)
        _check_number(session, account_id, now)
        client = ApiClient(
            client_id=client_id,
            kind=draft.kind,
            user_id=account_id,
            name=name,
            secret_hash=digest(secret),
            scopes=mask_of(draft.scopes),
            created_at=now,
            expires_at=draft.expires_at,
        )
        session.add(client)
        session.flush()
        _record(session, actor, AuditAction.ADDED, client, account.email, now)
    return NewClient(client_id, draft.kind, name, tuple(sorted(draft.scopes)), secret, now, draft.expires_at)


def revoke_client(client_id: str, actor: Actor, now: datetime, account_id: int | None = None) -> None:
    """End a client with all its access tokens, for good.

    Args:
        client_id: which one.
        actor: who does it.
        now: when.
        account_id: whose it must be; None for that of any account.

    Raises:
        NotFound: when there is none that could be revoked.
    """
    if not is_client_id(client_id):
        raise NotFound(MISSING)
    with write_transaction(db.session) as session:
        chosen = select(ApiClient).where(ApiClient.client_id == client_id, ApiClient.revoked_at.is_(None))
        if account_id is not None:
            chosen = chosen.where(ApiClient.user_id == account_id)
        locked = chosen.with_for_update().execution_options(populate_existing=True)
        client = session.scalars(locked).one_or_none()
        if client is None:
            raise NotFound(MISSING)
        client.revoked_at = now
        session.execute(delete(ApiAccessToken).where(ApiAccessToken.api_client_id == client.id))
        email = session.get_one(User, client.user_id).email
        _record(session, actor, AuditAction.DELETED, client, email, now)


def issue_access_token(application_id: int, scopes: frozenset[Scope], now: datetime) -> AccessToken:
    """Give an application an access token. It ends with the application at the latest.

    Raises:
        WrongCredentials: when the application was revoked, or its account closed, since its secret was looked at.
    """
    token = write_token(Prefix.ACCESS_TOKEN, "", _random(SECRET_LENGTH))
    with write_transaction(db.session) as session:
        # A lock, so that an application that is being revoked gets none afterwards.
        client = session.get(ApiClient, application_id, with_for_update=True, populate_existing=True)
        account = None if client is None else session.get(User, client.user_id, populate_existing=True)
        if client is None or client.revoked_at is not None or account is None or not account.is_active:
            raise WrongCredentials("This application was revoked.")
        session.execute(delete(ApiAccessToken).where(ApiAccessToken.expires_at <= now))
        expires_at = min(now + ACCESS_TOKEN_LIFETIME, client.expires_at or datetime.max.replace(tzinfo=now.tzinfo))
        session.add(
            ApiAccessToken(
                token_hash=digest(token),
                api_client_id=client.id,
                scopes=mask_of(scopes),
                created_at=now,
                expires_at=expires_at,
            )
        )
    return AccessToken(token, tuple(sorted(scopes)), expires_at)


def end_access_token(token: str) -> None:
    """End an access token before its time."""
    with write_transaction(db.session) as session:
        session.execute(delete(ApiAccessToken).where(ApiAccessToken.token_hash == digest(token)))


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checked_name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name", f"Give it a name of 1 to {LONGEST_NAME} characters, by which you know it again.")
    return name


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at <= now + LONGEST_LIFETIME:
        raise InvalidInput("expires_at", "Choose an instant of the next ten years, or none for no end.")


def _check_scopes(scopes: frozenset[Scope], role: Role) -> None:
    if not scopes:
        raise InvalidInput("scopes", "Choose at least one scope.")
    for scope in sorted(scopes):
        if role < LEAST_ROLE[scope]:
            least = LEAST_ROLE[scope].word
            raise InvalidInput("scopes", f"{scope.word} is for accounts that are {least}; this one is {role.word}.")


def _check_number(session: Session, account_id: int, now: datetime) -> None:
    running = or_(ApiClient.expires_at.is_(None), ApiClient.expires_at > now)
    kept = select(func.count(ApiClient.id)).where(
        ApiClient.user_id == account_id, ApiClient.revoked_at.is_(None), running
    )
    if (session.scalar(kept) or 0) >= MOST_CLIENTS:
        raise InvalidInput("name", f"There are {MOST_CLIENTS} already. Revoke one that is not used any more.")


def _record(session: Session, actor: Actor, action: AuditAction, client: ApiClient, email: str, now: datetime) -> None:
    told = {
        "client_id": client.client_id,
        "account": email,
        "scopes": [scope.word for scope in sorted(scopes_of(client.scopes))],
        "expires_at": client.expires_at,
    }
    before, after = (None, told) if action is AuditAction.ADDED else (told, None)
    audit.record(session, actor, action, AUDITED[client.kind], client.id, client.name, now, before, after)
