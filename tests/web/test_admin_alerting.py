"""Channels, rules, texts and reports in the admin area."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Severity, Transition
from statusapp.extensions import db
from statusapp.models import AlertRule, DailyReport, MessageText, NotificationChannel, ServiceGroup
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.rules import ensure_defaults
from statusapp.services.vault import current_vault
from tests.receivers import Answer, running_hook
from tests.web.conftest import MakeService, Operator

CHANNELS = "/admin/health/channel/"
RULES = "/admin/health/rule/"
TEXTS = "/admin/health/messagetext/"
REPORTS = "/admin/health/report/"
HOSTILE = "<script>alert(1)</script>"
SECRET = "hook-secret-of-ours"


def fresh(model: Any) -> list[Any]:
    """All rows of a table as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(model)))


def error_at(page: str, field: str) -> str:
    """What is said beside a field."""
    return page.split(f'id="{field}-error">')[1].split("</p>", maxsplit=1)[0]


def channel(**changes: Any) -> dict[str, Any]:
    """What a browser sends of the form for a webhook."""
    usual = {
        "kind": "webhook", "name": "Hook", "to_url": "https://example.org/hooks/abcdef", "to_secret": SECRET,
        "severities": ["critical", "warning"], "sends_alerts": "y", "is_enabled": "y",
    }  # fmt: skip
    return usual | changes


def test_a_channel_is_added_shown_masked_and_changed(operator: Operator) -> None:
    assert "tells people when something is wrong" in operator.get(CHANNELS).text
    with write_transaction(db.session) as session:
        session.add(ServiceGroup(name="Front", position=0))
    for changes, field, words in (
        ({"name": ""}, "name", "1 to 200"),
        ({"to_url": "nowhere"}, "to_url", "https://example.org/hooks/status"),
        ({"to_secret": "short"}, "to_url", "at least 16"),
        ({"severities": []}, "severities", "at least one"),
        ({"quiet": "night"}, "quiet", "22:00-07:00"),
        ({"tags": "x" * 51}, "tags", "1 to 50"),
        ({"groups": ["Gone"]}, "groups", "not there any more"),
    ):
        answer = operator.post(f"{CHANNELS}add/", channel(**changes))
        assert answer.status_code == 400, changes
        assert words in error_at(answer.text, field)
    assert fresh(NotificationChannel) == []
    page = operator.post(
        f"{CHANNELS}add/", channel(groups=["Front"], tags="edge", quiet="22:00-07:00"), follow_redirects=True
    ).text
    assert "Try it now" in page
    (row,) = fresh(NotificationChannel)
    address = f"{CHANNELS}{row.id}/"
    for page in (operator.get(CHANNELS).text, operator.get(address).text):
        assert "https://example.org/***" in page
        assert "abcdef" not in page
        assert SECRET not in page
    operator.post(address, channel(name=HOSTILE, to_url="", to_secret="", severities=["info"], is_enabled=""))
    (row,) = fresh(NotificationChannel)
    assert (row.name, row.severities, row.is_enabled) == (HOSTILE, 1 << Severity.INFO, False)
    assert current_vault().open(row.secrets) == {"url": "https://example.org/hooks/abcdef", "secret": SECRET}
    operator.post(address, channel(to_url="https://example.org/other", to_secret=""))
    (row,) = fresh(NotificationChannel)
    assert current_vault().open(row.secrets) == {"url": "https://example.org/other", "secret": SECRET}
    page = operator.post(f"{address}delete/").text
    assert "Delete Hook?" in page
    assert len(fresh(NotificationChannel)) == 1
    operator.post(f"{address}delete/", {"confirmed": "1"})
    assert fresh(NotificationChannel) == []
    assert operator.get(address).status_code == 404


