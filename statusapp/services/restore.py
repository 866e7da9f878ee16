"""Restores: a backup takes the place of all that is in the database, which goes on from there without a storm.

All work is done on a copy of the backup. Up to the last step, which happens whole or not at all, the database is as it
was.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import flask_migrate
from flask import current_app
from sqlalchemy.exc import DatabaseError

from config import Settings
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.queries.health import load_monitor_facts
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
    reading,
    told_in_one_line,
    workplace,
)
from statusapp.services.backup_rows import fill_postgresql
from statusapp.services.check_windows import has_live_claimer
from statusapp.services.restore_place import give_to_owner, take_the_place
from statusapp.services.restore_settling import Settled, settle
from statusapp.services.vault import current_vault

# The supervisor holds it while it runs; whoever holds it keeps the supervisor from starting.
LOCK_FILE = "supervisor.lock"
SQLITE_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A restore that is done. `kept` is the database file that was there before."""

    settled: Settled
    kept: Path | None


@dataclass(frozen=True, slots=True)
class Restore:
    """A backup that has been found to be good, and what it would replace; None where that cannot be read."""

    backup: Contents
    present: Contents | None
    copy: Path

    @property
    def keeps_present(self) -> bool:
        """Whether what is there now stays there under another name."""
        return db.engine.dialect.name == "sqlite"

    def carry_out(self, now: datetime, progress: Progress) -> RestoreReport:
        """Replace the database.

        Raises:
            BackupFailed: when that is not possible; the database is as it was then.
        """
        _refuse_while_running(self.present, now)
        with told_in_one_line("the backup could not be restored"):
            with database_at(self.copy):
                flask_migrate.upgrade()
                settled = settle(now)
            complete(self.copy)
            db.session.remove()
            if self.keeps_present:
                db.engine.dispose()
                kept = take_the_place(self.copy, _database_file())
                progress(1, 1)
                return RestoreReport(settled, kept)
            flask_migrate.upgrade()
            fill_postgresql(self.copy, progress)
        return RestoreReport(settled, None)


@contextmanager
def open_restore(file: Path, now: datetime) -> Iterator[Restore]:
    """Look at a backup and at what it would replace, and keep the installation from starting for the block.

    Raises:
        BackupFailed: when this file cannot be restored here and now.
    """
    settings: Settings = current_app.config["SETTINGS"]
    _look_at_header(file)
    folder = _database_file().parent if settings.uses_sqlite else settings.instance_path
    with _locked_instance(settings), workplace(folder) as place:
        present = _read_present()
        _refuse_while_running(present, now)
        copy = place / "restored.sqlite3"
        with told_in_one_line(f"{file} cannot be copied to {folder}"):
            _copy(file, copy)
        yield Restore(_checked(copy, file), present, copy)


def _look_at_header(file: Path) -> None:
    with told_in_one_line(f"{file} cannot be read"), file.open("rb") as stream:
        if stream.read(len(SQLITE_HEADER)) != SQLITE_HEADER:
            raise BackupFailed(f"{file} is not a backup: it is not a SQLite file")
    if db.engine.dialect.name == "sqlite" and _database_file().exists() and file.samefile(_database_file()):
        raise BackupFailed(f"{file} is the database itself")


def _locked_instance(settings: Settings) -> IO[str]:
    """What the supervisor holds while it runs, held until it is closed."""
    path = settings.instance_path / LOCK_FILE
    with told_in_one_line(f"{path} cannot be used"):
        lock = path.open("a+", encoding="utf-8")
        give_to_owner(path, path.parent)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise BackupFailed(f"the installation is running ({holder}): stop it first") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, which restores a backup")
        lock.flush()
    return lock


def _database_file() -> Path:
    return Path(db.engine.url.database or "")


def _read_present() -> Contents | None:
    """What is in the database now. A SQLite file that cannot be read is one more reason to restore."""
    if db.engine.dialect.name != "sqlite":
        with db.engine.connect() as connection:
            return read_contents(connection)
    if not _database_file().exists():
        return Contents()
    try:
        with db.engine.connect() as connection:
            return read_contents(connection)
    except DatabaseError:
        return None


def _refuse_while_running(present: Contents | None, now: datetime) -> None:
    """Processes that were started by themselves, here or on other machines, are known by what they write."""
    if present is None or present.revision is None:
        return
    if present.revision not in known_revisions():
        if db.engine.dialect.name == "sqlite":
            return  # The whole file is replaced, and only when nobody has it open.
        raise BackupFailed(
            f"the database is at revision {present.revision}, which a newer version made; restore into an empty one"
        )
    if _someone_claims(now):
        raise BackupFailed("a job is making checks: stop the workers first")
    workers = load_monitor_facts(now, timedelta(0)).workers
    if workers:
        raise BackupFailed(f"{workers} workers are registered in Redis: stop them first")


def _someone_claims(now: datetime) -> bool:
    try:
        with db.engine.connect() as connection:
            return has_live_claimer(connection, to_us(now))
    except DatabaseError:
        if db.engine.dialect.name == "sqlite":
            return False  # The file is damaged in this place.
        raise


def _copy(file: Path, copy: Path) -> None:
    """Copy the file, and the write-ahead log that lies beside it when it is a database that was not closed."""
    make_private(copy)
    shutil.copyfile(file, copy)
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))


def _checked(copy: Path, file: Path) -> Contents:
    """What is in the copy, when it is whole, ours, not newer than this code, and of this encryption key."""
    damage = find_damage(copy)
    if damage is not None:
        raise BackupFailed(f"{file} is damaged: {damage}")
    with reading(copy) as connection:
        contents = read_contents(connection)
    if contents.revision is None:
        raise BackupFailed(f"{file} is a SQLite file, but not a backup of this product")
    known = known_revisions()
    if contents.revision not in known:
        raise BackupFailed(
            f"{file} was made by a newer version: it is at revision {contents.revision}, and this one knows none after "
            f"{known[0]}; upgrade first"
        )
    if contents.fingerprint not in (None, current_vault().fingerprint):
        raise BackupFailed(
            f"the secrets in {file} are encrypted with another key than this installation's: set ENCRYPTION_KEY to the "
            "old one, or put the old installation's file encryption_key into INSTANCE_PATH"
        )
    return contents
