"""Migrations: on both databases they lead to exactly what the models say, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, Table, inspect, select
from sqlalchemy import types as sqltypes

from statusapp import create_app
from statusapp.database import write_connection
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
    app = create_app(settings_for(tmp_path, **environment), with_web=False)
    with app.app_context():
        upgrade()
        tables = set(inspect(db.engine).get_table_names())
        upgrade()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
        upgrade()
        assert set(inspect(db.engine).get_table_names()) == tables
        db.engine.dispose()


# Tables that have one row only.
SINGLE = {"first_account", "status_page_settings", "encryption_key"}


def made_up_row(table: Table, number: int) -> dict[str, Any]:
    """Values that a table takes, its foreign keys pointing at rows of the same number."""
    row: dict[str, Any] = {}
    for column in table.columns:
        kind = column.type
        if isinstance(kind, sqltypes.Boolean):
            row[column.name] = False
        elif isinstance(kind, sqltypes.Integer):
            row[column.name] = 1 if column.name == "id" and table.name in SINGLE else number
        elif isinstance(kind, sqltypes.Float):
            row[column.name] = number + 0.5
        elif isinstance(kind, sqltypes.DateTime):
            row[column.name] = datetime(2026, 11, number, 10, tzinfo=UTC)
        elif isinstance(kind, sqltypes.Date):
            row[column.name] = date(2026, 11, number)
        elif isinstance(kind, sqltypes.LargeBinary):
            row[column.name] = f"b{number}".encode()
        elif isinstance(kind, sqltypes.JSON):
            row[column.name] = {"number": number}
        else:
            row[column.name] = f"t{number}"
    return row


def tables_of(connection: Connection) -> list[Table]:
    """The tables as the database has them, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: not name.startswith(("alembic", "health_check_p")))
    return metadata.sorted_tables


def rows_of(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in the order of their first column."""
    return {
        table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
        for table in tables_of(connection)
    }


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
def test_a_database_with_rows_keeps_them(
    database: str, revision: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = {}
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = server.create(f"rows_{revision}")
    app = create_app(settings_for(tmp_path, **environment), with_web=False)
    with app.app_context():
        upgrade(revision=revision)
        with write_connection(db.engine) as connection:
            for table in tables_of(connection):
                numbers = (1,) if table.name in SINGLE else (1, 2, 3)
                connection.execute(table.insert(), [made_up_row(table, number) for number in numbers])
            before = rows_of(connection)
        upgrade()
        with db.engine.connect() as connection:
            after = rows_of(connection)
            if database == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        db.engine.dispose()
    hours = before.pop("latency_hour", None)
    for name, rows in before.items():
        for row, found in zip(rows, after[name], strict=True):
            assert found.items() >= row.items(), name
    if hours is not None:
        kept = ("endpoint_id", "start", "step_s", "count", "failures", "sum_us", "histogram")
        assert [[row[name] for name in kept] for row in after["latency_rollup"]] == [
            [row["endpoint_id"], row["hour"], 3600, row["count"], row["failures"], row["sum_us"], b""] for row in hours
        ]
