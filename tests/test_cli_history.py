"""Commands that show history: an uptime figure opened, and the requests that came in."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from statusapp.clock import now_us
from statusapp.database import write_connection
from statusapp.domain.enums import Status
from statusapp.extensions import db
from statusapp.services.request_writing import RequestWriter
from statusapp.tracking.fields import Record
from statusapp.tracking.wire import Batch
from tests.world import MINUTE, World

HOUR = 60 * MINUTE


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs commands."""
    return app.test_cli_runner()


def test_an_uptime_figure_is_opened(runner: FlaskCliRunner) -> None:
    world, now = World(), now_us()
    endpoint_id = world.add("Shop", at=now - 10 * HOUR)
    world.change(endpoint_id, Status.OPERATIONAL, now - 8 * HOUR)
    world.change(endpoint_id, Status.MAJOR_OUTAGE, now - 4 * HOUR, now - 4 * HOUR + MINUTE, "HTTP 502")
    world.change(endpoint_id, Status.OPERATIONAL, now - 2 * HOUR)
    shown = runner.invoke(args=["explain_uptime", "Shop"])
    assert shown.exit_code == 0, shown.output
    unknown, _, outage, _, formula = shown.output.splitlines()
    assert re.search(r"Unknown +2\.0 h", unknown)
    assert re.search(r"Major Outage +2\.0 h +failed_in_a_row +HTTP 502$", outage)
    assert re.fullmatch(
        r"75\.\d{4} % = 100 % less \(2\.0 h down\) of 8\.0 h known; 2\.0 h unknown or in maintenance are left out",
        formula,
    ) or formula.startswith("74.99")
    assert runner.invoke(args=["explain_uptime", "Nobody"]).exit_code == 1


def test_requests_are_shown_with_what_is_wrong(runner: FlaskCliRunner) -> None:
    assert runner.invoke(args=["show_requests"]).output == "No requests have been logged in this time.\n"
    at = now_us() - 10 * MINUTE
    fine = Record(at, "GET", "/cart", 200, 20_000, 0, 0, "", "", "", "", "", "", "", 0, 1.0)
    error = {"error_class": "KeyError", "error_message": "<text>", "fingerprint": "0" * 16, "address": "192.0.2.0"}
    records = [fine] * 30 + [fine._replace(route="/pay", status=500, duration_us=2_000_000, **error)] * 25
    with write_connection(db.engine) as connection:
        RequestWriter(1_000_000, "a secret", at).write(connection, [Batch("shop", "web-1", 0, records)])
    db.session.rollback()
    shown = runner.invoke(args=["show_requests"])
    assert shown.exit_code == 0, shown.exception
    lines = shown.output.splitlines()
    assert re.match(r"shop GET /cart +30 +0\.00 % +0\.020 s", lines[1])
    assert re.match(r"shop GET /pay +25 +100\.00 %", lines[2])
    assert re.match(r"55 requests, 0\.[89] a minute, 45\.45 % errors", lines[3])
    assert lines[4] == "100.0 % of 25 requests to GET /pay fail (more than 5.0 %)"
    assert lines[5].startswith("GET /pay takes 2.0")
    assert re.search(r"KeyError in GET /pay: <text> \(first seen .*, 25 times, 1 clients\)$", lines[6])
    db.session.rollback()
    slow = runner.invoke(args=["set_slow_route", "shop", "get", "/pay", "5000"])
    assert slow.output.startswith("GET /pay of shop is slow from 5000 ms on.")
    assert not any("takes" in line for line in runner.invoke(args=["show_requests"]).output.splitlines())
    assert runner.invoke(args=["set_slow_route", "shop", "GET", "/none", "5"]).exit_code == 1


def test_a_token_is_made_and_ended(runner: FlaskCliRunner) -> None:
    made = runner.invoke(args=["create_ingest_token", "shop"])
    assert re.match(r"Token of shop, shown only now: ingest_[\w-]{43}\nIt reports to http://", made.output)
    assert runner.invoke(args=["create_ingest_token", "shop"]).exit_code == 1
    assert runner.invoke(args=["revoke_ingest_token", "shop"]).output == "The token of shop is no longer valid.\n"
    again = runner.invoke(args=["revoke_ingest_token", "shop"])
    assert (again.exit_code, "no valid token" in again.output) == (1, True)
