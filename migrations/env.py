"""Runs the migrations on the application's own engine, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from statusapp.database import WRITES
from statusapp.extensions import db
from statusapp.models.types import EnumCode, UtcDateTime

# Any number will do, as long as every migrating process takes the same lock.
MIGRATION_LOCK = 7_210_905


def include_object(_object: Any, name: str | None, kind: str, _reflected: bool, _compared_to: Any) -> bool:
    """Leave out the partitions of PostgreSQL: they come and go with the days."""
    return not (kind == "table" and name is not None and name.startswith("health_check_p"))


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our own column types as the plain ones they are stored as: a migration must outlive the code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EnumCode):
        return "sa.SmallInteger()"
    return False


def run(connection: Connection) -> None:
    """Bring the database to the revision that was asked for, in one transaction."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A batch change copies the table and drops the old one, which would take the rows that refer to it along. The
        # pragma has no effect inside a transaction, so it is set on the driver's connection, which is still outside.
        connection.connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_object=include_object,
        render_item=render_item,
        **current_app.extensions["migrate"].configure_args,
    )
    try:
        with context.begin_transaction():
            if not sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
    finally:
        if sqlite:
            connection.connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined]


with db.engine.connect() as database_connection:
    run(database_connection.execution_options(**WRITES))
