"""Forks: on PostgreSQL each process has connections of its own, and none crosses a fork."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from config import Settings
from statusapp.extensions import db
from statusapp.jobs.context import job_context, set_worker_app
from tests.conftest import settings_for

CHILDREN = 4
QUERIES = 100


@pytest.fixture
def settings(tmp_path: Path, migrated_postgres: str) -> Settings:
    """Settings of an instance on PostgreSQL."""
    return settings_for(tmp_path / "instance", DATABASE_URL=migrated_postgres)


def ask() -> tuple[int, int]:
    """The server process at the other end, and how many of the answers belonged to other questions."""
    server: int = db.session.scalar(text("SELECT pg_backend_pid()"))
    wrong = sum(
        db.session.scalar(text("SELECT CAST(:n AS INTEGER)"), {"n": number}) != number for number in range(QUERIES)
    )
    db.session.rollback()
    return server, wrong


def test_no_connection_crosses_a_fork(app: Flask) -> None:
    set_worker_app(app)
    parent, _ = ask()  # The pool of this process now holds a connection.
    pipes = []
    for _ in range(CHILDREN):
        reader, writer = os.pipe()
        if os.fork() == 0:
            try:
                db.session.remove()
                with job_context():
                    os.write(writer, json.dumps(ask()).encode())
            finally:
                os._exit(0)
        os.close(writer)
        pipes.append(reader)
    answers = [ask()]
    for reader in pipes:
        with os.fdopen(reader) as pipe:
            answers.append(tuple(json.loads(pipe.read())))
        os.wait()
    servers = [server for server, _ in answers]
    assert servers[0] == parent
    assert len(set(servers)) == CHILDREN + 1
    assert [wrong for _, wrong in answers] == [0] * (CHILDREN + 1)
