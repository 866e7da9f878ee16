"""Services, ledgers and accounts put into the database the way the workers leave them there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import sync_playwright
from sqlalchemy import select

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import ApiClientKind, Role, Rule, Scope, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.extensions import db
from statusapp.models import EndpointState, ServiceEndpoint, StatusChangeRow, User
from statusapp.services import credentials
from statusapp.services.api_clients import ClientDraft, NewClient, add_client
from tests.redis_process import run_redis
from tests.web.browsing import CHROMIUM
from tests.web.compiling import compile_once
from tests.web.tokens import MakeClient

compile_once()

PASSWORD = "correct horse battery"

MakeService = Callable[..., int]


@pytest.fixture
def with_web() -> bool:
    """These tests make requests."""
    return True


@pytest.fixture
def now() -> datetime:
    """The instant at which the test's world stands."""
    return utcnow()


@pytest.fixture
def make_service(app: Flask, now: datetime) -> MakeService:
    """Make a service that was checked 12 s ago and has had its status for two days. Returns its id."""

    def make(
        name: str = "API Root",
        status: Status = Status.OPERATIONAL,
        *,
        checked: timedelta | None = timedelta(seconds=12),
        since: timedelta = timedelta(days=2),
        total_us: int | None = 120_000,
        ledger: bool = True,
        **columns: Any,
    ) -> int:
        values = {"url": "http://127.0.0.1:1/", "interval_s": 60, "created_at": now, "updated_at": now} | columns
        endpoint = ServiceEndpoint(name=name, **values)
        checked_at = None if checked is None else to_us(now - checked)
        endpoint.state = EndpointState(
            status=status,
            status_since=to_us(now - since),
            last_checked_at=checked_at,
            silent_after=None if checked_at is None else checked_at + 3 * values["interval_s"] * SECOND,
            last_total_us=total_us,
        )
        with write_transaction(db.session) as session:
            session.add(endpoint)
            session.flush()
            if ledger:
                session.add(interval(endpoint.id, status, now - since))
        return endpoint.id

    return make


def interval(endpoint_id: int, status: Status, start: datetime, end: datetime | None = None) -> StatusChangeRow:
    """One interval of the ledger."""
    return StatusChangeRow(
        endpoint_id=endpoint_id,
        previous=Status.UNKNOWN,
        status=status,
        started_at=to_us(start),
        recorded_at=to_us(start),
        ended_at=None if end is None else to_us(end),
        rule=Rule.FIRST_RESULT,
    )


@pytest.fixture
def add_interval(app: Flask) -> Callable[..., None]:
    """Add an interval to the ledger of a service."""

    def add(endpoint_id: int, status: Status, start: datetime, end: datetime | None = None) -> None:
        with write_transaction(db.session) as session:
            session.add(interval(endpoint_id, status, start, end))

    return add


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return credentials.hash_password(PASSWORD)


@pytest.fixture
def make_account(app: Flask, now: datetime) -> Callable[..., str]:
    """Make an account with `PASSWORD` and return its email address."""

    def make(email: str = "owner@example.org", role: Role = Role.OWNER) -> str:
        with write_transaction(db.session) as session:
            session.add(User(email=email, password_hash=_password_hash(), role=role, is_active=True, created_at=now))
        return email

    return make


@pytest.fixture
def sign_in(client: FlaskClient, app: Flask) -> Callable[[str], Any]:
    """Sign the client in through the form."""

    def submit(email: str, password: str = PASSWORD, path: str = "/auth/login") -> Any:
        return client.post(path, data={"email": email, "password": password, "csrf_token": csrf_token(client, path)})

    return submit


@pytest.fixture
def token_of(client: FlaskClient) -> Callable[[str], str]:
    """A token for the API of an account."""

    def ask(email: str) -> str:
        answer = client.post("/api/v1/auth/login/", json={"email": email, "password": PASSWORD})
        return str(answer.json["token"])

    return ask


@pytest.fixture
def make_client(make_account: Callable[..., str], now: datetime) -> MakeClient:
    """Make a token or an application of an account of its own, or of the one that has the address."""

    def make(
        *scopes: Scope,
        role: Role = Role.OWNER,
        kind: ApiClientKind = ApiClientKind.TOKEN,
        ends: datetime | None = None,
        at: datetime = now,
        email: str = "owner@example.org",
    ) -> NewClient:
        account_id = db.session.scalar(select(User.id).where(User.email == email))
        if account_id is None:
            make_account(email, role)
            account_id = db.session.scalars(select(User.id).where(User.email == email)).one()
        draft = ClientDraft(kind, "deploy", frozenset(scopes or (Scope.READ,)), ends)
        return add_client(account_id, draft, Actor(account_id, email), at)

    return make


@pytest.fixture
def application(make_client: MakeClient) -> NewClient:
    """An owner's application that may write."""
    return make_client(Scope.WRITE, kind=ApiClientKind.APPLICATION)


def csrf_token(client: FlaskClient, path: str) -> str:
    """The token in the form at `path`."""
    html = client.get(path, headers={"Accept": "text/html"}).text
    return html.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis of the test's own."""
    with run_redis(tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the tests of a file; Django refuses to run beside its driver's event loop."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Operator:
    """A signed-in browser that sends forms with their token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = csrf_token(client, "/admin/")

    def get(self, path: str, **options: Any) -> Any:
        """Ask for a page."""
        return self.client.get(path, headers={"Accept": "text/html"}, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """Send a form."""
        values = {"csrf_token": self._token} | (data or {})
        return self.client.post(path, data=values, headers={"Accept": "text/html"}, **options)


@pytest.fixture
def operator(client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]) -> Operator:
    """An owner's browser."""
    sign_in(make_account())
    return Operator(client)


@pytest.fixture
def staff_operator(client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]) -> Operator:
    """The browser of somebody of staff."""
    sign_in(make_account("staff@example.org", Role.STAFF))
    return Operator(client)
