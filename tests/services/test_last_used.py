"""When things were last used, as Redis knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from statusapp.services.last_used import LastUsed
from tests.redis_process import run_redis

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, KEPT = timedelta(seconds=1), timedelta(days=7)


@pytest.fixture
def database() -> str:
    """Nothing here asks a database."""
    return "sqlite"


@pytest.fixture
def redis(app: Flask, tmp_path: Path) -> Iterator[None]:
    """The application has a Redis."""
    with run_redis(tmp_path) as url:
        app.config["SETTINGS"] = replace(app.config["SETTINGS"], redis_url=url)
        yield


@pytest.mark.usefixtures("redis")
def test_a_use_is_known_to_the_minute() -> None:
    used = LastUsed("test:", KEPT)
    assert used.find(["a", "b"]) == {}
    used.say("a", NOW)
    used.say("a", NOW + 59 * SECOND)
    assert used.find(["a", "b"]) == {"a": NOW}
    used.say("a", NOW + 60 * SECOND)
    assert used.find(["a"]) == {"a": NOW + 60 * SECOND}
    # Of another process as well.
    assert LastUsed("test:", KEPT).find(["a"]) == {"a": NOW + 60 * SECOND}


@pytest.mark.usefixtures("redis")
def test_a_name_that_was_given_again_is_another_thing() -> None:
    used = LastUsed("test:", KEPT)
    used.say(1, NOW, key=(1, "first"))
    used.say(1, NOW + SECOND, key=(1, "second"))
    assert used.find([1]) == {1: NOW + SECOND}


@pytest.mark.usefixtures("redis")
def test_a_clock_that_was_put_back_holds_nothing_up() -> None:
    used = LastUsed("test:", KEPT)
    used.say("a", NOW)
    used.say("a", NOW - timedelta(hours=1))
    assert used.find(["a"]) == {"a": NOW - timedelta(hours=1)}


@pytest.mark.usefixtures("app")
def test_while_redis_is_away_nothing_is_known_and_nobody_waits() -> None:
    used = LastUsed("test:", KEPT)
    used.say("a", NOW)
    assert used.find(["a"]) == {}
    assert used.find([]) == {}
