"""Jobs talk to a real Redis of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from config import Settings
from tests.conftest import settings_for
from tests.redis_process import run_redis


@pytest.fixture
def settings(tmp_path: Path, migrated_database: Path) -> Iterator[Settings]:
    """Settings of a fresh instance with a Redis that runs."""
    with run_redis(tmp_path) as url:
        settings = settings_for(tmp_path / "instance", REDIS_URL=url)
        (settings.instance_path / "statusapp.sqlite3").write_bytes(migrated_database.read_bytes())
        yield settings


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """A client of it."""
    assert settings.redis_url is not None
    with Redis.from_url(settings.redis_url, decode_responses=True) as client:
        yield client
