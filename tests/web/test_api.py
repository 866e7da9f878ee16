"""The API that clients get in by; three of its answers are what the monitor itself expects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from config import Settings

PASSWORD = "correct horse battery"
REGISTER, LOGIN = "/api/v1/auth/register/", "/api/v1/auth/login/"
APPLICATIONS = "/api/v1/auth/oauth/applications/"


@pytest.mark.parametrize("path", [REGISTER, LOGIN])
def test_an_empty_request_is_400_with_its_fields(client: FlaskClient, path: str) -> None:
    for response in (client.post(path), client.post(path, json={}), client.post(path, data={"email": ""})):
        assert response.status_code == 400
        assert set(response.json["error"]["fields"]) == {"email", "password"}
        assert response.json["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_is_400(client: FlaskClient, body: bytes) -> None:
    response = client.post(LOGIN, data=body, content_type="application/json")
    assert response.status_code == 400
    assert "JSON object" in response.json["error"]["message"]


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, None, True, "x" * 3000])
def test_fields_must_be_text_of_a_sane_length(client: FlaskClient, value: object) -> None:
    response = client.post(LOGIN, json={"email": value, "password": PASSWORD})
    assert response.status_code == 400
    assert list(response.json["error"]["fields"]) == ["email"]


def test_an_empty_request_is_never_limited(client: FlaskClient) -> None:
    assert {client.post(LOGIN).status_code for _ in range(40)} == {400}


def test_registration_is_closed_but_says_first_what_is_wrong(client: FlaskClient) -> None:
    wrong = client.post(REGISTER, json={"email": "nobody", "password": "short"})
    assert set(wrong.json["error"]["fields"]) == {"email", "password"}
    response = client.post(REGISTER, json={"email": "a@example.org", "password": PASSWORD})
    assert response.status_code == 403
    assert response.json["error"]["message"].startswith("Registration is closed.")


@pytest.mark.parametrize("kind", ["json", "data"])
def test_a_token_is_given_and_opens_the_api(client: FlaskClient, make_account: Callable[..., str], kind: str) -> None:
    response = client.post(LOGIN, **{kind: {"email": make_account(), "password": PASSWORD}})  # type: ignore[arg-type]
    assert response.status_code == 200
    assert set(response.json) == {"token", "expires_at"}
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    listed = client.get(APPLICATIONS, headers={"Authorization": f"Bearer {response.json['token']}"})
    assert (listed.status_code, listed.json) == (200, {"applications": []})


def test_wrong_credentials_are_401(client: FlaskClient, make_account: Callable[..., str]) -> None:
    response = client.post(LOGIN, json={"email": make_account(), "password": "wrong"})
    assert response.status_code == 401
    assert response.json["error"]["message"] == "Email or password is wrong."


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (LOGIN, {"email": "a@example.org", "password": "wrong"}),
        (REGISTER, {"email": "a@example.org", "password": PASSWORD}),
    ],
)
def test_too_many_attempts_are_429(client: FlaskClient, path: str, fields: dict[str, str]) -> None:
    last = [client.post(path, json=fields) for _ in range(21)][-1]
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    assert last.json["error"]["message"]
    # What is wrong with a request is still said first.
    assert client.post(path).status_code == 400


ROOT = Path(__file__).parents[2]
ATTEMPTS = """
import sys
from config import load_settings
from statusapp import create_app
client = create_app(load_settings({"INSTANCE_PATH": sys.argv[1], "REDIS_URL": sys.argv[2]})).test_client()
fields = {"email": "a@example.org", "password": "wrong"}
print([client.post("/api/v1/auth/login/", json=fields).status_code for _ in range(6)])
"""


def test_attempts_are_counted_in_redis_for_all_processes_together(
    app: Flask, settings: Settings, redis_server: str
) -> None:
    command = [sys.executable, "-c", ATTEMPTS, str(settings.instance_path), redis_server]
    codes = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)
    ]
    assert codes == ["[401, 401, 401, 401, 401, 401]", "[401, 401, 401, 401, 429, 429]"]
    with Redis.from_url(redis_server) as redis:
        keys = list(redis.scan_iter())
    assert keys
    assert not any(b"example.org" in key for key in keys)


def test_anonymous_programs_are_told_how_to_get_in(client: FlaskClient) -> None:
    response = client.get(APPLICATIONS)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert response.json["error"]["message"]
