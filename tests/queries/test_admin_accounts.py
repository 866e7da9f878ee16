"""Accounts and the audit log in lists; the same on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind, Role
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import User, UserSession
from statusapp.queries.admin_accounts import get_account, list_sessions, page_of_accounts
from statusapp.queries.admin_audit import list_actors, page_of_audit
from statusapp.queries.paging import Wanted
from statusapp.services import audit
from tests.world import T0

NOW = from_us(T0)


@pytest.fixture
def accounts(app: Flask) -> list[int]:
    """An owner with one session that goes on and one that has expired, somebody invited, and a closed account."""
    with write_transaction(db.session) as session:
        rows = [
            User(email="ann@example.org", role=Role.OWNER, is_active=True, password_set_at=NOW),
            User(email="bob@example.org", role=Role.VIEWER, is_active=True),
            User(email="cy@example.org", role=Role.STAFF, is_active=False, password_set_at=NOW),
        ]
        for row in rows:
            row.password_hash, row.created_at = "x", NOW
        session.add_all(rows)
        session.flush()
        for number, length in enumerate((timedelta(days=1), timedelta(0))):
            session.add(
                UserSession(
                    token_hash=bytes([number]) * 32, user_id=rows[0].id, created_at=NOW, expires_at=NOW + length
                )
            )
        return [row.id for row in rows]


def test_accounts_have_their_states_and_sessions(accounts: list[int]) -> None:
    page = page_of_accounts(Wanted("email"), NOW)
    assert [(row.email[:3], row.state, row.sessions) for row in page.rows] == [
        ("ann", "active", 1), ("bob", "invited", 0), ("cy@", "closed", 0),
    ]  # fmt: skip
    assert [one.expires_at for one in list_sessions(accounts[0], NOW)] == [NOW + timedelta(days=1)]
    assert get_account(accounts[1], NOW).email == "bob@example.org"
    with pytest.raises(NotFound):
        get_account(max(accounts) + 1, NOW)


@pytest.mark.parametrize(
    ("filters", "search", "found"),
    [
        ({"state": "active"}, "", ["ann"]),
        ({"state": "invited"}, "", ["bob"]),
        ({"state": "closed"}, "", ["cy@"]),
        ({"role": Role.VIEWER}, "", ["bob"]),
        ({}, "B@EXAMPLE", ["bob"]),
        ({}, "%", []),
    ],
)
def test_accounts_are_found(accounts: list[int], filters: dict[str, object], search: str, found: list[str]) -> None:
    page = page_of_accounts(Wanted("email", search=search, filters=filters), NOW)
    assert [row.email[:3] for row in page.rows] == found


def test_changes_are_found_by_who_what_and_when_and_actors_by_their_index(app: Flask) -> None:
    ann, bob = Actor(1, "ann@example.org"), Actor(2, "bob@example.org")
    with write_transaction(db.session) as session:
        for hour, (actor, kind, name) in enumerate(
            [(ann, AuditKind.GROUP, "Payments"), (bob, AuditKind.SERVICE, "Shop"), (ann, AuditKind.SERVICE, "50 % off")]
        ):
            at = NOW + timedelta(hours=hour)
            audit.record(session, actor, AuditAction.CHANGED, kind, 1, name, at, {"interval_s": 60}, {"interval_s": 30})

    def names(search: str = "", **filters: object) -> list[str]:
        page = page_of_audit(Wanted("time", descending=True, search=search, filters=filters), NOW)
        return [row.subject for row in page.rows]

    assert names() == ["50 % off", "Shop", "Payments"]
    assert names(actor="ann@example.org") == ["50 % off", "Payments"]
    assert names(kind=AuditKind.SERVICE, since=NOW + timedelta(hours=2)) == ["50 % off"]
    assert names(until=NOW + timedelta(hours=1)) == ["Payments"]
    assert names("0 % o") == ["50 % off"]
    assert names("sHOp", action=AuditAction.CHANGED) == ["Shop"]
    assert page_of_audit(Wanted("time"), NOW).rows[0].changes == {"interval_s": [60, 30]}
    assert list_actors() == ["ann@example.org", "bob@example.org"]
