"""Migrations: on both databases they lead to exactly what the models say, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from statusapp import create_app
from statusapp.extensions import db
from tests.conftest import settings_for
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


def test_the_newest_revision_is_what_the_models_say(app: Flask) -> None:
    def include(_object: object, name: str | None, kind: str, _reflected: bool, _compared_to: object) -> bool:
        return not (kind == "table" and name is not None and name.startswith("health_check_p"))

    with db.engine.connect() as connection:
        # Alembic cannot compare the empty string as a default of SQLite's.
        defaults = connection.dialect.name != "sqlite"
        options = {"compare_type": True, "compare_server_default": defaults, "include_object": include}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    assert differences == []


def test_down_and_up_again(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {}
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = server.create("down_and_up")
    app = create_app(settings_for(tmp_path, **environment))
    with app.app_context():
        upgrade()
        tables = set(inspect(db.engine).get_table_names())
        upgrade()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
        upgrade()
        assert set(inspect(db.engine).get_table_names()) == tables
        db.engine.dispose()
