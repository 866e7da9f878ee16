"""Registering by the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statusapp.clock import utcnow
from statusapp.services import accounts
from tests.web.tokens import GROUPS, ME, bearer, words

REGISTER, LOGIN = "/api/v1/auth/register/", "/api/v1/auth/login/"
VISITOR = {"email": "visitor@example.org", "password": "correct horse battery"}


@pytest.fixture
def opened(app: Flask) -> None:
    """An installation that lets people register, and has its owner."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], registration="open")
    accounts.create_first_account(None, "owner@example.org", VISITOR["password"], utcnow())


@pytest.mark.usefixtures("opened")
def test_it_answers_a_token_that_may_look_and_no_more(client: FlaskClient) -> None:
    made = client.post(REGISTER, json=VISITOR)
    assert (made.status_code, set(made.json)) == (201, {"token", "expires_at"})
    assert made.headers["Cache-Control"] == "no-store"
    headers = bearer(made.json["token"])
    assert client.get(ME, headers=headers).json["role"] == "viewer"
    assert client.get(GROUPS, headers=headers).status_code == 200
    assert client.post(GROUPS, json={"name": "Front"}, headers=headers).status_code == 403
    assert client.post(LOGIN, json=VISITOR).status_code == 200


@pytest.mark.usefixtures("opened")
def test_an_address_that_has_an_account_is_409_and_can_be_asked_for_seldom(client: FlaskClient) -> None:
    taken = client.post(REGISTER, json=VISITOR | {"email": "owner@example.org"})
    assert taken.status_code == 409
    assert words(taken).startswith("There is an account of this address already.")
    codes = [client.post(REGISTER, json=VISITOR | {"email": "owner@example.org"}).status_code for _ in range(5)]
    assert codes == [409, 409, 409, 409, 429]


def test_there_must_be_an_owner_first(app: Flask, client: FlaskClient) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], registration="open")
    refused = client.post(REGISTER, json=VISITOR)
    assert refused.status_code == 403
    assert "flask create_admin" in words(refused)


def test_closed_it_tells_nothing_of_addresses(client: FlaskClient, make_account: Callable[..., str]) -> None:
    known = client.post(REGISTER, json=VISITOR | {"email": make_account()})
    unknown = client.post(REGISTER, json=VISITOR)
    assert (known.status_code, known.json) == (unknown.status_code, unknown.json)
    assert known.status_code == 403
