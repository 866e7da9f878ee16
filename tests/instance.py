"""The product as its users have it: all processes, started from outside, with an instance of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """One installation in a temporary folder. Settings are given as environment variables."""

    def __init__(self, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="statusapp-"))
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        # Nothing of the real environment that would set something up otherwise.
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self.environment = {
            **inherited,
            "INSTANCE_PATH": str(self.folder),
            "PORT": str(self.port),
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "statusapp.sqlite3"

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the installation's database says, whichever it is."""
        url = self.environment.get("DATABASE_URL")
        if url is None:
            with contextlib.closing(sqlite3.connect(self.database)) as connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(url) as server:
            return list(server.execute(statement.encode()).fetchall())

    @property
    def log(self) -> str:
        """What all processes have said."""
        return (self.folder / "log").read_text()

    def prepare(self, code: str) -> str:
        """Set the database up and run `code` in the product's application context; what it prints."""
        script = (
            "from config import load_settings\nfrom statusapp import create_app\n"
            "from statusapp.services.installation import prepare\n"
            "settings = load_settings()\nprepare(settings)\n"
            "with create_app(settings).app_context():\n" + "\n".join(f"    {line}" for line in code.splitlines())
        )
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def start(self, *command: str) -> None:
        """Start everything and wait for the web to answer."""
        arguments = command or (sys.executable, "-m", "statusapp")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                arguments, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: requests.get(f"{self.address}/health/live", timeout=1).ok, 60)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask all to stop as Ctrl-C does, the whole group at once; returns the seconds it took."""
        assert self.process is not None
        started = time.monotonic()
        os.killpg(self.process.pid, number)
        self.process.wait(30)
        return time.monotonic() - started

    def remove(self) -> None:
        """End what still runs, and remove the instance's files."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        wait_for(lambda: not self.leftovers(), 10)
        shutil.rmtree(self.folder)

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all below it."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def named(self, name: str) -> list[psutil.Process]:
        """The processes of one name, the oldest first: web, scheduler, worker 1, redis-server."""
        found = [process for process in self.processes() if name_of(process) == name]
        return sorted(found, key=lambda process: (process.create_time(), process.pid))

    def leftovers(self) -> list[psutil.Process]:
        """Every process on this machine that works for this instance."""
        mark = f"INSTANCE_PATH={self.folder}".encode()
        found = []
        for process in psutil.process_iter():
            try:
                environment = Path(f"/proc/{process.pid}/environ").read_bytes()
                if mark in environment and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (OSError, psutil.NoSuchProcess):
                continue
        return found


def name_of(process: psutil.Process) -> str:
    """The name that a process has given itself; empty when it has ended."""
    try:
        return Path(f"/proc/{process.pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(ready: Callable[[], object], seconds: float) -> None:
    """Wait until `ready()` is true; connection errors count as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except (OSError, requests.RequestException, psutil.NoSuchProcess):
            pass  # Not up yet.
        time.sleep(0.05)
    raise TimeoutError("it did not become so in time")
