"""API clients: whom a token belongs to, and lists of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from statusapp.domain.api_access import is_client_id, scopes_of
from statusapp.domain.enums import ApiClientKind, Role, Scope
from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import ApiAccessToken, ApiClient, User
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

ORDERS = {
    "name": Order((func.lower(ApiClient.name), ApiClient.id), (str, int)),
    "made": Order((ApiClient.created_at, ApiClient.id), (datetime, int)),
}


@dataclass(frozen=True, slots=True)
class ShownClient:
    """What is needed to judge a client, and as whom it acts."""

    id: int
    client_id: str
    kind: ApiClientKind
    name: str
    secret_hash: bytes
    scopes: frozenset[Scope]
    expires_at: datetime | None
    revoked_at: datetime | None
    user_id: int
    email: str
    role: Role
    is_active: bool


@dataclass(frozen=True, slots=True)
class ShownAccessToken:
    """An access token, and the client that it was given to."""

    client: ShownClient
    scopes: frozenset[Scope]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiClientItem:
    """A client in a list.

    `state` is "valid", "expired", "revoked", or "closed" while its account is. `access_tokens` is how many are valid.
    """

    id: int
    client_id: str
    kind: ApiClientKind
    name: str
    scopes: tuple[Scope, ...]
    user_id: int
    email: str
    state: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    access_tokens: int


def find_client(client_id: str, kind: ApiClientKind) -> ShownClient | None:
    """The client of an id, whatever has become of it."""
    if not is_client_id(client_id):
        return None
    statement = _shown().where(ApiClient.client_id == client_id, ApiClient.kind == kind)
    row = db.session.execute(statement).one_or_none()
    return None if row is None else _shown_client(row)


def find_access_token(token_hash: bytes) -> ShownAccessToken | None:
    """An access token that was given out, expired or not."""
    statement = (
        _shown()
        .add_columns(ApiAccessToken.scopes, ApiAccessToken.expires_at)
        .join(ApiAccessToken, ApiAccessToken.api_client_id == ApiClient.id)
        .where(ApiAccessToken.token_hash == token_hash)
    )
    row = db.session.execute(statement).one_or_none()
    return None if row is None else ShownAccessToken(_shown_client(row), scopes_of(row[-2]), row[-1])


def page_of_clients(wanted: Wanted, now: datetime, account_id: int | None = None) -> Page[ApiClientItem]:
    """Clients, of one account or of all: one statement. Filters: kind, and state as `ApiClientItem` has it."""
    statement = _items(now)
    if account_id is not None:
        statement = statement.where(ApiClient.user_id == account_id)
    if wanted.search:
        pattern = containing(wanted.search.lower())
        searched = (func.lower(ApiClient.name), User.email, ApiClient.client_id)
        statement = statement.where(or_(*(column.like(pattern, escape="\\") for column in searched)))
    if "kind" in wanted.filters:
        statement = statement.where(ApiClient.kind == wanted.filters["kind"])
    if "state" in wanted.filters:
        statement = statement.where(_is_in_state(wanted.filters["state"], now))
    return load_page(statement, ORDERS, wanted, lambda row: _item(row, now))


def list_clients(account_id: int | None, kind: ApiClientKind | None, now: datetime) -> list[ApiClientItem]:
    """The clients of an account, or of all, that are not revoked, the newest first.

    An account has a hundred at most that have not expired.
    """
    statement = _items(now).where(ApiClient.revoked_at.is_(None))
    if account_id is not None:
        statement = statement.where(ApiClient.user_id == account_id)
    if kind is not None:
        statement = statement.where(ApiClient.kind == kind)
    rows = db.session.execute(statement.order_by(ApiClient.created_at.desc(), ApiClient.id.desc()))
    return [_item(row, now) for row in rows]


def get_client(client_id: str, now: datetime, account_id: int | None = None) -> ApiClientItem:
    """One client, of one account or of any.

    Raises:
        NotFound: when there is none of this id.
    """
    statement = _items(now).where(ApiClient.client_id == client_id)
    if account_id is not None:
        statement = statement.where(ApiClient.user_id == account_id)
    row = db.session.execute(statement).one_or_none() if is_client_id(client_id) else None
    if row is None:
        raise NotFound("There is no such API client, or not any more.")
    return _item(row, now)


def _shown() -> Any:
    return select(ApiClient, User.email, User.role, User.is_active).join(User, User.id == ApiClient.user_id)


def _shown_client(row: Any) -> ShownClient:
    client = row.ApiClient
    return ShownClient(
        client.id,
        client.client_id,
        client.kind,
        client.name,
        client.secret_hash,
        scopes_of(client.scopes),
        client.expires_at,
        client.revoked_at,
        client.user_id,
        row.email,
        row.role,
        row.is_active,
    )


def _items(now: datetime) -> Any:
    tokens = (
        select(func.count(ApiAccessToken.id))
        .where(ApiAccessToken.api_client_id == ApiClient.id, ApiAccessToken.expires_at > now)
        .scalar_subquery()
    )
    joined = select(ApiClient, User.email, User.is_active, tokens.label("tokens"))
    return joined.join(User, User.id == ApiClient.user_id)


def _item(row: Any, now: datetime) -> ApiClientItem:
    client, state = row.ApiClient, "valid"
    if client.revoked_at is not None:
        state = "revoked"
    elif client.expires_at is not None and client.expires_at <= now:
        state = "expired"
    elif not row.is_active:
        state = "closed"
    return ApiClientItem(
        client.id,
        client.client_id,
        client.kind,
        client.name,
        tuple(sorted(scopes_of(client.scopes))),
        client.user_id,
        row.email,
        state,
        client.created_at,
        client.expires_at,
        client.revoked_at,
        row.tokens,
    )


def _is_in_state(state: str, now: datetime) -> Any:
    """The condition of a state; the states exclude each other in the order of `_item`."""
    kept = ApiClient.revoked_at.is_(None)
    running = or_(ApiClient.expires_at.is_(None), ApiClient.expires_at > now)
    return {
        "revoked": ApiClient.revoked_at.is_not(None),
        "expired": and_(kept, ApiClient.expires_at <= now),
        "closed": and_(kept, running, ~User.is_active),
        "valid": and_(kept, running, User.is_active),
    }[state]
