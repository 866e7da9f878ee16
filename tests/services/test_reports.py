"""Daily reports: when they are written, to whom they go and how often."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from statusapp.database import write_transaction
from statusapp.domain import report_texts
from statusapp.domain.errors import InvalidInput
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.models import (
    DailyReport,
    ServiceEndpoint,
)
from statusapp.services import reports, rollups
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.delivery import current_outfit, deliver
from tests.receivers import running_hook, running_mail_server
from tests.services.reporting import DAY, MIDNIGHT, NIGHT, THE_DAY, channel, report_of, set_zone
from tests.world import MINUTE, T0, World


def keys(world: World) -> list[str]:
    return [row.key for row in world.rows("SELECT key FROM alert_delivery ORDER BY id")]


def test_a_night_without_workers_is_summed_up_before_it_is_told(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 30 * MINUTE)
    assert world.scalar("SELECT COUNT(*) FROM latency_rollup") == 0
    reports.generate_reports(NIGHT)
    assert report_of()["services"][0]["checks"] == world.scalar("SELECT COUNT(*) FROM health_check")


def test_reports_are_written_once_and_missed_days_are_made_up_for(world: World) -> None:
    assert "nothing" in reports.generate_reports(from_us(T0))
    world.add("Shop", at=T0)
    later = from_us(T0 + 3 * DAY)
    assert reports.generate_reports(later) == "wrote 2026-11-24, 2026-11-25, 2026-11-26, 0 messages"
    before = [(row.day, row.data) for row in world.rows("SELECT * FROM daily_report ORDER BY day")]
    assert reports.generate_reports(later) == "nothing to write"
    assert [(row.day, row.data) for row in world.rows("SELECT * FROM daily_report ORDER BY day")] == before
    assert all(report_of(day)["version"] == 2 for day in (THE_DAY, date(2026, 11, 26)))


def test_a_report_goes_to_the_channels_for_reports_and_old_ones_to_nobody(world: World) -> None:
    wanted, _ = channel("Mail"), channel("Pager", sends_reports=False)
    world.add("Shop", at=T0)
    assert reports.generate_reports(from_us(T0 + 4 * DAY)).endswith("2026-11-27, 2 messages")
    assert keys(world) == [f"report-2026-11-26-{wanted}", f"report-2026-11-27-{wanted}"]
    assert world.scalar("SELECT COUNT(*) FROM daily_report") == 4


def test_a_day_is_not_sent_again_when_its_message_is_gone(world: World) -> None:
    channel("Mail")
    world.add("Shop", at=T0)
    reports.generate_reports(NIGHT)
    world.execute("DELETE FROM alert_delivery")
    reports.generate_reports(NIGHT + timedelta(minutes=1))
    assert keys(world) == []


def test_who_comes_second_neither_writes_nor_sends(world: World) -> None:
    number = channel("Mail")
    world.add("Shop", at=T0)
    data = reports.show_report(THE_DAY, NIGHT).data
    assert reports._keep(THE_DAY, data, NIGHT, is_news=True) == 1
    assert reports._keep(THE_DAY, {"version": 2, "day": "other"}, NIGHT, is_news=True) is None
    assert report_of()["day"] == "2026-11-24"
    assert keys(world) == [f"report-2026-11-24-{number}"]


def test_a_report_that_cannot_be_queued_is_not_written_either(world: World) -> None:
    channel("Mail")
    world.add("Shop", at=T0)

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("INSERT INTO alert_delivery"):
            raise OperationalError(statement, None, OSError("disk full"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    with pytest.raises(OperationalError):
        reports.generate_reports(NIGHT)
    event.remove(db.engine, "before_cursor_execute", refuse)
    assert world.scalar("SELECT COUNT(*) FROM daily_report") == 0
    reports.generate_reports(NIGHT)
    assert len(keys(world)) == 1


def test_the_receivers_get_the_report_itself(world: World) -> None:
    world.add("Shop <b>{name}</b>", at=T0)
    with running_hook() as hook, running_mail_server() as (mailbox, port):
        hook_id = channel("Hook", hook.address)
        mail = {"to": "ops@example.org", "url": f"smtp://127.0.0.1:{port}", "sender": "status@example.org"}
        mail_id = add_channel(ChannelDraft("Mail", "email", mail, sends_reports=True), from_us(T0))
        reports.generate_reports(NIGHT)
        world.execute("UPDATE channel_state SET due_at = 1")
        assert deliver(current_outfit(), hook_id)
        assert deliver(current_outfit(), mail_id)
        (told,) = json.loads(hook.requests[0].body)["events"]
    assert told["key"] == f"report-2026-11-24-{hook_id}"
    assert told["report"] == report_of()
    assert "html" not in told
    (received,) = mailbox.mails
    assert received["Subject"] == report_texts.title(report_of())
    plain, html = (part.get_content().replace("\r\n", "\n") for part in received.iter_parts())  # type: ignore[attr-defined]
    assert report_texts.text(report_of()) in plain
    assert "Shop <b>{name}</b>" in plain
    assert "Shop &lt;b&gt;{name}&lt;/b&gt;" in html
    assert "<b>" not in html


def test_two_reports_in_one_message_are_both_told_in_full(world: World) -> None:
    world.add("Shop", at=T0)
    with running_hook() as hook, running_mail_server() as (mailbox, port):
        mail = {"to": "ops@example.org", "url": f"smtp://127.0.0.1:{port}", "sender": "status@example.org"}
        mail_id = add_channel(ChannelDraft("Mail", "email", mail, sends_reports=True), from_us(T0))
        reports.generate_reports(from_us(T0 + 2 * DAY))
        world.execute("UPDATE channel_state SET due_at = 1")
        assert deliver(current_outfit(), mail_id)
        assert hook.requests == []
    (received,) = mailbox.mails
    plain, html = (part.get_content().replace("\r\n", "\n") for part in received.iter_parts())  # type: ignore[attr-defined]
    for day in (THE_DAY, THE_DAY + timedelta(days=1)):
        assert report_texts.text(report_of(day)) in plain
        assert report_texts.html(report_of(day)) in html.replace("\n", "")


def test_today_so_far_ends_now(world: World) -> None:
    endpoint_id = world.add("Shop", at=T0)
    world.run_for(endpoint_id, T0 + 30 * MINUTE)
    rollups.roll_up_checks(from_us(T0 + 31 * MINUTE))
    found = reports.show_report(THE_DAY, from_us(T0 + 31 * MINUTE))
    assert not found.is_stored
    assert not found.data["is_whole"]
    assert found.data["services"][0]["checks"] == world.scalar("SELECT COUNT(*) FROM health_check")
    assert "until 10:31" in report_texts.title(found.data)
    assert world.scalar("SELECT COUNT(*) FROM daily_report") == 0


def test_the_first_instant_of_a_day_has_a_report_too(world: World) -> None:
    world.add("Shop", at=T0)
    found = reports.show_report(date(2026, 11, 25), from_us(MIDNIGHT + DAY))
    assert report_texts.text(found.data)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("2026-11-26", "has not begun yet; today is 2026-11-25 in UTC"),
        ("2026-11-23", "there are reports from 2026-11-24 on"),
    ],
)
def test_a_day_without_a_report_is_refused_with_the_reason(world: World, given: str, message: str) -> None:
    world.add("Shop", at=T0)
    with pytest.raises(InvalidInput, match=message):
        reports.show_report(reports.day_for(given, NIGHT), NIGHT)


@pytest.mark.parametrize("given", ["2026-13-01", "yesteryear", "", "2026-11-25T00:00", "0"])
def test_what_is_no_day_is_refused(world: World, given: str) -> None:
    with pytest.raises(InvalidInput, match="is no day; write it as in 2026-11-25"):
        reports.day_for(given, NIGHT)


def test_days_have_names_in_the_zone_of_the_page(world: World) -> None:
    set_zone("Pacific/Auckland")
    late = datetime.fromisoformat("2026-11-24T12:00:00+00:00")
    assert reports.day_for("today", late) == date(2026, 11, 25)
    assert reports.day_for(None, late) == reports.day_for("yesterday", late) == THE_DAY


def test_the_command_shows_what_was_stored(app: Flask, world: World) -> None:
    runner: FlaskCliRunner = app.test_cli_runner()
    empty = runner.invoke(args=["report"])
    assert (empty.exit_code, "Nothing is monitored yet" in empty.output) == (1, True)
    with write_transaction(db.session) as session:
        data = {"version": 2, "day": "2026-11-24", "time_zone": "UTC", "services": []}
        session.add(DailyReport(day=THE_DAY, created_at=NIGHT, data=data))
    shown = runner.invoke(args=["report", "--date", "2026-11-24"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Daily report of 2026-11-24: nothing was monitored")
    assert "not stored" not in shown.output


def test_the_command_says_when_a_report_is_made_just_now(app: Flask, world: World) -> None:
    world.add("Shop", at=T0)
    with write_transaction(db.session) as session:
        session.query(ServiceEndpoint).one().created_at = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    runner: FlaskCliRunner = app.test_cli_runner()
    for arguments in ([], ["--date", "today"]):
        shown = runner.invoke(args=["report", *arguments])
        assert shown.exit_code == 0
        assert "Shop" in shown.output
        assert shown.output.endswith("This report is not stored: it was made just now.\n")
    for wrong in ("2026-02-30", "9999-01-01"):
        refused = runner.invoke(args=["report", "--date", wrong])
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: ")
        assert "Traceback" not in refused.output
