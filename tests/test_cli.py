"""The commands: named as in the specification, readable, with an exit code that can be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from config import Settings
from statusapp import create_app
from statusapp.clock import now_us, utcnow
from statusapp.extensions import db
from statusapp.models import SystemMetric
from tests.target import Target
from tests.world import World


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs commands."""
    return app.test_cli_runner()


@pytest.fixture
def target() -> Iterator[Target]:
    """A service that answers."""
    target = Target()
    yield target
    target.stop()


@pytest.fixture
def world(app: Flask) -> World:
    """Verbs on an empty, migrated database."""
    return World()


def test_set_up_says_what_it_made_and_a_second_run_changes_nothing(runner: FlaskCliRunner, world: World) -> None:
    first = runner.invoke(args=["setup_health_monitoring", "--base-url", "https://app.example.org/"])
    assert first.exit_code == 0
    assert first.output.endswith("8 created, 0 kept as they were.\n")
    assert (
        world.scalar("SELECT url FROM service_endpoint WHERE name = 'Admin Panel'") == "https://app.example.org/admin/"
    )
    before = world.rows("SELECT * FROM service_endpoint")
    second = runner.invoke(args=["setup_health_monitoring"])
    assert second.output.endswith("0 created, 8 kept as they were.\n")
    assert world.rows("SELECT * FROM service_endpoint") == before


def test_a_base_url_that_is_none_is_refused(runner: FlaskCliRunner, world: World) -> None:
    result = runner.invoke(args=["setup_health_monitoring", "--base-url", "app.example.org"])
    assert result.exit_code == 1
    assert "--base-url='app.example.org' cannot be used: it must look like https://example.org" in result.output
    assert world.scalar("SELECT COUNT(*) FROM service_endpoint") == 0


def test_checks_are_made_and_shown(runner: FlaskCliRunner, world: World, target: Target) -> None:
    world.add("Shop", url=f"{target.address}/shop", at=now_us())
    result = runner.invoke(args=["run_health_checks"])
    assert result.exit_code == 0
    header, row, summary = result.output.splitlines()
    assert header.split() == ["Service", "Result", "Code", "Time", "Error"]
    assert row.split()[:3] == ["Shop", "ok", "200"]
    assert summary == "1 of 1 services answered as expected."
    assert world.scalar("SELECT COUNT(*) FROM health_check WHERE kind = 2") == 1


def test_something_down_ends_with_1_and_says_why(runner: FlaskCliRunner, world: World, target: Target) -> None:
    world.add("Shop", url=f"{target.address}/", at=now_us())
    world.add("Till", url="http://127.0.0.1:1/", at=now_us())
    result = runner.invoke(args=["run_health_checks"])
    assert result.exit_code == 1
    assert "1 of 2 services answered as expected." in result.output
    (till,) = (line for line in result.output.splitlines() if line.startswith("Till"))
    assert till.split()[1] == "down"
    assert "127.0.0.1" in till
    alone = runner.invoke(args=["run_health_checks", "--endpoint", "Shop"])
    assert alone.exit_code == 0
    assert "Till" not in alone.output


def test_an_unknown_name_lists_the_near_ones(runner: FlaskCliRunner, world: World) -> None:
    nobody = runner.invoke(args=["run_health_checks", "--endpoint", "Shop"])
    assert "run setup_health_monitoring" in nobody.output
    for name in ("Shop", "Shopping cart", "Warehouse"):
        world.add(name)
    result = runner.invoke(args=["run_health_checks", "--endpoint", "shp"])
    assert result.exit_code == 1
    assert "there is no endpoint 'shp'. Did you mean Shop?" in result.output


def test_metrics_are_collected_on_request(runner: FlaskCliRunner, world: World) -> None:
    result = runner.invoke(args=["run_health_checks", "--collect-metrics"])
    assert result.exit_code == 0
    header, *lines = result.output.splitlines()
    assert header.split() == ["System", "Reading", "Details"]
    names = [line[: header.index("Reading")].strip() for line in lines]
    assert [name for name in names if not name.startswith("Disk /")] == [
        "Host", "CPU", "Memory", "Disk I/O", "Network", "Database", "Redis", "Queues",
    ]  # fmt: skip
    assert any(name.startswith("Disk /") for name in names)
    values = dict(zip(names, (line[header.index("Reading") :] for line in lines), strict=True))
    assert re.match(r"\d+\.\d %  +(of \d|cores [\d ]+ %, load )", values["CPU"])
    assert re.match(r"\d+\.\d ms query  +\d+\.\d ms connection, \d+\.\d kB size, ", values["Database"])
    assert re.match(r"away +ConnectionError", values["Redis"])
    assert "\x1b" not in result.output
    assert not [line for line in lines if line != line.rstrip()]
    newest = db.session.query(SystemMetric).one().taken_at
    assert isinstance(newest, datetime)
    assert (utcnow() - newest).total_seconds() < 10


def test_many_endpoints_are_all_checked(runner: FlaskCliRunner, world: World, target: Target) -> None:
    for number in range(45):
        world.add(f"S{number:02}", url=f"{target.address}/{number}", at=now_us())
    result = runner.invoke(args=["run_health_checks"])
    assert "45 of 45 services answered as expected." in result.output
    assert len(target.arrivals) == 45


def test_an_endpoint_is_added_or_refused_with_a_reason(runner: FlaskCliRunner, world: World) -> None:
    added = runner.invoke(
        args=["add_endpoint", "Shop", "https://shop.example.org/", "--interval", "30", "--method", "head"]
    )
    assert added.output == "Added Shop: HEAD https://shop.example.org/ every 30 s.\n"
    refused = runner.invoke(args=["add_endpoint", "Shop", "https://shop.example.org/"])
    assert refused.exit_code == 1
    assert "choose another name" in refused.output
    refused = runner.invoke(args=["add_endpoint", "Till", "shop.example.org"])
    assert "write for example https://example.org/" in refused.output


def test_the_first_account_is_made_once(runner: FlaskCliRunner) -> None:
    arguments = ["create_admin", "--email", "me@example.org", "--password", "correct horse battery"]
    assert "Created the account me@example.org" in runner.invoke(args=arguments).output
    again = runner.invoke(args=arguments)
    assert again.exit_code == 1
    assert "already" in again.output
    short = runner.invoke(args=["create_admin", "--email", "me@example.org", "--password", "short"])
    assert "at least 12 characters" in short.output


@pytest.mark.parametrize("command", ["setup_health_monitoring", "run_health_checks"])
def test_without_a_database_there_is_one_clear_line(settings: Settings, command: str) -> None:
    (settings.instance_path / "statusapp.sqlite3").unlink()
    app = create_app(settings, with_web=False)
    with app.app_context():
        result = app.test_cli_runner().invoke(args=[command])
        db.session.remove()
        db.engine.dispose()
    assert result.exit_code == 1
    assert "has `flask db upgrade` been run?" in result.output
    assert "Traceback" not in result.output
