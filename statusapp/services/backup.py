"""Backups: the whole database as it was at one instant, in one SQLite file, made while everything goes on."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate

from statusapp.extensions import db
from statusapp.services.backup_files import (
    BackupFailed,
    Contents,
    Progress,
    complete,
    database_at,
    find_damage,
    known_revisions,
    make_private,
    read_contents,
    read_revision,
    reading,
    sync,
    told_in_one_line,
    workplace,
)
from statusapp.services.backup_rows import fill_file, one_instant

PAGES_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that has been made and checked."""

    file: Path
    size: int
    contents: Contents


def make_backup(file: Path, progress: Progress, *, replace: bool = False) -> BackupReport:
    """Write the database to `file`, which appears whole or not at all.

    Args:
        replace: whether a file that is there may be replaced.

    Raises:
        BackupFailed: when it cannot be made; nothing is left behind then.
    """
    file = _usable(file, replace)
    with workplace(file.parent) as place, told_in_one_line("no backup was made"):
        copy = place / file.name
        make_private(copy)
        if db.engine.dialect.name == "sqlite":
            _copy_file(copy, progress)
        else:
            _copy_rows(copy, progress)
        complete(copy)
        damage = find_damage(copy)
        if damage is not None:
            raise BackupFailed(f"the database is damaged, so no backup was made: {damage}")
        with reading(copy) as connection:
            contents = read_contents(connection)
        os.replace(copy, file)
        sync(file.parent)
    return BackupReport(file, file.stat().st_size, contents)


def _usable(file: Path, replace: bool) -> Path:
    """The path itself, when a backup may be written to it and there is something to back up."""
    file = file.resolve()
    if not file.parent.is_dir():
        raise BackupFailed(f"there is no folder {file.parent}")
    if file.is_dir():
        raise BackupFailed(f"{file} is a folder; name a file in it")
    database = db.engine.url.database if db.engine.dialect.name == "sqlite" else None
    if database is not None:
        if not os.path.exists(database):
            raise BackupFailed("there is no database yet")
        if file.exists() and os.path.samefile(file, database):
            raise BackupFailed(f"{file} is the database itself")
    if file.exists() and not (replace and file.is_file()):
        raise BackupFailed(f"{file} exists; choose another name, or replace it with --force")
    return file


def _copy_file(copy: Path, progress: Progress) -> None:
    """Copy a SQLite database page by page."""
    with db.engine.connect() as connection, closing(sqlite3.connect(copy)) as target:
        # Having read, the transaction keeps seeing the same instant. Without that, each result that is stored meanwhile
        # would make the copy begin anew. It keeps nobody from writing.
        if read_revision(connection) is None:
            raise BackupFailed("there is no database yet")
        source: Any = connection.connection.driver_connection
        source.backup(target, pages=PAGES_AT_ONCE, progress=lambda _state, left, total: progress(total - left, total))


def _copy_rows(copy: Path, progress: Progress) -> None:
    """Copy a PostgreSQL database row by row into the same tables."""
    with one_instant(db.engine) as reading_it:
        with reading_it() as connection:
            revision = read_revision(connection)
        if revision is None:
            raise BackupFailed("there is no database yet")
        if revision not in known_revisions():
            raise BackupFailed(f"the database is at revision {revision}, which a newer version made; use that one")
        with database_at(copy):
            flask_migrate.upgrade(revision=revision)
        complete(copy)
        fill_file(reading_it, copy, progress)