def test_an_optional_part_of_a_mail_channel_is_cleared_by_its_box(operator: Operator) -> None:
    mail = {
        "kind": "email", "name": "Mail", "to_to": "ops@example.org", "to_sender": "me@example.org",
        "severities": "info", "sends_alerts": "y", "is_enabled": "y",
    }  # fmt: skip
    operator.post(f"{CHANNELS}add/", mail)
    (row,) = fresh(NotificationChannel)
    operator.post(f"{CHANNELS}{row.id}/", mail | {"to_to": "", "to_sender": "", "to_sender-clear": "y"})
    (row,) = fresh(NotificationChannel)
    assert current_vault().open(row.secrets) == {"to": ["ops@example.org"], "sender": None, "url": None}


def test_a_test_shows_what_the_receiver_really_said(operator: Operator, now: datetime) -> None:
    with running_hook() as hook:
        draft = ChannelDraft("Hook", "webhook", {"url": f"{hook.address}/x", "secret": SECRET})
        key = add_channel(draft, now)
        page = operator.post(f"{CHANNELS}{key}/test").text
        assert "The receiver took it" in page
        assert f'action="{CHANNELS}{key}/"' in page
        hook.answers = [Answer(403, body=f"no {HOSTILE}".encode())]
        page = operator.post(f"{CHANNELS}{key}/test").text
        assert "It was not taken" in page
        assert "403 Forbidden: no &lt;script&gt;" in page
        assert HOSTILE not in page


def test_staff_change_what_a_channel_is_told_but_not_where_it_leads(staff_operator: Operator, now: datetime) -> None:
    key = add_channel(ChannelDraft("Hook", "webhook", {"url": "https://example.org/a", "secret": SECRET}), now)
    page = staff_operator.get(CHANNELS).text
    assert "Add a channel" not in page
    staff_operator.post(f"{CHANNELS}{key}/", channel(name="Renamed", to_url="https://evil.example.org/"))
    (row,) = fresh(NotificationChannel)
    assert row.name == "Renamed"
    assert current_vault().open(row.secrets)["url"] == "https://example.org/a"


def test_rules_are_listed_changed_muted_and_taken_back(operator: Operator, make_service: MakeService) -> None:
    ensure_defaults()
    service = make_service(HOSTILE)
    page = operator.get(RULES).text
    assert page.count('class="name"') == len(AlertKind)
    assert "above 90 %, for 10 min" in page
    cpu = next(row.id for row in fresh(AlertRule) if row.kind is AlertKind.CPU)
    usual = {"severity": "critical", "threshold": "80,5", "for_s": "5 min", "repeat_s": "0", "is_enabled": "y"}
    for changes, field, words in (
        ({"threshold": "120"}, "threshold", "from 0 to 100"),
        ({"threshold": ""}, "threshold", "Enter a threshold"),
        ({"threshold": "much"}, "threshold", "Enter a number"),
        ({"for_s": "40 d"}, "for_s", "up to 30 days"),
        ({"severity": "deadly"}, "severity", "Choose one of these"),
        ({"repeat_s": "often"}, "repeat_s", "30 s, 5 min"),
    ):
        answer = operator.post(f"{RULES}{cpu}/", usual | changes)
        assert answer.status_code == 400, changes
        assert words in error_at(answer.text, field)
    operator.post(f"{RULES}{cpu}/", usual)
    row = next(row for row in fresh(AlertRule) if row.id == cpu)
    assert (row.severity, row.threshold, row.for_s, row.repeat_s) == (Severity.CRITICAL, 80.5, 300, 0)
    operator.post(f"{RULES}{cpu}/mute", {"how": "for-a-time", "span": "2 h"})
    assert "It raises nothing until" in operator.get(f"{RULES}{cpu}/").text
    assert operator.post(f"{RULES}{cpu}/mute", {"how": "for-a-time", "span": ""}).status_code == 400
    operator.post(f"{RULES}{cpu}/mute", {"how": "unmute", "span": ""})
    assert "back to the defaults?" in operator.post(f"{RULES}{cpu}/reset").text
    operator.post(f"{RULES}{cpu}/reset", {"confirmed": "1"})
    row = next(row for row in fresh(AlertRule) if row.kind is AlertKind.CPU)
    assert (row.threshold, row.is_muted) == (90, False)
    page = operator.post(f"{RULES}add/", {"kind": "down", "scope": f"service-{service}"}, follow_redirects=True).text
    assert HOSTILE not in page
    assert "Take the exception back" in page
    own = next(row for row in fresh(AlertRule) if row.endpoint_id == service)
    assert own.for_s == 600
    operator.post(f"{RULES}add/", {"kind": "down", "scope": f"service-{service}"})
    assert sum(row.endpoint_id == service for row in fresh(AlertRule)) == 1
    assert operator.get(f"{RULES}?scope=service&q=script").text.count('class="name"') == 1
    assert operator.post(f"{RULES}add/", {"kind": "cpu", "scope": f"service-{service}"}).status_code == 400
    assert operator.post(f"{RULES}add/", {"kind": "down", "scope": "service-999"}).status_code == 400
    operator.post(f"{RULES}{own.id}/reset", {"confirmed": "1"})
    assert operator.get(f"{RULES}{own.id}/").status_code == 404


