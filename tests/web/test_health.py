"""The health report over HTTP, with and without Redis."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from statusapp import create_app
from statusapp.database import write_transaction
from statusapp.domain.instants import to_us
from statusapp.extensions import db, redis_connection
from statusapp.models import CheckWindow, PeriodicTask


def heartbeat(moment: datetime) -> None:
    with write_transaction(db.session) as session:
        session.add(CheckWindow(host="here", process_id=1, started_at=to_us(moment), heartbeat_at=to_us(moment)))


def started_long_ago(app: Flask, now: datetime) -> None:
    app.config["STARTED_AT"] = now - timedelta(hours=1)


def test_the_report_is_health_json(client: FlaskClient, app: Flask, now: datetime) -> None:
    heartbeat(now)
    response = client.get("/health/")
    assert response.status_code == 200
    assert response.content_type == "application/health+json"
    assert response.headers["Cache-Control"] == "no-store"
    report = response.get_json(force=True)
    assert report["status"] == "warn"
    assert report["checks"]["database:responseTime"][0]["status"] == "pass"
    assert report["checks"]["redis:responseTime"][0]["status"] == "warn"
    assert report["version"]


def test_with_redis_and_workers_everything_passes(app: Flask, settings: Any, redis_server: str, now: datetime) -> None:
    heartbeat(now)
    app = create_app(replace(settings, redis_url=redis_server))
    with app.app_context():
        redis_connection().sadd("rq:workers", "rq:worker:alive", "rq:worker:killed")
        redis_connection().hset("rq:worker:alive", "birth", "now")
    report = app.test_client().get("/health/").get_json(force=True)
    assert report["status"] == "pass"
    assert report["checks"]["workers:count"][0]["observedValue"] == 1


def test_tasks_are_listed_with_their_last_run_and_without_secrets(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    with write_transaction(db.session) as session:
        session.add(
            PeriodicTask(
                name="cleanup_old_health_data_task",
                next_run_at=now + timedelta(hours=1),
                last_started_at=now,
                last_finished_at=now,
                last_duration_ms=42,
                last_error="OperationalError: postgresql://user:hunter2@db.internal/x",
                last_error_at=now,
            )
        )
    response = client.get("/health/")
    task = response.get_json(force=True)["checks"]["periodicTask:lastDuration"][0]
    assert task["componentId"] == "cleanup_old_health_data_task"
    assert task["observedValue"] == 42
    assert task["status"] == "warn"
    assert task["next_run_at"]
    assert "hunter2" not in response.text
    assert "db.internal" not in response.text


def test_it_is_503_when_nothing_was_checked(client: FlaskClient, app: Flask, now: datetime) -> None:
    heartbeat(now - timedelta(seconds=60))
    assert client.get("/health/").status_code == 200
    started_long_ago(app, now)
    assert client.get("/health/").status_code == 503


def test_it_is_503_when_the_database_cannot_be_used(settings: Any) -> None:
    (settings.instance_path / "statusapp.sqlite3").write_bytes(b"this is no database" * 100)
    client = create_app(settings).test_client()
    response = client.get("/health/")
    assert response.status_code == 503
    assert response.get_json(force=True)["status"] == "fail"
    assert str(settings.instance_path) not in response.text
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503


def test_ready_wants_the_newest_migration(client: FlaskClient, app: Flask) -> None:
    assert client.get("/health/ready").status_code == 200
    with write_transaction(db.session) as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    assert client.get("/health/ready").status_code == 503


def test_a_database_that_is_empty_is_not_ready_but_alive(settings: Any) -> None:
    (settings.instance_path / "statusapp.sqlite3").unlink()
    client = create_app(settings).test_client()
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/status-page/", headers={"Accept": "text/html"}).status_code == 503


def test_the_report_is_quick_without_redis(client: FlaskClient, app: Flask) -> None:
    client.get("/health/")
    start = time.perf_counter()
    client.get("/health/")
    assert time.perf_counter() - start < 0.05
