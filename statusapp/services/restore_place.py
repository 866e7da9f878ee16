"""One SQLite file in the place of another: at no instant is there none, half of one, or the log of the wrong one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from statusapp.services.backup_files import BackupFailed, sync

# What SQLite may keep beside a database. Beside another one it would spoil that.
ENDINGS = ("-wal", "-shm", "-journal")
PATIENCE_S = 2.0
IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def take_the_place(new: Path, database: Path) -> Path | None:
    """Make `new` the database; returns the path under which the one before is kept.

    Raises:
        BackupFailed: when some process has the database open.
    """
    give_to_owner(new, database if database.exists() else database.parent)
    if not database.exists():
        for leftover in _beside(database):
            leftover.unlink()
        _replace(new, database)
        return None
    kept = _free_name(database)
    with _closed_to_others(database):
        _link(database, kept)
        for leftover in _beside(database):
            leftover.rename(f"{kept}{leftover.name.removeprefix(database.name)}")
        _replace(new, database)
    return kept


def give_to_owner(file: Path, owned: Path) -> None:
    """Let the product's processes use a file, when root restores what runs under another account."""
    status = owned.stat()
    if owned.is_file():
        shutil.copymode(owned, file)
    if os.geteuid() == 0:
        os.chown(file, status.st_uid, status.st_gid)


@contextmanager
def _closed_to_others(database: Path) -> Iterator[None]:
    """Bring the log into the file, which only works when nobody else has it open, and let nobody in for the block.

    A file that is damaged stays as it is.
    """
    with closing(sqlite3.connect(database, timeout=PATIENCE_S, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in IN_USE:
                raise BackupFailed(f"another process has {database} open: stop it first") from error
        yield


def _beside(database: Path) -> list[Path]:
    paths = (database.with_name(database.name + ending) for ending in ENDINGS)
    return [path for path in paths if path.exists()]


def _free_name(database: Path) -> Path:
    names = (f"{database.name}.before-restore{'' if number == 1 else f'-{number}'}" for number in count(1))
    return next(path for path in map(database.with_name, names) if not path.exists())


def _link(database: Path, kept: Path) -> None:
    """Give the file a second name."""
    try:
        os.link(database, kept)
    except OSError:
        # Not every file system has such names.
        shutil.copy2(database, kept)


def _replace(new: Path, database: Path) -> None:
    os.replace(new, database)
    sync(database.parent)
