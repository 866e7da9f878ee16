"""Signing in and out with a browser, and the first account."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.models import User, UserSession
from statusapp.services.accounts import create_first_account, offer_first_account
from statusapp.web.auth.targets import is_own_path

PASSWORD = "correct horse battery"
SignIn = Callable[..., Any]


@pytest.fixture
def email(make_account: Callable[..., str]) -> str:
    """The address of an owner."""
    return make_account()


def token_in(html: str) -> str:
    return html.split('name="csrf_token"')[1].split('value="')[1].split('"', maxsplit=1)[0]


def test_signing_in_leads_to_the_operator_page(client: FlaskClient, email: str, sign_in: SignIn) -> None:
    response = sign_in(email)
    assert (response.status_code, response.headers["Location"]) == (302, "/dashboard/")
    assert email in client.get("/admin/").text


def test_the_cookie_is_signed_http_only_and_no_remember_cookie_is_set(email: str, sign_in: SignIn) -> None:
    cookies = sign_in(email).headers.getlist("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["statusapp_session"]
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert "Expires" not in cookies[0]


def test_wrong_credentials_stay_on_the_form(client: FlaskClient, email: str, sign_in: SignIn) -> None:
    response = sign_in(email, "wrong password")
    assert response.status_code == 400
    assert "Email or password is wrong." in response.text
    assert client.get("/admin/").status_code == 302


def test_an_empty_form_says_what_is_missing(email: str, sign_in: SignIn) -> None:
    response = sign_in("", "")
    assert response.status_code == 400
    assert "Enter your email address." in response.text
    assert "Enter your password." in response.text


def test_a_form_without_its_token_is_refused(client: FlaskClient, email: str) -> None:
    response = client.post("/auth/login", data={"email": email, "password": PASSWORD}, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert "The form has expired." in response.text


def test_signing_out_ends_the_session_on_the_server(client: FlaskClient, email: str, sign_in: SignIn) -> None:
    sign_in(email)
    stolen = client.get_cookie("statusapp_session").value  # type: ignore[union-attr]
    response = client.post("/auth/logout", data={"csrf_token": token_in(client.get("/admin/").text)})
    assert response.status_code == 302
    client.set_cookie("statusapp_session", stolen)
    assert client.get("/admin/").status_code == 302
    assert db.session.scalar(select(func.count(UserSession.id))) == 0


def test_signing_in_again_ends_the_session_before(email: str, sign_in: SignIn) -> None:
    sign_in(email)
    sign_in(email)
    assert db.session.scalar(select(func.count(UserSession.id))) == 1


@pytest.mark.parametrize(
    "target",
    ["/", "/admin/", "/admin/?a=b", "/a//b", "/health/status-page/", "/a:b"],
)
def test_paths_of_this_site_may_be_next(target: str) -> None:
    assert is_own_path(target)


@pytest.mark.parametrize(
    "target",
    [
        "", "admin", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "http://evil.example",
        "https:evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
        " //evil.example", "/\x00/evil.example", "/a\r\nLocation: x", "http:///evil.example",
    ],
)  # fmt: skip
def test_other_places_may_not_be_next(target: str) -> None:
    assert not is_own_path(target)


@pytest.mark.parametrize(("target", "location"), [("/admin/?x=1", "/admin/?x=1"), ("//evil.example", "/dashboard/")])
def test_next_is_followed_only_within_the_site(email: str, sign_in: SignIn, target: str, location: str) -> None:
    response = sign_in(email, path=f"/auth/login?next={target}")
    assert response.headers["Location"] == location


def test_too_many_attempts_are_stopped_while_redis_is_away(client: FlaskClient, email: str) -> None:
    token = token_in(client.get("/auth/login").text)
    start = time.perf_counter()
    answers = [
        client.post("/auth/login", data={"email": "nobody@example.org", "password": "x", "csrf_token": token})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 61
    assert "Too many attempts" in answers[-1].text
    # To wait for Redis each time would take 5.5 s.
    assert time.perf_counter() - start < 5
    # Another account is not held up by it, and the limits are those of the address then.
    assert (
        client.post("/auth/login", data={"email": email, "password": PASSWORD, "csrf_token": token}).status_code == 302
    )


def test_the_first_account_is_made_through_its_link_once(client: FlaskClient, app: Flask) -> None:
    path = f"/auth/first-account/{offer_first_account(utcnow())}"
    form = {"email": "Owner@Example.org", "password": PASSWORD, "csrf_token": token_in(client.get(path).text)}
    response = client.post(path, data=form)
    assert (response.status_code, response.headers["Location"]) == (302, "/dashboard/")
    assert client.get("/admin/").status_code == 200
    used = client.get(path)
    assert used.status_code == 404
    assert "The first account has been made already." in used.text


def test_a_weak_password_is_explained_and_the_link_still_works(client: FlaskClient, app: Flask) -> None:
    path = f"/auth/first-account/{offer_first_account(utcnow())}"
    form = {"email": "owner@example.org", "password": "short", "csrf_token": token_in(client.get(path).text)}
    response = client.post(path, data=form)
    assert response.status_code == 400
    assert "Use at least 12 characters." in response.text
    assert db.session.scalar(select(func.count(User.id))) == 0
    assert client.get(path).status_code == 200


def test_a_wrong_link_is_a_friendly_404(client: FlaskClient, app: Flask) -> None:
    response = client.get("/auth/first-account/guess")
    assert response.status_code == 404
    assert "This link does not work" in response.text


def test_the_sign_in_page_tells_how_to_make_the_first_account(client: FlaskClient, app: Flask) -> None:
    assert "flask create_admin" in client.get("/auth/login").text
    create_first_account(None, "owner@example.org", PASSWORD, utcnow())
    assert "flask create_admin" not in client.get("/auth/login").text
