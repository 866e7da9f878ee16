"""Restores: all or nothing, never over something that runs, never from a file that does not fit."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from redis import Redis

from config import Settings
from statusapp.database import write_connection
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.redis_address import socket_path
from statusapp.services import check_windows
from statusapp.services.backup_files import BackupFailed, database_at, known_revisions
from statusapp.services.backup_rows import fill_postgresql
from statusapp.services.restore import open_restore
from statusapp.services.vault import check_key, current_vault
from tests.backups import backed_up, installation, keys_of, no_progress, old_backup, restored
from tests.postgres import Postgres
from tests.redis_process import run_redis
from tests.world import MINUTE, T0, World

T0_MOMENT = from_us(T0)


@pytest.fixture
def file(world: World, tmp_path: Path) -> Path:
    """A backup of a database with one service and a check of it, which is still there."""
    check_key()
    world.add("Shop")
    world.check(T0)
    return backed_up(tmp_path / "backup.sqlite3").file


def everything() -> dict[str, list[Any]]:
    """All rows of the database."""
    with db.engine.connect() as connection:
        return {
            table.name: connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY {keys_of(table)}").all()
            for table in db.metadata.sorted_tables
        }


@contextmanager
def refused(message: str) -> Iterator[None]:
    """The block is refused with this message, and the database stays as it is."""
    before = everything()
    with pytest.raises(BackupFailed, match=message):
        yield
    assert everything() == before


def database_file() -> Path:
    """The SQLite file."""
    return Path(str(db.engine.url.database))


def changed(file: Path, *statements: str) -> Path:
    """A copy of a backup on which statements were run."""
    other = file.with_name("changed.sqlite3")
    shutil.copy(file, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return other


def test_a_restore_brings_back_what_was_lost(world: World, file: Path) -> None:
    (shop,) = world.rows("SELECT id FROM service_endpoint")
    world.execute("DELETE FROM health_check")
    world.execute("DELETE FROM service_endpoint")
    world.add("Till")
    content = file.read_bytes()
    report = restored(file, T0 + MINUTE)
    assert [row.name for row in world.rows("SELECT name FROM service_endpoint")] == ["Shop"]
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 1
    assert world.state(shop.id).last_slot == T0
    assert world.add("Till") > shop.id
    assert file.read_bytes() == content
    assert (report.kept is not None) == (db.engine.dialect.name == "sqlite")


def test_the_database_before_is_kept_under_a_name_that_is_free(app: Flask, world: World, file: Path) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("there is no file to keep")
    names = []
    for number in range(3):
        world.execute("UPDATE service_endpoint SET name = :name", name=f"before {number}")
        kept = restored(file, T0 + MINUTE).kept
        assert kept is not None
        with closing(sqlite3.connect(kept)) as connection:
            assert connection.execute("SELECT name FROM service_endpoint").fetchone() == (f"before {number}",)
        names.append(kept.name.removeprefix("statusapp.sqlite3.before-restore"))
    assert names == ["", "-2", "-3"]
    db.engine.dispose()
    # Nothing of the old log may lie beside the new database, nor any of the work.
    assert [
        name for name in os.listdir(database_file().parent) if name.endswith(("-wal", "-shm")) or name[0] == "."
    ] == []
    assert database_file().stat().st_mode == kept.stat().st_mode


def test_a_file_that_cannot_be_restored_is_refused(file: Path) -> None:
    for name, content, message in (
        ("none", None, "cannot be read: No such file or directory"),
        ("empty", b"", "is not a backup: it is not a SQLite file"),
        ("text", b"-- PostgreSQL database dump", "is not a backup: it is not a SQLite file"),
        ("cut", file.read_bytes()[: file.stat().st_size // 2], "is damaged: "),
    ):
        path = file.with_name(name)
        if content is not None:
            path.write_bytes(content)
        with refused(f"^{re.escape(str(path))} {message}"):
            restored(path, T0)
    other = file.with_name("other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    with refused("other is a SQLite file, but not a backup of this product"):
        restored(other, T0)


def test_a_backup_of_a_newer_version_is_refused_and_both_are_named(file: Path) -> None:
    newer = changed(file, "UPDATE alembic_version SET version_num = '9001'")
    with refused(f"was made by a newer version: it is at revision 9001, and .* none after {known_revisions()[0]}"):
        restored(newer, T0)


def test_a_backup_of_another_key_is_refused_with_what_to_do(file: Path) -> None:
    other = changed(file, f"UPDATE encryption_key SET fingerprint = '{'0' * 64}'")
    with refused(
        "another key .* set ENCRYPTION_KEY to the old one, or put the .* file encryption_key into INSTANCE_PATH"
    ):
        restored(other, T0)


def test_nothing_is_restored_while_the_installation_runs(settings: Settings, file: Path) -> None:
    with (settings.instance_path / "supervisor.lock").open("w") as lock:
        lock.write("process 1234 on port 8000")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with refused(r"^the installation is running \(process 1234 on port 8000\): stop it first$"):
            restored(file, T0)
    restored(file, T0)


def test_the_installation_cannot_start_while_it_is_restored(settings: Settings, file: Path) -> None:
    with open_restore(file, T0_MOMENT), (settings.instance_path / "supervisor.lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert lock.read() == f"process {os.getpid()}, which restores a backup"


def test_nothing_is_restored_while_a_job_checks(file: Path) -> None:
    with write_connection(db.engine) as connection:
        window = check_windows.begin(connection, T0, 15_000_000)
        assert window is not None
    with refused("^a job is making checks: stop the workers first$"):
        restored(file, T0 + 1)
    with write_connection(db.engine) as connection:
        check_windows.end(connection, window, T0 + 2)
    restored(file, T0 + 3)


def test_nothing_is_restored_while_workers_are_registered(tmp_path: Path, file: Path, settings: Settings) -> None:
    ours = socket_path(settings.instance_path)
    ours.parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="r-"))
    with run_redis(folder) as address:
        ours.symlink_to(address.removeprefix("unix://"))
        with Redis.from_url(address) as client:
            client.sadd("rq:workers", "rq:worker:one", "rq:worker:gone")
            client.hset("rq:worker:one", "birth", "now")
        with refused("^1 workers are registered in Redis: stop them first$"):
            restored(file, T0)
    ours.unlink()
    shutil.rmtree(folder)
    restored(file, T0)


def test_nothing_is_restored_while_some_process_has_the_file_open(world: World, file: Path) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL is there for several")
    with closing(sqlite3.connect(database_file())) as other:
        other.execute("SELECT COUNT(*) FROM health_check").fetchone()
        with refused("^another process has .* open: stop it first$"):
            restored(file, T0)
    with pytest.raises(BackupFailed, match="is the database itself"):
        restored(database_file(), T0)


def test_a_session_that_holds_a_table_is_not_waited_for_for_ever(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("on SQLite nobody may have the file open")
    monkeypatch.setattr("statusapp.services.backup_rows.LOCK_TIMEOUT", "100ms")
    with db.engine.connect() as other:
        other.exec_driver_sql("SELECT * FROM health_check")
        with pytest.raises(BackupFailed, match=r"^the backup could not be restored: .*lock timeout"):
            restored(file, T0)


def test_a_restore_that_dies_half_way_has_changed_nothing(world: World, file: Path) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("on SQLite the last step is one rename")
    world.execute("UPDATE service_endpoint SET name = 'Till'")
    before = everything()

    class Killed(BaseException):
        """As by SIGTERM."""

    def die(done: int, total: int) -> None:
        if done == total:
            raise Killed

    with pytest.raises(Killed):
        fill_postgresql(file, die)
    assert everything() == before


def test_a_database_that_is_damaged_can_be_replaced(tmp_path: Path, file: Path, settings: Settings) -> None:
    if not settings.uses_sqlite:
        pytest.skip("the files of PostgreSQL are its own")
    db.engine.dispose()
    for content in (b"nothing like a database", b"SQLite format 3\0" + b"\xff" * 8000, b""):
        database_file().write_bytes(content)
        database_file().with_name("statusapp.sqlite3-wal").write_bytes(b"of the old one")
        with open_restore(file, T0_MOMENT) as found:
            assert found.present is None or found.present.revision is None
            kept = found.carry_out(T0_MOMENT, no_progress).kept
        assert kept is not None
        assert World().scalar("SELECT COUNT(*) FROM health_check") == 1
        db.engine.dispose()


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_backup_of_long_ago_is_migrated(revision: str, world: World, app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    old_backup(file, revision, T0)
    restored(file, T0 + 1000 * MINUTE)
    (endpoint,) = world.rows("SELECT id, name, conditions FROM service_endpoint")
    assert tuple(endpoint) == (7, "Shop", "[]")
    assert world.scalar("SELECT total_us FROM health_check WHERE slot = :slot", slot=T0) == 1000
    assert world.scalar("SELECT sum_us FROM latency_rollup WHERE step_s = 3600") == 1000
    assert world.add("Till") == 13
    with db.engine.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == known_revisions()[0]


def test_an_empty_place_takes_a_backup(tmp_path: Path, file: Path, postgres: Postgres, database: str) -> None:
    key = current_vault()
    environment = {"DATABASE_URL": postgres.create("empty_place")} if database == "postgresql" else {}
    with installation(tmp_path / "new", **environment):
        assert current_vault() is not key
        with pytest.raises(BackupFailed, match="another key"):
            restored(file, T0)
    shutil.copy(tmp_path / "instance" / "encryption_key", tmp_path / "key")
    environment["ENCRYPTION_KEY"] = (tmp_path / "key").read_text()
    with installation(tmp_path / "newer", **environment):
        assert restored(file, T0).kept is None
        assert World().scalar("SELECT COUNT(*) FROM health_check") == 1


def test_a_version_of_before_an_upgrade_goes_back_to_its_backup(world: World, file: Path) -> None:
    world.execute("UPDATE alembic_version SET version_num = '9001'")
    try:
        if db.engine.dialect.name == "sqlite":
            restored(file, T0)
            assert world.scalar("SELECT version_num FROM alembic_version") == known_revisions()[0]
        else:
            with refused("at revision 9001, which a newer version made; restore into an empty one"):
                restored(file, T0)
    finally:
        world.execute("UPDATE alembic_version SET version_num = :head", head=known_revisions()[0])


def test_texts_that_postgresql_does_not_take_do_not_stop_a_restore(tmp_path: Path, postgres: Postgres) -> None:
    file = tmp_path / "file"
    with installation(tmp_path / "a", DATABASE_URL=postgres.create("odd_texts")):
        with database_at(file):
            upgrade()
            World().execute(
                "INSERT INTO check_detail VALUES (1, 0, 1, 'a' || char(0) || 'b', NULL), "
                "(1, 0, 2, CAST(x'ff41' AS TEXT), '{\"x\": \"\\u0000\"}')"
            )
        restored(file, T0)
        rows = World().rows("SELECT error FROM check_detail ORDER BY slot")
    assert [row.error for row in rows] == ["ab", "\ufffdA"]


def test_the_command_shows_both_sides_and_asks(app: Flask, world: World, file: Path) -> None:
    world.execute("DELETE FROM health_check")
    runner = app.test_cli_runner()
    declined = runner.invoke(args=["restore", str(file)], input="n\n")
    assert declined.exit_code == 1
    assert "In the database now: 1 endpoints, 0 checks, the newest of 2026-11-24 10:00:17 UTC." in declined.output
    assert "In the backup: 1 endpoints, 1 checks, the newest of 2026-11-24 10:00:17 UTC." in declined.output
    fate = "kept in a file" if db.engine.dialect.name == "sqlite" else "lost"
    assert f"Replace the one by the other? What is there now is {fate}. [y/N]: n" in declined.output
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 0
    done = runner.invoke(args=["restore", str(file), "--yes"])
    assert done.exit_code == 0, done.output
    assert "Restored. Services that are unknown until they are checked again: " in done.output
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 1
    missing = runner.invoke(args=["restore", "/nowhere", "--yes"])
    assert (missing.exit_code, missing.output) == (1, "Error: /nowhere cannot be read: No such file or directory\n")
