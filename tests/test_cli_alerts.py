"""Commands about alerts: what is shown, acknowledged, muted and set."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from statusapp.clock import now_us
from statusapp.extensions import db
from statusapp.services import rules
from tests.world import MINUTE, World


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs commands."""
    rules.ensure_defaults()
    return app.test_cli_runner()


def fire(world: World, endpoint_id: int) -> int:
    """An open alert about a service; its number."""
    now = now_us()
    world.execute(
        "INSERT INTO alert (kind, subject, name, endpoint_id, severity, since, fired_at, found, reminders, "
        "is_flapping) VALUES (0, :subject, 'Shop', :id, 2, :since, :now, 'HTTP 502', 0, false)",
        subject=f"endpoint:{endpoint_id}", id=endpoint_id, since=now - 12 * MINUTE, now=now,
    )  # fmt: skip
    return int(world.scalar("SELECT MAX(id) FROM alert"))


def test_an_open_alert_is_shown_and_acknowledged(runner: FlaskCliRunner) -> None:
    world = World()
    assert runner.invoke(args=["show_alerts"]).output == "No alert is open.\n"
    number = str(fire(world, world.add(at=now_us())))
    assert "Shop: HTTP 502" in runner.invoke(args=["show_alerts"]).output
    assert runner.invoke(args=["acknowledge_alert", number, "--note", "on it"]).exit_code == 0
    assert "(acknowledged by command line: on it)" in runner.invoke(args=["show_alerts"]).output
    assert runner.invoke(args=["acknowledge_alert", number, "--undo"]).exit_code == 0
    assert "acknowledged" not in runner.invoke(args=["show_alerts"]).output
    world.execute("UPDATE alert SET resolved_at = :now", now=now_us())
    db.session.rollback()  # A command of its own would have begun a new read.
    assert runner.invoke(args=["show_alerts"]).output == "No alert is open.\n"
    assert "over 20" in runner.invoke(args=["show_alerts", "--all"]).output
    for arguments in ([number], [number, "--undo"], ["999"]):
        assert runner.invoke(args=["acknowledge_alert", *arguments]).exit_code == 1


def test_services_and_rules_are_muted_for_good_or_for_a_while(runner: FlaskCliRunner) -> None:
    World().add(at=now_us())
    assert runner.invoke(args=["mute_alerts", "--service", "Shop", "--until", "2h"]).exit_code == 0
    assert runner.invoke(args=["mute_alerts", "--rule", "disk"]).output == "The rule disk alerts nobody any more.\n"
    shown = runner.invoke(args=["show_alert_rules"]).output
    assert "muted: Shop until 20" in shown
    assert "muted for good" in next(line for line in shown.splitlines() if line.startswith("disk "))
    runner.invoke(args=["unmute_alerts", "--service", "Shop"])
    runner.invoke(args=["unmute_alerts", "--rule", "disk"])
    assert "muted" not in runner.invoke(args=["show_alert_rules"]).output
    for arguments in (
        [],
        ["--service", "Shop", "--rule", "disk"],
        ["--service", "Nobody"],
        ["--rule", "disk", "--until", "soon"],
    ):
        assert runner.invoke(args=["mute_alerts", *arguments]).exit_code == 1


def test_a_rule_is_set_for_a_service_and_taken_back(runner: FlaskCliRunner) -> None:
    World().add(at=now_us())
    assert runner.invoke(args=["set_alert_rule", "down", "--for", "2m", "--service", "Shop"]).exit_code == 0
    down = [line for line in runner.invoke(args=["show_alert_rules"]).output.splitlines() if line.startswith("down ")]
    assert ["for 600 s" in down[0], "for 120 s" in down[1], "Shop" in down[1]] == [True, True, True]
    assert runner.invoke(args=["set_alert_rule", "down", "--service", "Shop", "--reset"]).exit_code == 0
    assert runner.invoke(args=["show_alert_rules"]).output.count("\ndown ") + 1 == 1
    for arguments in (["down"], ["cpu", "--service", "Shop", "--off"], ["down", "--for", "soon"]):
        assert runner.invoke(args=["set_alert_rule", *arguments]).exit_code == 1
