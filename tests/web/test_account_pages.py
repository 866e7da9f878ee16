"""One's own account, forgotten passwords, and what owners do with accounts, as a browser sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from statusapp.domain.actors import Actor
from statusapp.domain.enums import ApiClientKind, Role, Scope
from statusapp.extensions import db
from statusapp.models import AuditEntry, User, UserSession
from statusapp.queries.api_clients import get_client
from statusapp.services.api_clients import ClientDraft, add_client
from tests.receivers import Mailbox, running_mail_server
from tests.web.conftest import PASSWORD, Operator, csrf_token

NEW = "another horse battery"
COOKIE = "statusapp_session"
LINK = re.compile(r"(/auth/password/[\w-]+)")


def copied(client: FlaskClient) -> str:
    """The cookie that somebody might have taken a copy of."""
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return str(cookie.value)


def lets_in(app: Flask, cookie: str) -> bool:
    thief = app.test_client()
    thief.set_cookie(COOKIE, cookie)
    return thief.get("/dashboard/", headers={"Accept": "text/html"}).status_code == 200


def signed_in(app: Flask, email: str, password: str = PASSWORD) -> bool:
    """Whether these credentials let a fresh browser in."""
    client = app.test_client()
    form = {"email": email, "password": password, "csrf_token": csrf_token(client, "/auth/login")}
    return client.post("/auth/login", data=form).status_code == 302


def account_id(email: str) -> int:
    db.session.rollback()
    found = db.session.scalar(select(User.id).where(User.email == email))
    assert found is not None
    return found


@pytest.fixture
def mailbox(app: Flask) -> Any:
    """A mail server that the installation sends by."""
    with running_mail_server() as (box, port):
        app.config["SETTINGS"] = replace(app.config["SETTINGS"], smtp_url=f"smtp://127.0.0.1:{port}")
        yield box


def test_another_password_ends_every_copied_cookie_and_this_browser_goes_on(app: Flask, operator: Operator) -> None:
    stolen = copied(operator.client)
    assert lets_in(app, stolen)
    answer = operator.post("/auth/account/password", {"present": PASSWORD, "password": NEW})
    assert answer.status_code == 302
    assert not lets_in(app, stolen)
    assert "Your new password is set." in operator.get("/auth/account/").text
    assert not signed_in(app, "owner@example.org")
    assert signed_in(app, "owner@example.org", NEW)


@pytest.mark.parametrize(
    ("present", "password", "words"),
    [
        ("wrong", NEW, "This is not your present password."),
        (PASSWORD, "short", "Use at least 12 characters."),
        (PASSWORD, PASSWORD, "Choose another one."),
        ("", "", "Enter your present password."),
    ],
)
def test_a_password_that_cannot_be_set_is_explained(
    operator: Operator, present: str, password: str, words: str
) -> None:
    answer = operator.post("/auth/account/password", {"present": present, "password": password})
    assert answer.status_code == 400
    assert words in answer.text
    assert operator.get("/auth/account/").status_code == 200


def test_the_present_password_cannot_be_guessed_at_for_long(operator: Operator) -> None:
    form = {"present": "wrong", "password": NEW}
    # The sign-in was the first of ten.
    codes = [operator.post("/auth/account/password", form).status_code for _ in range(10)]
    assert codes == [400] * 9 + [429]


def test_sessions_are_listed_and_one_or_all_are_ended(app: Flask, operator: Operator) -> None:
    other = app.test_client()
    form = {"email": "owner@example.org", "password": PASSWORD, "csrf_token": csrf_token(other, "/auth/login")}
    other.post("/auth/login", data=form, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    page = operator.get("/auth/account/").text
    assert "Firefox on Linux" in page
    assert "127.0.0.0/24" in page
    newest = db.session.scalar(select(func.max(UserSession.id)))
    assert operator.post(f"/auth/account/sessions/{newest}/end").status_code == 302
    assert not lets_in(app, copied(other))
    assert "The session was ended." in operator.get("/auth/account/").text
    operator.post(f"/auth/account/sessions/{newest}/end")
    assert "This session has ended already." in operator.get("/auth/account/").text
    here = copied(operator.client)
    answer = operator.post("/auth/account/sessions/end")
    assert answer.headers["Location"] == "/auth/login"
    assert not lets_in(app, here)


def test_nobody_ends_the_session_of_somebody_else(
    app: Flask, operator: Operator, make_account: Callable[..., str]
) -> None:
    other = app.test_client()
    make_account("viewer@example.org", Role.VIEWER)
    form = {"email": "viewer@example.org", "password": PASSWORD, "csrf_token": csrf_token(other, "/auth/login")}
    other.post("/auth/login", data=form)
    owners = db.session.scalar(select(func.min(UserSession.id)))
    token = csrf_token(other, "/auth/account/")
    other.post(f"/auth/account/sessions/{owners}/end", data={"csrf_token": token})
    assert lets_in(app, copied(operator.client))


def test_a_forgotten_password_is_set_by_a_mailed_link(
    app: Flask, client: FlaskClient, make_account: Callable[..., str], mailbox: Mailbox
) -> None:
    email = make_account()
    page = ask_for_link(client, email)
    assert "a link to set a new password is on its way" in page
    link = mailed_link(mailbox)
    answer = client.post(link, data={"password": NEW, "csrf_token": csrf_token(client, link)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/dashboard/")
    assert client.get("/dashboard/").status_code == 200
    assert signed_in(app, email, NEW)
    again = client.get(link)
    assert again.status_code == 404
    assert "This link does not work" in again.text


def test_the_answer_does_not_tell_whether_there_is_an_account(
    client: FlaskClient, make_account: Callable[..., str], mailbox: Mailbox
) -> None:
    email = make_account()
    known = ask_for_link(client, email).replace(email, "X")
    unknown = ask_for_link(client, "nobody@example.org").replace("nobody@example.org", "X")
    assert known == unknown
    mailed_link(mailbox)
    assert [list(found) for found in mailbox.recipients] == [[email]]


def test_links_cannot_be_asked_for_without_end(client: FlaskClient, mailbox: Mailbox) -> None:
    form = {"email": "nobody@example.org", "csrf_token": csrf_token(client, "/auth/reset/")}
    codes = [client.post("/auth/reset/", data=form).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_without_a_mail_server_the_way_is_told(client: FlaskClient, app: Flask) -> None:
    page = client.get("/auth/reset/", headers={"Accept": "text/html"}).text
    assert "flask reset_password EMAIL" in page
    assert '<input id="email"' not in page


def test_somebody_is_invited_chooses_a_password_and_gets_in(app: Flask, operator: Operator) -> None:
    page = operator.post("/admin/health/account/add/", {"email": "New@Example.org", "role": "viewer"}).text
    found = LINK.search(page)
    assert found is not None
    guest = app.test_client()
    assert not signed_in(app, "new@example.org")
    guest.post(found[1], data={"password": NEW, "csrf_token": csrf_token(guest, found[1])})
    assert guest.get("/dashboard/").status_code == 200
    assert guest.get("/admin/", headers={"Accept": "text/html"}).status_code == 403
    assert operator.get("/admin/health/account/?role=viewer").text.count("new@example.org") == 1


def test_an_invitation_is_mailed_where_there_is_a_mail_server(operator: Operator, mailbox: Mailbox) -> None:
    answer = operator.post("/admin/health/account/add/", {"email": "new@example.org", "role": "staff"})
    assert answer.status_code == 302
    assert "was mailed to new@example.org" in operator.get(answer.headers["Location"]).text
    assert mailed_link(mailbox)


def test_a_mail_server_that_refuses_is_told_and_the_link_is_shown(operator: Operator, mailbox: Mailbox) -> None:
    mailbox.after_data = "550 no such mailbox"
    page = operator.post("/admin/health/account/add/", {"email": "new@example.org", "role": "staff"}).text
    assert "It could not be mailed: " in page
    assert LINK.search(page)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "nonsense", "role": "staff"}, "This does not look like an email address."),
        ({"email": "owner@example.org", "role": "staff"}, "There is an account of this address already."),
        ({"email": "new@example.org", "role": "king"}, "Choose one of these"),
    ],
)
def test_an_account_that_cannot_be_made_is_explained(operator: Operator, form: dict[str, str], words: str) -> None:
    answer = operator.post("/admin/health/account/add/", form)
    assert answer.status_code == 400
    assert words in answer.text
    assert f'value="{form["email"]}"' in answer.text


def test_a_role_is_changed_and_its_sessions_end(
    app: Flask, operator: Operator, make_account: Callable[..., str]
) -> None:
    email = make_account("staff@example.org", Role.STAFF)
    other = app.test_client()
    form = {"email": email, "password": PASSWORD, "csrf_token": csrf_token(other, "/auth/login")}
    other.post("/auth/login", data=form)
    operator.post(f"/admin/health/account/{account_id(email)}/", {"role": "viewer"})
    assert not lets_in(app, copied(other))
    assert "staff@example.org is viewer now." in operator.get("/admin/health/account/").text


def test_an_account_is_closed_opened_and_deleted(
    app: Flask, operator: Operator, make_account: Callable[..., str]
) -> None:
    email = make_account("staff@example.org", Role.STAFF)
    address = f"/admin/health/account/{account_id(email)}"
    operator.post(f"{address}/close")
    assert not signed_in(app, email)
    assert operator.post(f"{address}/link").status_code == 302
    assert "This account is closed." in operator.get(f"{address}/").text
    operator.post(f"{address}/open")
    assert signed_in(app, email)
    operator.post(f"{address}/sessions/end")
    assert "was signed out everywhere" in operator.get(f"{address}/").text
    question = operator.post(f"{address}/delete/").text
    assert f"Delete {email}?" in question
    assert signed_in(app, email)
    operator.post(f"{address}/delete/", {"confirmed": "1"})
    assert not signed_in(app, email)
    assert operator.get(f"{address}/").status_code == 404


@pytest.mark.parametrize("change", [("/", {"role": "staff"}), ("/close", {}), ("/delete/", {"confirmed": "1"})])
def test_the_last_owner_stays_and_is_told_why(operator: Operator, change: tuple[str, dict[str, str]]) -> None:
    address = f"/admin/health/account/{account_id('owner@example.org')}"
    answer = operator.post(address + change[0], change[1])
    page = answer.text if answer.status_code == 400 else operator.get(f"{address}/").text
    assert "This is the last owner who can sign in." in page
    assert operator.get("/admin/health/account/").status_code == 200


def test_the_audit_log_shows_who_did_what_and_how_it_was_before(operator: Operator) -> None:
    operator.post("/admin/health/servicegroup/add/", {"name": "Payments", "position": "1"})
    group = db.session.scalar(select(AuditEntry.subject_id).where(AuditEntry.subject == "Payments"))
    operator.post(f"/admin/health/servicegroup/{group}/", {"name": "Money", "position": "1"})
    page = operator.get("/admin/health/audit/?kind=group&action=changed").text
    assert "owner@example.org" in page
    assert re.search(r"<del>Payments</del> → <ins>Money</ins>", page)
    rows = operator.get("/admin/health/audit/?kind=group&format=csv").text.splitlines()
    assert len(rows) == 3
    assert "name: Payments → Money" in rows[1]


def test_staff_neither_see_accounts_nor_the_audit_log(staff_operator: Operator) -> None:
    for path in ("account/", "account/add/", "account/1/", "audit/"):
        assert staff_operator.get(f"/admin/health/{path}").status_code == 403
    page = staff_operator.get("/admin/health/").text
    assert "Audit log" not in page
    assert "Services" in page


def ask_for_link(client: FlaskClient, email: str) -> str:
    form = {"email": email, "csrf_token": csrf_token(client, "/auth/reset/")}
    answer = client.post("/auth/reset/", data=form)
    assert answer.status_code == 200
    return answer.text


def mailed_link(mailbox: Mailbox) -> str:
    """The link in the one mail, which comes from a thread of its own."""
    deadline = time.monotonic() + 10
    while not mailbox.mails and time.monotonic() < deadline:
        time.sleep(0.02)
    (mail,) = mailbox.mails
    found = LINK.search(mail.get_body(("plain",)).get_content())
    assert found is not None
    return found[1]


def test_one_s_api_clients_outlive_the_password_and_are_listed_and_revoked(operator: Operator, now: datetime) -> None:
    number = account_id("owner@example.org")
    draft = ClientDraft(ApiClientKind.TOKEN, "Deploys <b>", frozenset({Scope.READ}))
    made = add_client(number, draft, Actor(number, "owner@example.org"), now)
    page = operator.get("/auth/account/").text
    assert "Deploys &lt;b&gt;" in page
    assert made.secret not in page
    address = f"/auth/account/clients/{made.client_id}/revoke"
    assert "Revoke Deploys" in operator.post(address).text
    headers = {"Authorization": f"Bearer {made.secret}"}
    stranger = operator.client.application.test_client()
    assert stranger.get("/api/v1/auth/me/", headers=headers).status_code == 200
    operator.post(address, {"confirmed": "1"})
    assert stranger.get("/api/v1/auth/me/", headers=headers).status_code == 401
    # The page that follows says that it was revoked; the next one nothing.
    operator.get("/auth/account/")
    assert "Deploys" not in operator.get("/auth/account/").text


def test_another_s_api_client_is_not_one_s_own(
    operator: Operator, make_account: Callable[..., str], now: datetime
) -> None:
    number = account_id(make_account("viewer@example.org", Role.VIEWER))
    draft = ClientDraft(ApiClientKind.TOKEN, "Theirs", frozenset({Scope.READ}))
    made = add_client(number, draft, Actor(number, "viewer@example.org"), now)
    assert "Theirs" not in operator.get("/auth/account/").text
    operator.post(f"/auth/account/clients/{made.client_id}/revoke", {"confirmed": "1"})
    assert get_client(made.client_id, now).state == "valid"