def test_the_words_of_messages_are_previewed_changed_and_taken_back(operator: Operator) -> None:
    assert "the product&#39;s" in operator.get(TEXTS).text
    page = operator.get(f"{TEXTS}fired/").text
    assert "[Major Outage] User Login: HTTP 502" in page
    answer = operator.post(f"{TEXTS}fired/", {"title": "{nme} is down", "body": "x"})
    assert answer.status_code == 400
    assert "{nme} is no placeholder" in error_at(answer.text, "title")
    assert "{nme} is down" in answer.text.split('id="title"')[1]
    page = operator.post(f"{TEXTS}fired/", {"title": "{name}!", "body": HOSTILE, "preview": "1"}).text
    assert "User Login!" in page
    assert HOSTILE not in page
    assert fresh(MessageText) == []
    operator.post(f"{TEXTS}fired/", {"title": "{name}!", "body": "{found}"})
    (row,) = fresh(MessageText)
    assert (row.transition, row.title) == (Transition.FIRED, "{name}!")
    assert "your own" in operator.get(TEXTS).text
    assert "use the product&#39;s own words again?" in operator.post(f"{TEXTS}fired/reset").text
    operator.post(f"{TEXTS}fired/reset", {"confirmed": "1"})
    assert fresh(MessageText) == []
    assert operator.get(f"{TEXTS}report/").status_code == 404
    assert operator.get(f"{TEXTS}nonsense/").status_code == 404


def test_reports_are_paged_and_opened(operator: Operator, now: datetime) -> None:
    assert "summed up here" in operator.get(REPORTS).text
    services = [{"name": HOSTILE, "uptime_percent": 99.5, "downtime_s": 432}]
    data = {"version": 1, "day": "2026-01-01", "time_zone": "UTC", "services": services}
    first = date(2026, 1, 1)
    with write_transaction(db.session) as session:
        session.add_all(
            DailyReport(day=first - timedelta(days=number), created_at=now, data=data) for number in range(60)
        )
    page = operator.get(REPORTS).text
    assert page.count('class="name"') == 50
    following = page.split('" rel="next"')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    second = operator.get(following).text
    assert second.count('class="name"') == 10
    before = second.split('" rel="prev"')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert operator.get(before).text.count('class="name"') == 50
    assert operator.get(f"{REPORTS}?sort=day").text.count('class="name"') == 50
    assert operator.get(f"{REPORTS}?after=WyJub3BlIl0").status_code == 400
    page = operator.get(f"{REPORTS}2026-01-01/").text
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    for day in ("2020-01-01", "yesterday", "2026-13-01"):
        assert operator.get(f"{REPORTS}{day}/").status_code == 404
