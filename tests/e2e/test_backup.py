"""Backups as an operator makes them: while everything runs, and back into the same installation or another database."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.instance import ROOT, Instance, wait_for
from tests.postgres import Postgres
from tests.target import Target

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
CHECKED = "Shop"
# By how much a check may be late on a machine that is busy with other tests.
LATE_S = 3


@pytest.fixture
def target() -> Iterator[Target]:
    """A service that answers."""
    target = Target()
    yield target
    target.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres_faults)])
def instance(request: pytest.FixtureRequest) -> Iterator[Instance]:
    """An installation that does not exist yet."""
    environment = {}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = server.create(f"backup_{uuid4().hex}")
    instance = Instance(**environment)
    yield instance
    instance.remove()


def flask(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the product's commands as an operator does."""
    program = [str(Path(sys.executable).with_name("flask")), *arguments]
    return subprocess.run(
        program, cwd=ROOT, env=instance.environment, capture_output=True, text=True, timeout=60, check=False
    )


def service(instance: Instance) -> dict[str, Any]:
    """What the page says of the service."""
    page = requests.get(f"{instance.address}/health/status-page-api/", timeout=10).json()
    return next(service for service in page["services"] if service["name"] == CHECKED)


def gaps(arrivals: list[float]) -> list[float]:
    """The seconds between one and the next."""
    return [later - earlier for earlier, later in pairwise(arrivals)]


def checks_in(file: Path) -> int:
    """How many checks a backup holds."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return int(connection.execute("SELECT COUNT(*) FROM health_check").fetchone()[0])


def test_what_was_lost_comes_back_and_goes_on(instance: Instance, target: Target, tmp_path: Path) -> None:
    file, after = tmp_path / "backup.sqlite3", tmp_path / "after.sqlite3"
    instance.start()
    added = flask(instance, "add_endpoint", CHECKED, f"{target.address}/shop", "--interval", "5", "--timeout", "2")
    assert added.returncode == 0, added.stderr
    wait_for(lambda: len(target.arrivals["/shop"]) >= 2 and service(instance)["status"] == "operational", 60)
    made = flask(instance, "backup", str(file))
    assert made.returncode == 0, made.stderr
    assert re.match(rf"Wrote {file}: \d+\.\d MB, 9 endpoints, \d+ checks, the newest of 20", made.stdout)
    # No check had to wait for it.
    wait_for(lambda: len(target.arrivals["/shop"]) >= 4, 30)
    assert max(gaps(target.arrivals["/shop"][1:4])) < 5 + LATE_S
    while_running = flask(instance, "restore", str(file), "--yes")
    assert while_running.returncode == 1
    assert re.fullmatch(
        rf"Error: the installation is running \(process \d+ on port {instance.port}\): stop it first\n",
        while_running.stderr,
    )
    deleted = (
        "from sqlalchemy import text\nfrom statusapp.extensions import db\n"
        "for table in ('health_check', 'status_change', 'service_endpoint'):\n"
        "    db.session.execute(text(f'DELETE FROM {table}'))\ndb.session.commit()"
    )
    assert instance.stop() < 15
    instance.prepare(deleted)
    restored = flask(instance, "restore", str(file), "--yes")
    assert restored.returncode == 0, restored.stderr
    assert "In the database now: 0 endpoints, 0 checks." in restored.stdout
    first_new = len(target.arrivals["/shop"])
    instance.start()
    wait_for(lambda: len(target.arrivals["/shop"]) > first_new, 30)
    wait_for(lambda: service(instance)["status"] == "operational", 30)
    # No storm: the first check makes up for all that were missed, and those after it keep their interval.
    wait_for(lambda: len(target.arrivals["/shop"]) >= first_new + 3, 30)
    assert min(gaps(target.arrivals["/shop"][first_new + 1 : first_new + 3])) > 5 - LATE_S
    assert flask(instance, "backup", str(after)).returncode == 0
    assert checks_in(after) > checks_in(file) >= 2
    assert instance.stop() < 15
    assert "Traceback" not in instance.log


def test_a_backup_that_is_stopped_leaves_nothing_behind(instance: Instance, tmp_path: Path) -> None:
    instance.prepare("pass")
    folder = tmp_path / "backups"
    folder.mkdir()
    program = [str(Path(sys.executable).with_name("flask")), "backup", str(folder / "file")]
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            program, cwd=ROOT, env=instance.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda: list(folder.iterdir()), 30)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert "Traceback" not in said
        # It may have been done before the signal came.
        assert [path.name for path in folder.iterdir()] in ([], ["file"])
        assert process.returncode != 0 or (folder / "file").exists()
        (folder / "file").unlink(missing_ok=True)
