"""What every test can ask for: an instance of its own, an application on a migrated database, a client."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from config import Settings, load_settings
from statusapp import create_app
from statusapp.extensions import db


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def settings_for(instance: Path) -> Settings:
    """Settings of an installation under `instance`, with nothing from the real environment."""
    return load_settings({"INSTANCE_PATH": str(instance), "PORT": str(free_port())})


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations have been run on, to copy from."""
    instance = tmp_path_factory.mktemp("migrated")
    app = create_app(settings_for(instance))
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
            # What is still in the write-ahead log is not in the file that the tests copy.
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        db.engine.dispose()
    return instance / "statusapp.sqlite3"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh instance. Its Redis is not running."""
    return settings_for(tmp_path / "instance")


@pytest.fixture
def app(settings: Settings, migrated_database: Path) -> Iterator[Flask]:
    """An application on a migrated, empty database, with its context pushed."""
    shutil.copy(migrated_database, settings.instance_path / "statusapp.sqlite3")
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


class FreshClient(FlaskClient):
    """A client whose requests share nothing with each other or with the test, as requests to a server do not.

    Flask would take the context that the test has pushed for theirs, and with it the account signed in by another.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Make a request in a context of its own."""
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies."""
    app.test_client_class = FreshClient
    return app.test_client()
