"""What tests of backups and restores need: databases with something in every table, and a look at all rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import JSON, Boolean, Column, Date, Float, LargeBinary, SmallInteger, String, Text

from statusapp import create_app
from statusapp.database import write_connection
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models.types import EnumCode, UtcDateTime
from statusapp.services.backup import BackupReport, make_backup
from statusapp.services.backup_files import database_at
from statusapp.services.restore import RestoreReport, open_restore
from statusapp.services.vault import current_vault
from tests.conftest import settings_for

KEY = "the key of all installations of these tests"
Rows = dict[str, list[tuple[Any, ...]]]


def no_progress(_done: int, _total: int) -> None:
    """Nobody looks at the bar."""


def backed_up(file: Path) -> BackupReport:
    """Make a backup of the current database."""
    return make_backup(file, no_progress)


def restored(file: Path, now: int) -> RestoreReport:
    """Restore a backup into the current database, at `now` in microseconds."""
    with open_restore(file, from_us(now)) as found:
        return found.carry_out(from_us(now), no_progress)


@contextmanager
def installation(folder: Path, **environment: str) -> Iterator[Flask]:
    """An application on a database of its own that the migrations have not been run on."""
    app = create_app(settings_for(folder, **{"ENCRYPTION_KEY": KEY, **environment}), with_web=False)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def rows_of(file: Path) -> Rows:
    """All rows of all tables of a SQLite file, in the order of their keys."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return {
            table.name: connection.execute(f"SELECT * FROM {table.name} ORDER BY {keys_of(table)}").fetchall()
            for table in db.metadata.sorted_tables
        }


def keys_of(table: Any) -> str:
    """The columns of a table's key."""
    return ", ".join(column.name for column in table.primary_key.columns)


def fill_every_table(start: int) -> None:
    """Write rows into each table that there is, with something in every column, at `start` and the seconds after it."""
    with write_connection(db.engine) as connection:
        for table in db.metadata.sorted_tables:
            only_one = any("only_one" in str(constraint.name) for constraint in table.constraints)
            for number in range(1, 2 if only_one else 4):
                values = {column.name: _example(column, number, start) for column in table.columns}
                if table.name == "encryption_key":
                    values["fingerprint"] = current_vault().fingerprint
                connection.execute(table.insert().values(values))


def _example(column: Column[Any], number: int, start: int) -> Any:
    """A value of the column's type. The third row has NULL wherever it may."""
    kind = column.type
    if column.nullable and number == 3:
        return None
    for known, value in (
        (UtcDateTime, from_us(start) + timedelta(microseconds=number)),
        (Date, date(2026, 1, number)),
        (Boolean, number == 1),
        (EnumCode, number % 3),
        (JSON, {"number": number, "text": "Grüße \u2713 \x01"}),
        (LargeBinary, bytes([0, number, 255])),
        (Float, number / 3),
    ):
        if isinstance(kind, known):
            return value
    if isinstance(kind, String):
        return _text(column, number)
    if column.foreign_keys or column.name in ("id", "endpoint_id") or isinstance(kind, SmallInteger):
        return number
    return start + number if kind.python_type is int and "BIGINT" in str(kind) else 60 * number


def _text(column: Column[Any], number: int) -> str:
    fixed = {"time_zone": "Europe/Berlin", "options": "{}", "conditions": "[]", "url": "heartbeat:", "secrets": None}
    if column.name in fixed:
        return fixed[column.name]  # type: ignore[return-value]
    if isinstance(column.type, Text):
        return f"Wäsche {number}\n\t'\\N\" 🧺"
    return f"{column.name} {number}"[-(column.type.length or 99) :]  # type: ignore[attr-defined]


def old_backup(file: Path, revision: str, at: int) -> None:
    """A database as a version of long ago left it: one service that is up, a check of it, sums, a change."""
    with database_at(file):
        upgrade(revision=revision)
        with write_connection(db.engine) as connection:
            for statement in (
                "INSERT INTO service_endpoint (id, name, url, interval_s, is_enabled, is_public, created_at, "
                "updated_at) VALUES (7, 'Shop', 'http://shop.example/', 300, 1, 1, '2026-01-01 00:00:00.000000', "
                "'2026-01-01 00:00:00.000000')",
                "INSERT INTO endpoint_state (endpoint_id, status, status_since, history, failures, successes, slow, "
                f"fast, last_checked_at, silent_after, fence) VALUES (7, 1, {at}, 0, 0, 9, 0, 9, {at}, {at + 9}, 40)",
                "INSERT INTO health_check (endpoint_id, location, slot, kind, outcome, error_kind, late_us, total_us) "
                f"VALUES (7, 0, {at}, 0, 0, 0, 5, 1000)",
                "INSERT INTO status_change (endpoint_id, previous, status, started_at, recorded_at, rule, superseded) "
                f"VALUES (7, 0, 1, {at}, {at}, 1, 0)",
                "INSERT INTO latency_hour (endpoint_id, hour, count, failures, sum_us, min_us, max_us) "
                f"VALUES (7, {at - at % 3_600_000_000}, 1, 0, 1000, 1000, 1000)",
                "DELETE FROM sqlite_sequence",
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('service_endpoint', 12)",
            ):
                connection.exec_driver_sql(statement)
