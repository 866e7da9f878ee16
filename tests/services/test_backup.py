"""Backups: one file, one instant, while checks go on; the same rows whatever the database; nothing left behind."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from statusapp.database import write_connection, write_rows
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND
from statusapp.extensions import db
from statusapp.services.backup import make_backup
from statusapp.services.backup_files import BackupFailed, find_damage
from tests.backups import backed_up, fill_every_table, installation, no_progress, restored, rows_of
from tests.instance import ROOT, wait_for
from tests.postgres import Postgres
from tests.world import MINUTE, T0, World

MANY = 12_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the backup goes: a folder with nothing else in it."""
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "backup.sqlite3"


def value(file: Path, query: str) -> Any:
    """The one value that a statement returns."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchone()[0]


def store_many(endpoint_id: int, count: int = MANY) -> None:
    """Checks of the days before, so many that copying them takes several steps."""
    columns = "endpoint_id, location, slot, kind, outcome, error_kind, late_us, wait_us, total_us, size, peer"
    values = (0, 0, 0, 0, 900_000, 1_000_000, 100_000, b"x" * 16)
    rows = [(endpoint_id, 0, T0 - MINUTE * number, *values) for number in range(1, count + 1)]
    with write_connection(db.engine) as connection:
        write_rows(connection, f"INSERT INTO health_check ({columns}) VALUES", rows, "")


def test_what_is_stored_during_the_backup_is_not_in_it_and_does_not_hold_it_up(world: World, file: Path) -> None:
    ids = [world.add(name) for name in ("Shop", "Till")]
    store_many(ids[0])
    before = world.scalar("SELECT COUNT(*) FROM health_check")
    now, steps = T0 + 10 * MINUTE, []

    def progress(done: int, total: int) -> None:
        """Store a result of each service between two steps, as the job that checks would."""
        nonlocal now
        steps.append((done, total))
        if len(steps) < 30:
            now += MINUTE
            for claimed in world.claim(now):
                world.apply(claimed, now + SECOND, Outcome.FAILED)

    report = make_backup(file, progress)
    assert len(steps) >= 2
    assert steps[-1][0] == steps[-1][1]
    assert world.scalar("SELECT COUNT(*) FROM health_check") > before
    assert value(file, "SELECT COUNT(*) FROM health_check") == before == report.contents.checks
    assert value(file, "SELECT COUNT(*) FROM status_change WHERE status = 4") == 0


def test_a_backup_beside_a_busy_writer_is_consistent(app: Flask, world: World, file: Path) -> None:
    ids = [world.add(f"S{number}") for number in range(8)]
    store_many(ids[0])
    stop, rounds = threading.Event(), 0

    def check_all() -> None:
        nonlocal rounds
        with app.app_context():
            while not stop.is_set():
                now = T0 + MINUTE * (rounds + 1)
                for claimed in world.claim(now):
                    world.apply(claimed, now + SECOND, Outcome.FAILED if rounds % 8 > 3 else Outcome.OK)
                rounds += 1

    writer = threading.Thread(target=check_all)
    writer.start()
    try:
        backed_up(file)
        wait_for(lambda: rounds >= 16, 60)
        backed_up(file.with_name("second"))
    finally:
        stop.set()
        writer.join()
    for made in (file, file.with_name("second")):
        assert find_damage(made) is None
        with closing(sqlite3.connect(made)) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        # The newest check of each service is the one that its state is of, and the ledger says the state's status.
        newest = (
            "SELECT MAX(slot) FROM health_check AS h WHERE h.endpoint_id = s.endpoint_id AND slot > 1795514417000122"
        )
        assert value(made, f"SELECT COUNT(*) FROM endpoint_state AS s WHERE last_slot IS NOT ({newest})") == 0
        open_change = "SELECT status FROM status_change AS c WHERE c.endpoint_id = s.endpoint_id AND ended_at IS NULL"
        assert value(made, f"SELECT COUNT(*) FROM endpoint_state AS s WHERE status IS NOT ({open_change})") == 0
        assert value(made, "SELECT COUNT(*) FROM endpoint_state") == len(ids)
    assert value(file.with_name("second"), "SELECT COUNT(*) FROM status_change WHERE status = 4") > 0


def test_the_same_rows_come_out_of_either_database(tmp_path: Path, postgres: Postgres) -> None:
    now = T0 + 90 * MINUTE
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    with installation(tmp_path / "a"):
        upgrade()
        fill_every_table(T0)
        backed_up(first)
    original = rows_of(tmp_path / "a" / "statusapp.sqlite3")
    assert rows_of(first) == original
    assert [name for name, rows in original.items() if not rows] == []
    with installation(tmp_path / "b", DATABASE_URL=postgres.create("either")):
        restored(first, now)
        backed_up(second)
    with installation(tmp_path / "c"):
        restored(first, now)
        backed_up(third)
    through_postgres, through_sqlite = rows_of(second), rows_of(third)
    for name, rows in original.items():
        assert through_postgres[name] == through_sqlite[name], name
        if name not in SETTLED:
            assert through_sqlite[name] == rows, name
    with installation(tmp_path / "d"):
        restored(second, now)
        backed_up(tmp_path / "fourth")
    moving = {"endpoint_state", "channel_state"}
    unchanged = {name: rows for name, rows in through_sqlite.items() if name not in moving}
    assert {name: rows for name, rows in rows_of(tmp_path / "fourth").items() if name in unchanged} == unchanged


# What a restore changes on purpose.
SETTLED = {
    "endpoint_state", "heartbeat", "periodic_task", "check_window", "user_session", "status_change", "watermark",
    "channel_state", "alert", "alert_delivery", "api_access_token",
}  # fmt: skip


@pytest.mark.parametrize("through", ["sqlite", "postgresql"])
def test_an_id_is_never_given_again(through: str, tmp_path: Path, postgres: Postgres) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    world = World()
    with installation(tmp_path / "a"):
        upgrade()
        kept, deleted = world.add("Shop"), world.add("Till")
        world.execute("DELETE FROM service_endpoint WHERE id = :id", id=deleted)
        backed_up(first)
    environment = {"DATABASE_URL": postgres.create("ids")} if through == "postgresql" else {}
    with installation(tmp_path / "b", **environment):
        restored(first, T0 + MINUTE)
        another = world.add("Till")
        assert another > deleted > kept
        world.execute("DELETE FROM service_endpoint WHERE id = :id", id=another)
        backed_up(second)
    with installation(tmp_path / "c"):
        restored(second, T0 + MINUTE)
        assert world.add("Till") > another


def test_a_backup_is_for_its_owner_only_and_one_file(world: World, file: Path) -> None:
    world.add()
    report = backed_up(file)
    assert (report.file, report.size) == (file, file.stat().st_size)
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(file.parent) == [file.name]
    # It can be read where nothing may be written.
    assert value(Path(f"{file}"), "PRAGMA journal_mode") == "delete"


def test_a_file_that_is_there_is_replaced_only_when_asked_for(world: World, file: Path) -> None:
    file.write_text("something else")
    with pytest.raises(BackupFailed, match="exists; choose another name, or replace it with --force"):
        backed_up(file)
    assert file.read_text() == "something else"
    world.add()
    assert make_backup(file, no_progress, replace=True).contents.endpoints == 1
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_no_backup_can_be_written(app: Flask, file: Path) -> None:
    for path, message in (
        (file.parent, f"{file.parent} is a folder; name a file in it"),
        (file.parent / "none" / "file", f"there is no folder {file.parent}/none"),
        (Path("/dev/null"), "/dev/null exists"),
        (Path("/proc/file"), "/proc cannot be written to: "),
    ):
        with pytest.raises(BackupFailed, match=re.escape(message)):
            make_backup(path, no_progress, replace=True)
    assert os.listdir(file.parent) == []
    if db.engine.dialect.name == "sqlite":
        database = Path(str(db.engine.url.database))
        with pytest.raises(BackupFailed, match="is the database itself"):
            make_backup(database, no_progress, replace=True)


def test_a_failure_half_way_leaves_nothing_behind_and_the_old_file_as_it_was(world: World, file: Path) -> None:
    store_many(world.add(), 10)
    file.write_text("the backup of yesterday")

    def fail(_done: int, _total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(BackupFailed, match=r"^no backup was made: No space left on device$"):
        make_backup(file, fail, replace=True)
    assert (os.listdir(file.parent), file.read_text()) == ([file.name], "the backup of yesterday")


def test_a_disk_that_takes_no_more_is_one_line(world: World, settings: Any, file: Path) -> None:
    world.add()
    environment = {"PATH": os.environ["PATH"], "INSTANCE_PATH": str(settings.instance_path)}
    if not settings.uses_sqlite:
        environment["DATABASE_URL"] = settings.database_url

    def nearly_full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    program = [str(Path(sys.executable).with_name("flask")), "backup", str(file)]
    options: dict[str, Any] = {"cwd": ROOT, "env": environment, "preexec_fn": nearly_full, "timeout": 60}
    ended = subprocess.run(program, check=False, capture_output=True, text=True, **options)
    assert ended.returncode == 1
    assert re.fullmatch(r"Error: no backup was made: .+\n", ended.stderr), ended.stderr
    assert os.listdir(file.parent) == []


def test_a_damaged_database_is_not_taken_for_a_backup(tmp_path: Path, file: Path) -> None:
    with installation(tmp_path / "a") as app:
        upgrade()
        store_many(World().add())
        db.engine.dispose()
        database = app.config["SETTINGS"].instance_path / "statusapp.sqlite3"
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with database.open("r+b") as stream:
            stream.seek(database.stat().st_size // 2)
            stream.write(b"\xff" * 20_000)
        with pytest.raises(BackupFailed, match=r"^the database is damaged, so no backup was made: "):
            backed_up(file)
    assert os.listdir(file.parent) == []


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path, file: Path, postgres: Postgres) -> None:
    for environment in ({}, {"DATABASE_URL": postgres.create("nothing")}):
        with installation(tmp_path / "empty", **environment), pytest.raises(BackupFailed, match="no database yet"):
            backed_up(file)
    assert not (tmp_path / "empty" / "statusapp.sqlite3").exists()


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_postgresql_that_has_not_been_upgraded_can_be_backed_up(
    revision: str, tmp_path: Path, file: Path, postgres: Postgres
) -> None:
    with installation(tmp_path / "a", DATABASE_URL=postgres.create(f"backed_up_at_{revision}")):
        upgrade(revision=revision)
        assert backed_up(file).contents.revision == revision
        upgrade()
        with write_connection(db.engine) as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(BackupFailed, match="at revision 9999, which a newer version made"):
            backed_up(file.with_name("other"))


def test_the_command_says_what_it_wrote_and_that_the_key_is_apart(app: Flask, world: World, file: Path) -> None:
    world.add()
    world.check(T0)
    result = app.test_cli_runner().invoke(args=["backup", str(file)])
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    assert re.fullmatch(
        rf"Wrote {file}: 0\.\d MB, 1 endpoints, 1 checks, the newest of 2026-11-24 10:00:17 UTC\.", first
    )
    assert second.startswith("The encryption key is not in it. Keep that apart")
    again = app.test_cli_runner().invoke(args=["backup", str(file)])
    assert (again.exit_code, again.output) == (
        1,
        f"Error: {file} exists; choose another name, or replace it with --force\n",
    )
    assert app.test_cli_runner().invoke(args=["backup", str(file), "--force"]).exit_code == 0
