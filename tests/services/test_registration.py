"""Accounts that people make for themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from statusapp.domain.enums import AuditAction, AuditKind, Role
from statusapp.domain.errors import AccountExists, InvalidInput, RegistrationClosed
from statusapp.extensions import db
from statusapp.models import AuditEntry, User
from statusapp.services import accounts, sessions
from statusapp.services.registration import register

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER, EMAIL, PASSWORD = "owner@example.org", "visitor@example.org", "correct horse battery"


@pytest.fixture
def is_open(app: Flask) -> None:
    """An installation that lets people register, and has its owner."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], registration="open")
    accounts.create_first_account(None, OWNER, PASSWORD, NOW)


def addresses() -> list[str]:
    return list(db.session.scalars(select(User.email).order_by(User.id)))


@pytest.mark.usefixtures("is_open")
def test_whoever_registers_is_a_viewer_and_can_sign_in() -> None:
    account_id = register(" Visitor@Example.org ", PASSWORD, NOW)
    account = db.session.get_one(User, account_id)
    assert (account.email, account.role, account.is_active, account.password_set_at) == (EMAIL, Role.VIEWER, True, NOW)
    assert sessions.find_session(sessions.sign_in(EMAIL, PASSWORD, NOW).token, NOW) is not None
    made = (AuditEntry.kind == AuditKind.ACCOUNT) & (AuditEntry.action == AuditAction.ADDED)
    entry = db.session.scalars(select(AuditEntry).where(made, AuditEntry.subject_id == account_id)).one()
    assert (entry.actor, entry.account_id, entry.changes["role"]) == (EMAIL, account_id, [None, "viewer"])
    assert PASSWORD not in str(entry.changes)
    assert account.password_hash not in str(entry.changes)


@pytest.mark.usefixtures("is_open")
def test_an_address_has_one_account_which_stays_as_it_is() -> None:
    with pytest.raises(AccountExists):
        register(OWNER.upper(), "another horse battery", NOW)
    assert addresses() == [OWNER]
    assert sessions.sign_in(OWNER, PASSWORD, NOW).token


@pytest.mark.usefixtures("is_open")
@pytest.mark.parametrize(("email", "password"), [("nobody", PASSWORD), (EMAIL, "short"), (EMAIL, "x" * 2000)])
def test_what_cannot_be_used_makes_no_account(email: str, password: str) -> None:
    with pytest.raises(InvalidInput):
        register(email, password, NOW)
    assert addresses() == [OWNER]


def test_the_first_account_is_its_owner_s(app: Flask) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], registration="open")
    with pytest.raises(RegistrationClosed, match="flask create_admin"):
        register(EMAIL, PASSWORD, NOW)
    assert addresses() == []


def test_it_is_closed_unless_it_was_opened(app: Flask) -> None:
    accounts.create_first_account(None, OWNER, PASSWORD, NOW)
    with pytest.raises(RegistrationClosed, match="is closed"):
        register(EMAIL, PASSWORD, NOW)
    assert addresses() == [OWNER]
