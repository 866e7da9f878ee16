"""Backup files: each is one SQLite file, whatever the database is. What one holds, and how one is worked on."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import Flask, current_app
from sqlalchemy import URL, Connection, NullPool, create_engine, inspect
from sqlalchemy.exc import DBAPIError

from statusapp.database import configure_engine
from statusapp.domain.errors import DomainError
from statusapp.domain.instants import from_us
from statusapp.extensions import db, migrate

# Those that there have been from the first revision on.
OUR_TABLES = {"alembic_version", "service_endpoint", "endpoint_state", "health_check"}
# Told how much is done, of how much in all.
Progress = Callable[[int, int], None]


class BackupFailed(DomainError):
    """A backup or a restore cannot go on. Nothing has been changed, and nothing is left behind."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database or in a backup. `fingerprint` is that of the key its secrets are encrypted with."""

    revision: str | None = None
    endpoints: int = 0
    checks: int = 0
    newest_check_at: datetime | None = None
    fingerprint: str | None = None


def read_revision(connection: Connection) -> str | None:
    """The revision that a database is at; None for one that has not our tables."""
    if OUR_TABLES - set(inspect(connection).get_table_names()):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def read_contents(connection: Connection) -> Contents:
    """What is in the database of a connection; nothing, with no revision, when it has not our tables."""
    revision = read_revision(connection)
    if revision is None:
        return Contents()

    def value(query: str) -> Any:
        return connection.exec_driver_sql(query).scalar()

    newest = value("SELECT MAX(last_checked_at) FROM endpoint_state")
    return Contents(
        revision,
        value("SELECT COUNT(*) FROM service_endpoint"),
        value("SELECT COUNT(*) FROM health_check"),
        None if newest is None else from_us(newest),
        value("SELECT fingerprint FROM encryption_key") if inspect(connection).has_table("encryption_key") else None,
    )


def known_revisions() -> list[str]:
    """The revisions that this version has migrations for, the newest first."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    return [script.revision for script in scripts.walk_revisions()]


@contextmanager
def reading(file: Path) -> Iterator[Connection]:
    """A plain connection to a SQLite file, with none of the settings that write to it."""
    engine = create_engine(URL.create("sqlite", database=str(file)), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@contextmanager
def database_at(file: Path) -> Iterator[None]:
    """Make a SQLite file the database for the block, so that migrations and use cases work on it.

    It takes an application of its own, with a database and nothing else.
    """
    here = current_app
    app = Flask("statusapp", instance_path=here.instance_path)
    app.config.update(
        SETTINGS=here.config["SETTINGS"],
        SQLALCHEMY_DATABASE_URI=URL.create("sqlite", database=str(file)),
        SQLALCHEMY_ENGINE_OPTIONS={"poolclass": NullPool},
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=here.extensions["migrate"].directory)
    with app.app_context():
        configure_engine(db.engine)
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def find_damage(file: Path) -> str | None:
    """What is wrong with a SQLite file, in a line; None when it is sound."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    # The first line is only the name of the database.
    return None if found == "ok" else found.splitlines()[-1]


def complete(file: Path) -> None:
    """Make a SQLite file whole in itself, without a write-ahead log beside it, and safe on the disk."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sync(file)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A private folder in `folder`, on the same disk therefore, that is gone with all in it after the block."""
    with told_in_one_line(f"{folder} cannot be written to"):
        place = tempfile.TemporaryDirectory(prefix=".statusapp-", dir=folder)
    with place as name:
        yield Path(name)


def make_private(file: Path) -> None:
    """Make an empty file that nobody else may read: a backup holds password hashes and secrets."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def told_in_one_line(what: str) -> Iterator[None]:
    """Turn the errors of disks and databases into one that says what could not be done, and why.

    Raises:
        BackupFailed: in their place.
    """
    try:
        yield
    except DBAPIError as error:
        raise BackupFailed(f"{what}: {_first_line(error.orig)}") from error
    except OSError as error:
        raise BackupFailed(f"{what}: {error.strerror or error}") from error
    # What comes from a driver that was used without SQLAlchemy.
    except (sqlite3.Error, db.engine.dialect.loaded_dbapi.Error) as error:
        raise BackupFailed(f"{what}: {_first_line(error)}") from error


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
