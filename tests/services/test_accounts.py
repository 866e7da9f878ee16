"""Accounts and sessions on a real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from statusapp.database import write_transaction
from statusapp.domain.enums import Role
from statusapp.domain.errors import AccountExists, DomainError, InvalidInput, WrongCredentials, WrongToken
from statusapp.extensions import db
from statusapp.models import FirstAccount, User, UserSession
from statusapp.services import accounts, sessions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMAIL, PASSWORD = "owner@example.org", "correct horse battery"


@pytest.fixture
def owner(app: Flask) -> int:
    """The id of the first account."""
    return accounts.create_first_account(None, EMAIL, PASSWORD, NOW)


def test_the_first_account_is_an_owner_with_an_argon2id_hash(owner: int) -> None:
    account = db.session.get_one(User, owner)
    assert (account.email, account.role, account.is_active) == (EMAIL, Role.OWNER, True)
    assert account.password_hash.startswith("$argon2id$")


def test_a_token_makes_the_first_account_once(app: Flask) -> None:
    token = accounts.offer_first_account(NOW)
    assert token is not None
    assert accounts.opens_first_account(token)
    accounts.create_first_account(token, EMAIL, PASSWORD, NOW)
    assert not accounts.opens_first_account(token)
    with pytest.raises(AccountExists):
        accounts.create_first_account(token, "other@example.org", PASSWORD, NOW)
    assert accounts.offer_first_account(NOW) is None


def test_the_token_is_kept_as_a_hash_only(app: Flask) -> None:
    token = accounts.offer_first_account(NOW)
    stored = db.session.get_one(FirstAccount, 1).token_hash
    assert stored is not None
    assert token is not None
    assert len(stored) == 32
    assert token.encode() not in stored


def test_a_new_token_replaces_the_one_before(app: Flask) -> None:
    first, second = accounts.offer_first_account(NOW), accounts.offer_first_account(NOW)
    with pytest.raises(WrongToken):
        accounts.create_first_account(first, EMAIL, PASSWORD, NOW)
    accounts.create_first_account(second, EMAIL, PASSWORD, NOW)


def test_a_wrong_token_changes_nothing(app: Flask) -> None:
    accounts.offer_first_account(NOW)
    with pytest.raises(WrongToken):
        accounts.create_first_account("guess", EMAIL, PASSWORD, NOW)
    assert db.session.scalar(select(func.count(User.id))) == 0


@pytest.mark.parametrize("with_token", [True, False])
def test_of_twenty_at_once_one_makes_the_first_account(app: Flask, with_token: bool) -> None:
    token = accounts.offer_first_account(NOW) if with_token else None
    barrier = Barrier(20)

    def attempt(number: int) -> int | type[DomainError]:
        with app.app_context():
            barrier.wait()
            try:
                return accounts.create_first_account(token, f"owner{number}@example.org", PASSWORD, NOW)
            except DomainError as error:
                return type(error)

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(attempt, range(20)))
    assert results.count(AccountExists) == 19
    db.session.rollback()
    assert db.session.scalar(select(func.count(User.id))) == 1


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("", PASSWORD, "email"),
        ("no address", PASSWORD, "email"),
        ("a@b", PASSWORD, "email"),
        ("a\x00@example.org", PASSWORD, "email"),
        ("\ud800@example.org", PASSWORD, "email"),
        ("a" * 250 + "@example.org", PASSWORD, "email"),
        (EMAIL, "", "password"),
        (EMAIL, "elevenchars", "password"),
        (EMAIL, "x" * 1025, "password"),
        (EMAIL, "half of a pair \ud800", "password"),
    ],
)
def test_what_cannot_be_used_is_named(app: Flask, email: str, password: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        accounts.create_first_account(None, email, password, NOW)
    assert caught.value.field == field


def test_email_addresses_are_the_same_in_any_case(owner: int) -> None:
    assert sessions.sign_in("  Owner@Example.ORG ", PASSWORD, NOW).token


def test_a_session_is_found_by_its_token_and_stored_as_a_hash(owner: int) -> None:
    signed_in = sessions.sign_in(EMAIL, PASSWORD, NOW, "browser" * 100)
    found = sessions.find_session(signed_in.token, NOW)
    assert found is not None
    assert (found.user_id, found.email, found.role) == (owner, EMAIL, Role.OWNER)
    row = db.session.scalars(select(UserSession)).one()
    assert len(row.token_hash) == 32
    assert len(row.user_agent) == 200


def test_a_session_ends_with_its_time_or_when_signed_out(owner: int) -> None:
    first, second = sessions.sign_in(EMAIL, PASSWORD, NOW), sessions.sign_in(EMAIL, PASSWORD, NOW)
    assert sessions.find_session(first.token, first.expires_at - timedelta(seconds=1)) is not None
    assert sessions.find_session(first.token, first.expires_at) is None
    sessions.sign_out(first.token)
    assert sessions.find_session(first.token, NOW) is None
    assert sessions.find_session(second.token, NOW) is not None


def test_expired_sessions_go_at_the_next_sign_in(owner: int) -> None:
    sessions.sign_in(EMAIL, PASSWORD, NOW - timedelta(days=30))
    sessions.sign_in(EMAIL, PASSWORD, NOW)
    assert db.session.scalar(select(func.count(UserSession.id))) == 1


def test_a_closed_account_is_out_at_once(owner: int) -> None:
    signed_in = sessions.sign_in(EMAIL, PASSWORD, NOW)
    with write_transaction(db.session) as session:
        session.get_one(User, owner).is_active = False
    assert sessions.find_session(signed_in.token, NOW) is None
    with pytest.raises(WrongCredentials):
        sessions.sign_in(EMAIL, PASSWORD, NOW)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("\ud800", PASSWORD),
        (EMAIL, "x" * 5000),
        (EMAIL, "\ud800"),
    ],
)
def test_wrong_credentials_never_say_what_was_wrong(owner: int, email: str, password: str) -> None:
    with pytest.raises(WrongCredentials, match=r"^Email or password is wrong\.$"):
        sessions.sign_in(email, password, NOW)


def test_an_unknown_address_takes_as_long_as_a_known_one(owner: int) -> None:
    import time

    def cost(email: str) -> float:
        start = time.process_time()
        with pytest.raises(WrongCredentials):
            sessions.sign_in(email, "wrong password", NOW)
        return time.process_time() - start

    def median(measure: Callable[[str], float], email: str) -> float:
        return sorted(measure(email) for _ in range(5))[2]

    cost("nobody@example.org")
    known, unknown = median(cost, EMAIL), median(cost, "nobody@example.org")
    assert 0.4 < unknown / known < 2.5
