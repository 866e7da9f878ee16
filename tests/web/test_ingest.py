"""Requests reported over HTTP, and this server's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from config import Settings
from statusapp.clock import utcnow
from statusapp.domain.instants import to_us
from statusapp.extensions import redis_connection
from statusapp.services import ingest
from statusapp.tracking import RequestTracking
from statusapp.tracking.fields import Record
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, Batch, decode_batch, encode_batch
from tests.conftest import settings_for
from tests.instance import wait_for
from tests.redis_process import run_redis

INGEST = "/health/api/ingest/requests"


@pytest.fixture
def settings(tmp_path: Path, settings: Settings) -> Iterator[Settings]:
    """Settings of an instance whose Redis runs, and whose requests are logged."""
    with run_redis(tmp_path) as url:
        yield settings_for(settings.instance_path, REDIS_URL=url, TRACK_REQUESTS="true")


@pytest.fixture
def stream(app: Flask) -> Iterator[Redis]:
    """The Redis that the stream is in."""
    yield redis_connection()
    assert isinstance(app.wsgi_app, RequestTracking)
    app.wsgi_app.close()


def batch(count: int = 2) -> bytes:
    """What a host application sends."""
    one = Record(to_us(utcnow()), "GET", "/cart", 200, 5000, 0, 9, "", "", "", "", "", "", "", 0, 1.0)
    return encode_batch(Batch("shop", "web-1", 0, [one] * count, "f" * 32))


def post(client: FlaskClient, token: str | None, document: bytes) -> tuple[int, dict[str, object]]:
    """Send a document; status and answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.post(INGEST, data=document, headers=headers)
    return answer.status_code, answer.get_json() or {}


def test_a_host_application_reports_with_its_token(client: FlaskClient, stream: Redis) -> None:
    token = ingest.create_token("shop", utcnow())
    assert post(client, token, batch()) == (202, {"taken": 2})
    ((_, fields),) = stream.xrange(STREAM_KEY, count=1)
    assert decode_batch(fields[STREAM_FIELD.encode()]).service == "shop"


def test_without_a_valid_token_nothing_is_taken(client: FlaskClient, stream: Redis) -> None:
    token = ingest.create_token("shop", utcnow())
    for wrong in (None, "ingest_wrong", token + "x"):
        assert post(client, wrong, batch())[0] == 401
    ingest.revoke_token("shop", utcnow())
    assert post(client, token, batch())[0] == 401
    assert [fields for _, fields in stream.xrange(STREAM_KEY) if b"shop" in fields[STREAM_FIELD.encode()]] == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"rubbish", "not JSON"),
        (b"[]", "an object with v = 1"),
        (b'{"v":1,"service":"s","host":"h","dropped":0,"records":[[1]]}', "record 0 must be a list of"),
        (b"", "not JSON"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(
    client: FlaskClient, stream: Redis, document: bytes, message: str
) -> None:
    status, answer = post(client, ingest.create_token("shop", utcnow()), document)
    assert status == 400
    assert message in str(answer["error"])


def test_while_redis_is_away_the_batch_may_come_again(client: FlaskClient, stream: Redis) -> None:
    token = ingest.create_token("shop", utcnow())
    stream.shutdown(nosave=True)
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post(INGEST, data=batch(), headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_this_servers_own_requests_are_logged_and_its_probes_known(client: FlaskClient, stream: Redis) -> None:
    answer = client.get("/health/status-page/?token=hunter2", headers={"X-Request-ID": "my-request-1"})
    assert answer.headers["X-Request-ID"] == "my-request-1"
    assert answer.headers["X-Response-Time"].endswith("s")
    client.get("/health/live", headers={"X-Probe-Id": "1-a"})
    client.get("/static/style.css")
    records: list[Record] = []

    def arrived() -> bool:
        records[:] = [
            record
            for _, fields in stream.xrange(STREAM_KEY)
            for record in decode_batch(fields[STREAM_FIELD.encode()]).records
        ]
        return len(records) >= 2

    wait_for(arrived, 10)
    time.sleep(0.1)
    assert [(record.route, record.is_probe) for record in records] == [
        ("/health/status-page/", False),
        ("/health/live", True),
    ]
    assert b"hunter2" not in b"".join(fields[STREAM_FIELD.encode()] for _, fields in stream.xrange(STREAM_KEY))


def test_a_name_has_one_token(app: Flask, stream: Redis) -> None:
    ingest.create_token("shop", utcnow())
    with pytest.raises(ingest.IngestRefused, match="already"):
        ingest.create_token(" shop ", utcnow())
    with pytest.raises(ingest.IngestRefused, match="1 to 100"):
        ingest.create_token(" ", utcnow())
    with pytest.raises(ingest.IngestRefused, match="no valid token"):
        ingest.revoke_token("mail", utcnow())
