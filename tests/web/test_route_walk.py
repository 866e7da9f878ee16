"""Every route, asked by everybody: the answer is the one that its guard declares, and reading changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine, text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from statusapp.domain.enums import Role
from statusapp.extensions import db
from statusapp.services.sessions import sign_out
from statusapp.web import WITHOUT_COOKIES, api, guards
from tests.web.conftest import PASSWORD, csrf_token

READING, WRITING = ("GET",), ("POST", "PUT", "PATCH", "DELETE")
HTML = {"Accept": "text/html"}
# What stands in an address. Rows of these numbers need not be there: the guard comes first.
VALUES = {"token": "x" * 43, "secret": "nonsense", "filename": "style.css", "name": "Shop", "day": "2026-11-24",
          "word": "fired", "kind": "status", "form": "svg", "exit_code": 3}  # fmt: skip
# A ping is told by opening its address.
CHANGED_BY_READING = ("ping.success", "ping.start", "ping.fail", "ping.ended")
LEAST = {guards.viewer: Role.VIEWER, guards.staff: Role.STAFF, guards.owner: Role.OWNER}
TOKENS_ONLY = (guards.bearer, guards.bearer_of_account, guards.bearer_staff, guards.bearer_ingest)
WRITERS = {api.member: Role.STAFF, api.owner: Role.OWNER}
CALLERS = ("anonymous", "viewer", "staff", "owner", "ended")


def walk(app: Flask, methods: tuple[str, ...]) -> Iterator[tuple[Rule, str, str]]:
    """Each route with each of its methods among these, and an address of it."""
    for rule in app.url_map.iter_rules():
        built = rule.build({name: VALUES.get(name, 1) for name in rule.arguments}, append_unknown=False)
        assert built is not None, rule
        for method in sorted((rule.methods or set()) & set(methods)):
            yield rule, method, built[1]


def role_of(caller: str) -> Role | None:
    return None if caller in ("anonymous", "ended") else Role[caller.upper()]


@pytest.fixture
def as_caller(app: Flask, client: FlaskClient, make_account: Callable[..., str]) -> Callable[[str], None]:
    """Make the client's cookie one of somebody, or of nobody."""

    def become(caller: str) -> None:
        if caller == "anonymous":
            return
        role = role_of(caller)
        email = make_account(f"{caller}@example.org", Role.OWNER if role is None else role)
        form = {"email": email, "password": PASSWORD, "csrf_token": csrf_token(client, "/auth/login")}
        assert client.post("/auth/login", data=form).status_code == 302
        if caller == "ended":
            with client.session_transaction() as session:
                sign_out(session["_user_id"])

    return become


def is_sent_to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/auth/login")


def check_reading(guard: Any, role: Role | None, answer: TestResponse, what: str) -> None:
    """The answer to a GET is what the guard declares for a role, None being nobody."""
    if guard is guards.public:
        assert answer.status_code in (200, 302, 304, 400, 404, 503), what
        assert not is_sent_to_sign_in(answer), what
    elif guard in LEAST:
        if role is None:
            assert is_sent_to_sign_in(answer), what
        elif role < LEAST[guard]:
            assert answer.status_code == 403, what
        else:
            assert answer.status_code in (200, 302, 404), what
            assert not is_sent_to_sign_in(answer), what
            assert answer.headers["Cache-Control"] == "no-store", what
    elif guard in TOKENS_ONLY or role is None:
        assert answer.status_code == 401, what
    else:
        assert answer.status_code in (200, 404), what


def check_writing(rule: Rule, guard: Any, role: Role | None, answer: TestResponse, what: str) -> None:
    """Nothing that changes something is done for a cookie without the CSRF token."""
    if guard in TOKENS_ONLY:
        assert answer.status_code == 401, what
    elif guard in WRITERS:
        expected = 401 if role is None else 403 if role < WRITERS[guard] else 400
        assert answer.status_code == expected, what + answer.text
    elif rule.endpoint.startswith("ping."):
        assert answer.status_code == 404, what
    elif rule.endpoint.partition(".")[0] in {blueprint.name for blueprint in WITHOUT_COOKIES}:
        # They take no cookie for an answer: their bodies hold what they need.
        assert answer.status_code == 400, what
        assert "error" in answer.json, what
    else:
        # A form's token is looked at before who sends it.
        assert answer.status_code == 400, what
        assert "The form has expired." in answer.text, what


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_answers_everybody_as_its_guard_declares(
    app: Flask, client: FlaskClient, as_caller: Callable[[str], None], caller: str
) -> None:
    as_caller(caller)
    role, walked = role_of(caller), 0
    for rule, method, address in walk(app, READING + WRITING):
        guard = guards.guard_of(app, rule.endpoint)
        assert guard is not None, f"{rule} has no guard"
        answer = client.open(address, method=method, headers=HTML)
        what = f"{caller}: {method} {address} ({rule.endpoint}): {answer.status}"
        if method == "GET":
            check_reading(guard, role, answer, what)
        else:
            check_writing(rule, guard, role, answer, what)
        walked += 1
    assert walked > 150


def writes(connection: Connection) -> int:
    """A number that changes when anybody else has changed the database."""
    return int(connection.execute(text("PRAGMA data_version")).scalar_one())


def test_reading_changes_nothing_but_by_a_ping(
    app: Flask, client: FlaskClient, as_caller: Callable[[str], None], make_service: Callable[..., int], now: datetime
) -> None:
    make_service()
    as_caller("owner")
    engine = create_engine(db.engine.url)
    with engine.connect() as connection:
        before = writes(connection)
        for rule, method, address in walk(app, READING):
            if rule.endpoint in CHANGED_BY_READING:
                continue
            client.open(address, method=method, headers=HTML)
            assert writes(connection) == before, f"{method} {address} has changed something"
        client.post("/admin/health/serviceendpoint/run", data={"csrf_token": csrf_token(client, "/auth/account/")})
        assert writes(connection) != before, "the check cannot fail"
    engine.dispose()
