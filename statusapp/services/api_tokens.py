"""Tokens of the API: whose they are, and what they may do at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from statusapp.domain.actors import Actor
from statusapp.domain.api_access import LEAST_ROLE, Prefix, is_allowed, prefix_of, read_token, role_within
from statusapp.domain.enums import ApiClientKind, Role, Scope
from statusapp.domain.errors import TokenRefused
from statusapp.queries.accounts import KnownAccount
from statusapp.queries.api_clients import ShownClient, find_access_token, find_client
from statusapp.services.credentials import digest, is_same
from statusapp.services.last_used import LastUsed
from statusapp.services.sessions import find_session

NOT_WHOLE = (
    "This token is not whole: its checksum does not fit. Copy it once more, from its first character to its last."
)
UNKNOWN = "This token is not known, or not any more."
WRONG_SECRET = "The application is not known, or its secret is another one."  # noqa: S105 - a sentence
KIND_WORDS = {ApiClientKind.TOKEN: "token", ApiClientKind.APPLICATION: "application"}

used = LastUsed("statusapp:api-client-used:", timedelta(days=400))


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Somebody who is known by a token.

    Attributes:
        account: whose token it is. Its role is that as which the token acts: the account's own, or a lower one when the
            scopes are for less.
        own_role: the account's own role at this moment.
        scopes: what the token is for; None for a sign-in, which may do all that the account may.
        client: the token or application; None for a sign-in.
        expires_at: when the token ends; None for a sign-in, and for what has no end.
    """

    account: KnownAccount
    own_role: Role
    scopes: frozenset[Scope] | None = None
    client: ShownClient | None = None
    expires_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        """Whether it may do what a scope is for."""
        if self.scopes is None:
            return self.own_role >= LEAST_ROLE[scope]
        return is_allowed(self.scopes, self.own_role, scope)

    @property
    def actor(self) -> Actor:
        """Whose doing a change is."""
        via = None if self.client is None else f"{KIND_WORDS[self.client.kind]} {self.client.name}"
        return Actor(self.account.user_id, self.account.email, via)


def find_access(token: str, now: datetime) -> ApiAccess:
    """What a token of any kind is good for: an API token, an application's access token, or a sign-in's.

    Raises:
        TokenRefused: when it is good for nothing; the message tells why, to whoever has a token that once was.
    """
    prefix = prefix_of(token)
    if prefix is None:
        account = find_session(token, now)
        if account is None:
            raise TokenRefused(UNKNOWN)
        return ApiAccess(account, account.role)
    client_id = read_token(prefix, token)
    if client_id is None:
        raise TokenRefused(NOT_WHOLE)
    if prefix is Prefix.CLIENT_SECRET:
        raise TokenRefused("This is an application's secret. It is for getting an access token, which goes here.")
    if prefix is Prefix.TOKEN:
        client = find_client(client_id, ApiClientKind.TOKEN)
        if client is None or not is_same(client.secret_hash, digest(token)):
            raise TokenRefused(UNKNOWN)
        return _admitted(client, client.scopes, client.expires_at, now)
    found = find_access_token(digest(token))
    if found is None:
        raise TokenRefused(UNKNOWN)
    if found.expires_at <= now:
        raise TokenRefused("This access token has expired; get a new one.")
    return _admitted(found.client, found.scopes, found.expires_at, now)


def find_application(client_id: str, secret: str, now: datetime) -> ShownClient:
    """The application of an id and a secret.

    Raises:
        TokenRefused: when it is not known by these, or good for nothing any more.
    """
    is_whole = read_token(Prefix.CLIENT_SECRET, secret) is not None
    client = find_client(client_id, ApiClientKind.APPLICATION) if is_whole else None
    if client is None or not is_same(client.secret_hash, digest(secret)):
        raise TokenRefused(WRONG_SECRET)
    _check(client, now)
    return client


def last_used(client_ids: list[str]) -> dict[str, datetime]:
    """When clients were last used, to the minute; nothing is known while Redis is away or new."""
    return used.find(client_ids)


def _admitted(client: ShownClient, scopes: frozenset[Scope], expires_at: datetime | None, now: datetime) -> ApiAccess:
    _check(client, now)
    used.say(client.client_id, now)
    account = KnownAccount(client.user_id, client.email, role_within(scopes, client.role))
    return ApiAccess(account, client.role, scopes, client, expires_at)


def _check(client: ShownClient, now: datetime) -> None:
    kind = KIND_WORDS[client.kind]
    if client.revoked_at is not None:
        raise TokenRefused(f"This {kind} was revoked.")
    if client.expires_at is not None and client.expires_at <= now:
        raise TokenRefused(f"This {kind} expired on {client.expires_at:%Y-%m-%d}; make a new one.")
    if not client.is_active:
        raise TokenRefused(f"The account of this {kind} is closed.")
