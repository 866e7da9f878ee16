"""The addresses that jobs call."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from statusapp.extensions import db
from statusapp.services.endpoints import ping_path
from tests.world import World


@pytest.fixture
def path(app: object) -> str:
    """The path of a heartbeat."""
    return str(ping_path(World().add("Backup", url="heartbeat:")))


def last_ping() -> tuple[int, int | None]:
    """Signal and exit code of the newest ping."""
    row = World().rows("SELECT signal, exit_code FROM heartbeat_ping ORDER BY id DESC LIMIT 1")[0]
    return row.signal, row.exit_code


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("end", "recorded"),
    [("", (0, None)), ("start", (1, None)), ("fail", (2, None)), ("0", (0, 0)), ("3/", (2, 3)), ("255", (2, 255))],
)
def test_every_signal_by_every_method(
    client: FlaskClient, path: str, method: str, end: str, recorded: tuple[int, int | None]
) -> None:
    response = client.open(path + end, method=method)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert last_ping() == recorded


def test_without_the_last_slash(client: FlaskClient, path: str) -> None:
    assert client.get(path.rstrip("/")).data == b"OK\n"


@pytest.mark.parametrize("end", ["256", "999999999999", "-1", "later", "start/again"])
def test_what_is_no_signal(client: FlaskClient, path: str, end: str) -> None:
    assert client.get(path + end).status_code in (400, 404)
    assert World().rows("SELECT * FROM heartbeat_ping") == []


def test_an_unknown_address_is_not_found(client: FlaskClient, path: str) -> None:
    response = client.get("/ping/nonsense/")
    assert (response.status_code, response.data) == (404, b"There is no heartbeat with this address.\n")
    assert client.put(path).status_code == 405


def test_the_secret_is_in_no_log(client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.get(path)
    client.post(path + "fail")
    World().execute("DROP TABLE heartbeat_ping")
    db.session.remove()
    assert client.get(path).status_code == 503
    assert path.split("/")[2] not in caplog.text
