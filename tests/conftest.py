"""What every test can ask for: an instance of its own, an application on a migrated database, a client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from config import Settings, load_settings
from statusapp import create_app
from statusapp.database import write_connection
from statusapp.extensions import db
from tests.instance import free_port
from tests.postgres import Postgres, run_postgres


def settings_for(instance: Path, **environment: str) -> Settings:
    """Settings of an installation under `instance`, with nothing from the real environment.

    Requests are not logged unless a test asks for it: most have no Redis. Pages are made anew each time they are asked
    for: tests change what is on them.
    """
    usual = {"INSTANCE_PATH": str(instance), "PORT": str(free_port()), "TRACK_REQUESTS": "false"}
    usual["PAGE_CACHE_SECONDS"] = "0"
    return load_settings(usual | environment)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations have been run on, to copy from."""
    instance = tmp_path_factory.mktemp("migrated")
    app = create_app(settings_for(instance), with_web=False)
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
            # What is still in the write-ahead log is not in the file that the tests copy.
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        db.engine.dispose()
    return instance / "statusapp.sqlite3"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run alone."""
    with run_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database on it that the migrations have been run on. Tests take turns and leave it empty."""
    url = postgres.create("migrated")
    app = create_app(settings_for(tmp_path_factory.mktemp("migrated_pg"), DATABASE_URL=url), with_web=False)
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture
def database() -> str:
    """Which database the test runs on; folders whose tests run on both override this with parameters."""
    return "sqlite"


@pytest.fixture
def settings(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Settings:
    """Settings of a fresh instance on a migrated, empty database. Its Redis is not running."""
    instance = tmp_path / "instance"
    if database == "postgresql":
        return settings_for(instance, DATABASE_URL=request.getfixturevalue("migrated_postgres"))
    settings = settings_for(instance)
    shutil.copy(request.getfixturevalue("migrated_database"), instance / "statusapp.sqlite3")
    return settings


@pytest.fixture
def with_web() -> bool:
    """Whether the application answers requests, which takes a quarter of a second to put together."""
    return False


@pytest.fixture
def app(settings: Settings, with_web: bool) -> Iterator[Flask]:
    """An application on the database of `settings`, with its context pushed."""
    app = create_app(settings, with_web=with_web)
    with app.app_context():
        yield app
        db.session.remove()
        if not settings.uses_sqlite:
            empty_database()
        db.engine.dispose()


def empty_database() -> None:
    """Delete all rows."""
    with write_connection(db.engine) as connection:
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())


class FreshClient(FlaskClient):
    """A client whose requests share nothing with each other or with the test, as requests to a server do not.

    Flask would take the context that the test has pushed for theirs, and with it the account signed in by another.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Make a request in a context of its own, and read the answer to its end, which closes its file."""
        kwargs.setdefault("buffered", True)
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies."""
    app.test_client_class = FreshClient
    return app.test_client()
