"""API tokens and applications: made, used, limited and ended; and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import select

from statusapp.domain.actors import Actor
from statusapp.domain.api_access import Prefix, write_token
from statusapp.domain.enums import ApiClientKind, AuditAction, AuditKind, Role, Scope
from statusapp.domain.errors import InvalidInput, NotFound, TokenRefused, WrongCredentials
from statusapp.extensions import db
from statusapp.models import ApiAccessToken, ApiClient, AuditEntry
from statusapp.queries.api_clients import get_client, list_clients, page_of_clients
from statusapp.queries.paging import Wanted
from statusapp.services import accounts, api_clients, passwords, sessions
from statusapp.services.api_clients import ClientDraft, NewClient
from statusapp.services.api_tokens import ApiAccess, find_access, find_application
from tests.world import World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL, PASSWORD = "owner@example.org", "correct horse battery"
TOKEN, APPLICATION = ApiClientKind.TOKEN, ApiClientKind.APPLICATION


@pytest.fixture
def owner(app: Flask) -> Actor:
    """The first account."""
    return Actor(accounts.create_first_account(None, EMAIL, PASSWORD, NOW), EMAIL)


def add_staff(owner: Actor, role: Role = Role.STAFF) -> Actor:
    email = f"a-{role.word}@example.org"
    return Actor(accounts.add_account(email, role, owner, NOW), email)


def id_of(actor: Actor) -> int:
    assert actor.account_id is not None
    return actor.account_id


def add(of: Actor, *scopes: Scope, kind: ApiClientKind = TOKEN, ends: datetime | None = None) -> NewClient:
    draft = ClientDraft(kind, "deploy", frozenset(scopes or (Scope.READ,)), ends)
    return api_clients.add_client(id_of(of), draft, of, NOW)


def access(token: str, now: datetime = NOW) -> ApiAccess:
    db.session.rollback()
    return find_access(token, now)


def entries(kind: AuditKind) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.kind == kind).order_by(AuditEntry.id)))


def test_a_token_opens_what_it_is_for(owner: Actor) -> None:
    made = add(owner, Scope.WRITE)
    assert made.secret.startswith(f"sa_{made.client_id}_")
    found = access(made.secret)
    assert (found.account.user_id, found.account.email) == (owner.account_id, EMAIL)
    assert (found.account.role, found.own_role) == (Role.STAFF, Role.OWNER)
    assert [found.may(scope) for scope in Scope] == [True, True, False, False]
    assert found.actor == Actor(owner.account_id, EMAIL, "token deploy")


def test_nothing_that_opens_anything_is_kept(owner: Actor, world: World) -> None:
    token, application = add(owner), add(owner, kind=APPLICATION)
    client = find_application(application.client_id, application.secret, NOW)
    issued = api_clients.issue_access_token(client.id, client.scopes, NOW)
    kept = [str(world.rows(f"SELECT * FROM {name}")) for name in ("api_client", "api_access_token", "audit_entry")]
    for secret in (token.secret, application.secret, issued.token):
        assert secret[-49:] not in "".join(kept)


def test_a_sign_in_may_do_all_that_its_account_may(owner: Actor) -> None:
    found = access(sessions.sign_in(EMAIL, PASSWORD, NOW).token)
    assert found.scopes is None
    assert all(found.may(scope) for scope in Scope)
    assert found.actor == owner
    staff = add_staff(owner)
    passwords.set_password(passwords.offer_link(id_of(staff), owner, NOW).token, PASSWORD, NOW)
    found = access(sessions.sign_in(staff.name, PASSWORD, NOW).token)
    assert [found.may(scope) for scope in Scope] == [True, True, False, True]


@pytest.mark.parametrize("kind", ["truncated", "longer", "checksum", "other secret", "unknown", "of an application"])
def test_a_token_that_is_not_one_is_refused(owner: Actor, kind: str) -> None:
    made, other = add(owner), add(owner)
    wrong, words = {
        "truncated": (made.secret[:-1], "not whole"),
        "longer": (made.secret + "0", "not whole"),
        "checksum": (made.secret[:-1] + ("a" if made.secret[-1] != "a" else "b"), "not whole"),
        "other secret": (write_token(Prefix.TOKEN, made.client_id, other.secret[20:63]), "not known"),
        "unknown": (write_token(Prefix.TOKEN, "x" * 16, "y" * 43), "not known"),
        "of an application": (add(owner, kind=APPLICATION).secret, "getting an access token"),
    }[kind]
    with pytest.raises(TokenRefused, match=words):
        access(wrong)


def test_a_token_ends_when_it_was_said_to(owner: Actor) -> None:
    made = add(owner, ends=NOW + DAY)
    assert access(made.secret, NOW + DAY - timedelta(seconds=1)).expires_at == NOW + DAY
    with pytest.raises(TokenRefused, match="expired on 2026-03-02"):
        access(made.secret, NOW + DAY)


def test_a_revoked_token_is_refused_and_cannot_be_revoked_twice(owner: Actor) -> None:
    made = add(owner)
    api_clients.revoke_client(made.client_id, owner, NOW)
    with pytest.raises(TokenRefused, match="was revoked"):
        access(made.secret)
    with pytest.raises(NotFound):
        api_clients.revoke_client(made.client_id, owner, NOW)
    assert get_client(made.client_id, NOW).state == "revoked"


def test_a_token_never_does_more_than_its_account_may_now(owner: Actor) -> None:
    second = add_staff(owner, Role.OWNER)
    made = add(second, Scope.ADMIN, Scope.INGEST)
    assert access(made.secret).account.role is Role.OWNER
    accounts.change_role(id_of(second), Role.STAFF, owner, NOW)
    found = access(made.secret)
    assert (found.account.role, found.may(Scope.ADMIN), found.may(Scope.WRITE)) == (Role.STAFF, False, True)
    accounts.change_role(id_of(second), Role.VIEWER, owner, NOW)
    assert [access(made.secret).may(scope) for scope in Scope] == [True, False, False, False]


def test_a_closed_account_s_tokens_do_nothing_until_it_is_open_again(owner: Actor) -> None:
    staff = add_staff(owner)
    token, application = add(staff), add(staff, kind=APPLICATION)
    client = find_application(application.client_id, application.secret, NOW)
    issued = api_clients.issue_access_token(client.id, frozenset({Scope.READ}), NOW)
    accounts.set_active(id_of(staff), False, owner, NOW)
    for secret in (token.secret, issued.token):
        with pytest.raises(TokenRefused, match="is closed"):
            access(secret)
    with pytest.raises(TokenRefused, match="is closed"):
        find_application(application.client_id, application.secret, NOW)
    with pytest.raises(WrongCredentials):
        api_clients.issue_access_token(client.id, frozenset({Scope.READ}), NOW)
    with pytest.raises(NotFound):
        add(staff)
    accounts.set_active(id_of(staff), True, owner, NOW)
    assert access(token.secret).may(Scope.READ)


def test_tokens_go_with_their_account(owner: Actor, world: World) -> None:
    staff = add_staff(owner)
    made = add(staff)
    client = add(staff, kind=APPLICATION)
    api_clients.issue_access_token(
        find_application(client.client_id, client.secret, NOW).id, frozenset({Scope.READ}), NOW
    )
    accounts.delete_account(id_of(staff), owner, NOW)
    with pytest.raises(TokenRefused, match="not known"):
        access(made.secret)
    assert world.scalar("SELECT count(*) FROM api_client") == world.scalar("SELECT count(*) FROM api_access_token") == 0


def test_tokens_outlive_another_password(owner: Actor) -> None:
    made = add(owner)
    passwords.change_password(id_of(owner), PASSWORD, "another horse battery", owner, NOW)
    assert access(made.secret).may(Scope.READ)
    assert [one.client_id for one in list_clients(id_of(owner), TOKEN, NOW)] == [made.client_id]


def test_an_application_gets_access_tokens_that_end_within_the_hour(owner: Actor) -> None:
    made = add(owner, Scope.WRITE, kind=APPLICATION, ends=NOW + DAY)
    client = find_application(made.client_id, made.secret, NOW)
    issued = api_clients.issue_access_token(client.id, frozenset({Scope.READ}), NOW)
    assert (issued.scopes, issued.expires_at) == ((Scope.READ,), NOW + timedelta(hours=1))
    found = access(issued.token)
    assert [found.may(scope) for scope in Scope] == [True, False, False, False]
    assert found.account.role is Role.VIEWER
    assert found.actor.via == "application deploy"
    with pytest.raises(TokenRefused, match="expired"):
        access(issued.token, NOW + timedelta(hours=1))
    late = NOW + DAY - timedelta(minutes=5)
    assert api_clients.issue_access_token(client.id, client.scopes, late).expires_at == NOW + DAY
    # What had ended was cleared away meanwhile.
    assert len(db.session.scalars(select(ApiAccessToken)).all()) == 1


@pytest.mark.parametrize("wrong", ["secret", "id", "token", "nothing"])
def test_an_application_shows_its_own_secret(owner: Actor, wrong: str) -> None:
    made, other, token = add(owner, kind=APPLICATION), add(owner, kind=APPLICATION), add(owner)
    client_id, secret = {
        "secret": (made.client_id, other.secret),
        "id": ("x" * 16, made.secret),
        "token": (token.client_id, token.secret),
        "nothing": ("\0\ud800", "\ud800"),
    }[wrong]
    with pytest.raises(TokenRefused, match="its secret is another one"):
        find_application(client_id, secret, NOW)


def test_revoking_an_application_ends_its_access_tokens(owner: Actor) -> None:
    made = add(owner, kind=APPLICATION)
    client = find_application(made.client_id, made.secret, NOW)
    issued = api_clients.issue_access_token(client.id, client.scopes, NOW)
    assert get_client(made.client_id, NOW).access_tokens == 1
    api_clients.revoke_client(made.client_id, owner, NOW)
    with pytest.raises(TokenRefused, match="not known"):
        access(issued.token)
    with pytest.raises(TokenRefused, match="was revoked"):
        find_application(made.client_id, made.secret, NOW)
    with pytest.raises(WrongCredentials):
        api_clients.issue_access_token(client.id, client.scopes, NOW)


def test_an_access_token_can_be_ended_alone(owner: Actor) -> None:
    made = add(owner, kind=APPLICATION)
    client = find_application(made.client_id, made.secret, NOW)
    first, second = (api_clients.issue_access_token(client.id, client.scopes, NOW) for _ in range(2))
    api_clients.end_access_token(first.token)
    with pytest.raises(TokenRefused):
        access(first.token)
    assert access(second.token).may(Scope.READ)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": frozenset()}, "scopes"),
        ({"scopes": frozenset({Scope.ADMIN})}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + 4000 * DAY}, "expires_at"),
    ],
)
def test_what_cannot_be_made_is_told_by_field(owner: Actor, changes: dict[str, object], field: str) -> None:
    staff = add_staff(owner)
    draft = replace(ClientDraft(TOKEN, "deploy", frozenset({Scope.READ})), **changes)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        api_clients.add_client(id_of(staff), draft, staff, NOW)
    assert caught.value.field == field


def test_what_viewers_may_not_do_their_tokens_are_not_for(owner: Actor) -> None:
    viewer = add_staff(owner, Role.VIEWER)
    for scope in (Scope.WRITE, Scope.ADMIN, Scope.INGEST):
        with pytest.raises(InvalidInput, match="this one is viewer"):
            add(viewer, scope)
    assert access(add(viewer, Scope.READ).secret).may(Scope.READ)


def test_one_account_has_a_hundred_at_most(owner: Actor) -> None:
    names = count()
    for _ in range(api_clients.MOST_CLIENTS):
        draft = ClientDraft(TOKEN, f"n{next(names)}", frozenset({Scope.READ}), NOW + DAY)
        api_clients.add_client(id_of(owner), draft, owner, NOW)
    with pytest.raises(InvalidInput, match="100 already"):
        add(owner)
    draft = ClientDraft(TOKEN, "later", frozenset({Scope.READ}))
    api_clients.add_client(id_of(owner), draft, owner, NOW + DAY)


def test_only_one_s_own_can_be_revoked_unless_anybody_s_may(owner: Actor) -> None:
    staff = add_staff(owner)
    made = add(owner)
    with pytest.raises(NotFound):
        api_clients.revoke_client(made.client_id, staff, NOW, id_of(staff))
    assert access(made.secret).may(Scope.READ)
    api_clients.revoke_client(made.client_id, owner, NOW, id_of(owner))


def test_making_and_revoking_is_in_the_audit_log_without_secrets(owner: Actor) -> None:
    made = add(owner, Scope.WRITE, Scope.INGEST, ends=NOW + DAY)
    api_clients.revoke_client(made.client_id, replace(owner, via="token other"), NOW)
    added, deleted = entries(AuditKind.API_TOKEN)
    assert (added.action, added.actor, added.subject, added.via) == (AuditAction.ADDED, EMAIL, "deploy", None)
    assert added.changes == {
        "client_id": [None, made.client_id],
        "account": [None, EMAIL],
        "scopes": [None, ["write", "ingest"]],
        "expires_at": [None, "2026-03-02T12:00:00+00:00"],
    }
    assert (deleted.action, deleted.via) == (AuditAction.DELETED, "token other")
    application = add(owner, kind=APPLICATION)
    (entry,) = entries(AuditKind.APPLICATION)
    assert (entry.subject, entry.changes["client_id"]) == ("deploy", [None, application.client_id])


def test_lists_have_states_that_exclude_each_other(owner: Actor) -> None:
    staff = add_staff(owner)
    made = {
        "valid": add(owner),
        "expired": add(owner, ends=NOW + DAY),
        "revoked": add(owner, kind=APPLICATION),
        "closed": add(staff),
    }
    api_clients.revoke_client(made["revoked"].client_id, owner, NOW)
    accounts.set_active(id_of(staff), False, owner, NOW)
    later = NOW + 2 * DAY
    for state, client in made.items():
        page = page_of_clients(Wanted("made", filters={"state": state}), later)
        assert [(row.client_id, row.state) for row in page.rows] == [(client.client_id, state)]
    assert len(page_of_clients(Wanted("name"), later).rows) == 4
    assert len(page_of_clients(Wanted("name", search="STAFF@"), later).rows) == 1
    assert len(page_of_clients(Wanted("name", filters={"kind": APPLICATION}), later, id_of(owner)).rows) == 1
    assert [one.state for one in list_clients(id_of(owner), None, later)] == ["expired", "valid"]
    with pytest.raises(NotFound):
        get_client(made["valid"].client_id, NOW, id_of(staff))


def test_reading_with_a_token_writes_nothing(owner: Actor, world: World) -> None:
    made = add(owner)
    before = world.rows("SELECT * FROM api_client")
    access(made.secret, NOW + DAY)
    assert world.rows("SELECT * FROM api_client") == before
    assert not db.session.dirty
    assert not db.session.new


def test_a_client_s_row_is_what_the_list_says(owner: Actor) -> None:
    made = add(owner, Scope.READ, Scope.INGEST)
    stored = db.session.scalars(select(ApiClient)).one()
    assert (stored.scopes, len(stored.secret_hash)) == (0b1001, 32)
    item = get_client(made.client_id, NOW)
    assert (item.name, item.scopes, item.email, item.state) == ("deploy", (Scope.READ, Scope.INGEST), EMAIL, "valid")
