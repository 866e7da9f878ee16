"""What owners change of accounts, passwords and their links, and what the audit log keeps of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, Role
from statusapp.domain.errors import InvalidInput, WrongCredentials, WrongToken
from statusapp.extensions import db
from statusapp.models import AuditEntry
from statusapp.queries.page_settings import load_page_settings
from statusapp.services import accounts, passwords, sessions
from statusapp.services.page import update_page_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMAIL, PASSWORD, OTHER = "owner@example.org", "correct horse battery", "another horse battery"


@pytest.fixture
def owner(app: Flask) -> Actor:
    """The first account."""
    return Actor(accounts.create_first_account(None, EMAIL, PASSWORD, NOW), EMAIL)


def entries() -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def id_of(actor: Actor) -> int:
    assert actor.account_id is not None
    return actor.account_id


def test_the_last_owner_stays_one(owner: Actor) -> None:
    with pytest.raises(InvalidInput, match="last owner"):
        accounts.change_role(id_of(owner), Role.STAFF, owner, NOW)
    with pytest.raises(InvalidInput, match="last owner"):
        accounts.set_active(id_of(owner), False, owner, NOW)
    second = accounts.add_account("second@example.org", Role.OWNER, owner, NOW)
    with pytest.raises(InvalidInput, match="last owner"):
        # Who has never chosen a password may never come.
        accounts.change_role(id_of(owner), Role.STAFF, owner, NOW)
    link = passwords.offer_link(second, owner, NOW)
    passwords.set_password(link.token, OTHER, NOW)
    accounts.change_role(id_of(owner), Role.STAFF, owner, NOW)


@pytest.mark.parametrize("change", ["role", "closed", "password"])
def test_sessions_end_with_what_they_were_begun_under(owner: Actor, change: str) -> None:
    key = accounts.add_account("staff@example.org", Role.STAFF, owner, NOW)
    passwords.set_password(passwords.offer_link(key, owner, NOW).token, PASSWORD, NOW)
    signed_in = sessions.sign_in("staff@example.org", PASSWORD, NOW)
    assert sessions.find_session(signed_in.token, NOW) is not None
    if change == "role":
        accounts.change_role(key, Role.VIEWER, owner, NOW)
    elif change == "closed":
        accounts.set_active(key, False, owner, NOW)
    else:
        passwords.change_password(key, PASSWORD, OTHER, Actor(key, "staff@example.org"), NOW)
    assert sessions.find_session(signed_in.token, NOW) is None


def test_a_link_works_once_and_not_for_long(owner: Actor) -> None:
    first = passwords.offer_link(id_of(owner), owner, NOW)
    second = passwords.offer_link(id_of(owner), owner, NOW)
    for token, at in ((first.token, NOW), (second.token, NOW + timedelta(hours=1)), ("guessed", NOW)):
        with pytest.raises(WrongToken):
            passwords.set_password(token, OTHER, at)
    assert passwords.opens_password(second.token, NOW)
    assert passwords.set_password(second.token, OTHER, NOW) == EMAIL
    with pytest.raises(WrongToken):
        passwords.set_password(second.token, PASSWORD, NOW)
    with pytest.raises(WrongCredentials):
        sessions.sign_in(EMAIL, PASSWORD, NOW)
    assert sessions.sign_in(EMAIL, OTHER, NOW).token


def test_another_password_needs_the_present_one(owner: Actor) -> None:
    for present, new, field in (
        (OTHER, OTHER, "present"),
        (PASSWORD, "short", "password"),
        (PASSWORD,) * 2 + ("password",),
    ):
        with pytest.raises(InvalidInput) as caught:
            passwords.change_password(id_of(owner), present, new, owner, NOW)
        assert caught.value.field == field


def test_what_was_done_is_written_down_without_secrets(owner: Actor) -> None:
    update_page_settings(load_page_settings(), actor=owner)
    update_page_settings(replace(load_page_settings(), title="Acme"), actor=owner)
    passwords.change_password(id_of(owner), PASSWORD, OTHER, owner, NOW)
    found = entries()
    assert found[0].action is AuditAction.ADDED
    page = next(entry for entry in reversed(found) if "title" in entry.changes)
    assert (page.actor, page.account_id) == (EMAIL, owner.account_id)
    assert page.changes["title"] == ["Driver App Status", "Acme"]
    assert not [entry for entry in found if "argon2" in str(entry.changes)]


def test_a_change_that_changes_nothing_is_not_written(owner: Actor) -> None:
    before = len(entries())
    accounts.change_role(id_of(owner), Role.OWNER, owner, NOW)
    accounts.set_active(id_of(owner), True, owner, NOW)
    assert len(entries()) == before
