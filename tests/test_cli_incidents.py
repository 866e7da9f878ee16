"""The commands about incidents and maintenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.queries.incidents import find_public_incident
from tests.world import World


@pytest.fixture
def run(app: Flask) -> FlaskCliRunner:
    """Runs commands on a database with a shop in the front."""
    World().add("Shop", group="Front")
    return app.test_cli_runner()


def said(run: FlaskCliRunner, *words: str, code: int = 0) -> str:
    """What a command says."""
    db.session.rollback()
    result = run.invoke(args=list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_an_incident_is_opened_updated_and_listed(run: FlaskCliRunner) -> None:
    assert said(run, "list_incidents") == "No incident is open.\n"
    assert said(run, "open_incident", "Slow", "We look.", "--affects", "Shop", "--impact", "major", "--draft") == (
        "Opened incident 1 as a draft.\n"
    )
    line = said(run, "list_incidents")
    for expected in ("    1  ", "Investigating", "Major impact", "Slow  [Shop]", "(draft)"):
        assert expected in line
    said(run, "update_incident", "1", "Found.", "--status", "identified", "--publish")
    incident = find_public_incident(1)
    assert incident is not None
    assert [entry.body for entry in incident.updates] == ["Found.", "We look."]
    said(run, "update_incident", "1", "Done.", "--status", "resolved")
    assert said(run, "list_incidents") == "No incident is open.\n"
    assert "Resolved" in said(run, "list_incidents", "--all")


def test_what_cannot_be_done_is_one_clear_line(run: FlaskCliRunner) -> None:
    assert "There is no such incident." in said(run, "update_incident", "7", "x", code=1)
    assert "Did you mean Shop?" in said(run, "open_incident", "T", "B", "--affects", "Shp", code=1)
    said(run, "open_incident", "T", "B")
    refused = said(run, "update_incident", "1", "x", "--status", "post-mortem", code=1)
    assert "cannot go from investigating to post-mortem" in refused
    assert "no length of time" in said(run, "plan_maintenance", "T", "2100-01-01T02:00", "soon", "--all", code=1)
    assert "FREQ must be" in said(
        run, "plan_maintenance", "T", "2100-01-01T02:00", "1h", "--all", "--repeat", "FREQ=SECONDLY", code=1
    )
    assert "no group 'Back'" in said(run, "plan_maintenance", "T", "2100-01-01T02:00", "1h", "--group", "Back", code=1)
    assert "Choose the services" in said(run, "plan_maintenance", "T", "2100-01-01T02:00", "1h", code=1)


def test_maintenance_is_planned_listed_and_called_off(run: FlaskCliRunner) -> None:
    assert said(run, "list_maintenance") == "No maintenance is planned.\n"
    first = (utcnow() + timedelta(days=3)).replace(hour=2, minute=0)
    words = ("plan_maintenance", "Updates", f"{first:%Y-%m-%dT%H:%M}", "90m", "--zone", "UTC")
    assert said(run, *words, "--group", "Front", "--repeat", "FREQ=DAILY") == "Planned maintenance 1.\n"
    line = said(run, "list_maintenance")
    for expected in (f"next {first:%Y-%m-%dT%H:%MZ}", "90 min", "Updates", "[Front]", "UTC, FREQ=DAILY"):
        assert expected in line
    at = f"{datetime(first.year, first.month, first.day, 2, tzinfo=UTC):%Y-%m-%dT%H:%MZ}"
    assert "for this time" in said(run, "cancel_maintenance", "1", "--occurrence", at)
    assert "over" in said(run, "cancel_maintenance", "1", "--occurrence", at, code=1)
    assert "no time such as" in said(run, "cancel_maintenance", "1", "--occurrence", "tomorrow", code=1)
    said(run, "cancel_maintenance", "1")
    assert said(run, "list_maintenance") == "No maintenance is planned.\n"
