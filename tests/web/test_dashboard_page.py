"""The dashboard: what is wrong now and what is done about it in place, ranges of time, first steps, one service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Role, Rule, Severity, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.extensions import db
from statusapp.models import Alert, AlertRule, NotificationChannel, ServiceEndpoint, StatusChangeRow, StatusPageSettings
from statusapp.services.incident_updates import IncidentDraft, open_incident
from statusapp.web import guards
from tests.web.conftest import MakeService, Operator

PAGE = "/dashboard/"


@pytest.fixture
def make_alert(now: datetime) -> Callable[..., int]:
    """Make an alert that is open; of the disk of a host unless a service is given."""

    def make(endpoint_id: int | None = None, name: str = "web-1", **columns: Any) -> int:
        kind = AlertKind.DISK if endpoint_id is None else AlertKind.DOWN
        since = to_us(now - timedelta(minutes=23))
        values: dict[str, Any] = {"since": since, "fired_at": since, "found": "Expected 200, found 502", "kind": kind}
        values |= {"severity": Severity.CRITICAL, "subject": f"made:{name}"} | columns
        alert = Alert(name=name, endpoint_id=endpoint_id, **values)
        with write_transaction(db.session) as session:
            session.add(alert)
            session.flush()
            return alert.id

    return make


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements made meanwhile."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def fresh(model: Any, key: int) -> Any:
    """A row as it is in the database now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get(model, key)


def part(page: str, name: str) -> str:
    """One part of a page."""
    return page.split(f'data-part="{name}"')[1].split("data-part=", maxsplit=1)[0]


def test_a_new_installation_is_greeted_with_three_steps(
    operator: Operator, make_service: MakeService, now: datetime
) -> None:
    page = operator.get(PAGE).text
    steps = part(page, "first-steps")
    assert "Welcome. Three steps" in steps
    for path in ("serviceendpoint/add/", "channel/add/", "statuspagesettings/"):
        assert f'href="/admin/health/{path}"' in steps
    assert "Here stands every service" in page
    make_service()
    with write_transaction(db.session) as session:
        session.add(NotificationChannel(name="Mail", kind="email", target="x", created_at=now, updated_at=now))
        session.add(StatusPageSettings(id=1, title="Ours"))
    assert "steps" not in part(operator.get(PAGE).text, "first-steps").lower().replace("first-steps", "")


def test_what_is_wrong_stands_first_with_since_when_and_what_was_found(
    operator: Operator, make_service: MakeService, make_alert: Callable[..., int]
) -> None:
    key = make_service("Login", Status.MAJOR_OUTAGE)
    make_service("Search")
    make_alert(key, "Login")
    page = operator.get(PAGE).text
    wrong = part(page, "now")
    for words in ("Login", "Critical", "Service down", "23 minutes ago", "Expected 200, found 502"):
        assert words in wrong
    assert wrong.index("Login") < page.index('data-part="figures"') - page.index('data-part="now"')
    names = re.findall(r'class="name" href="/dashboard/services/(\d+)/"', part(page, "services"))
    assert names[0] == str(key)
    assert ">1 <small>of 2" in part(page, "figures")


def test_what_is_down_and_has_no_alert_is_wrong_too(
    operator: Operator, make_service: MakeService, make_alert: Callable[..., int]
) -> None:
    make_service("Search")
    # The monitor itself, which has no worker here.
    assert "1 thing is wrong now" in part(operator.get(PAGE).text, "now")
    told = make_service("Login", Status.MAJOR_OUTAGE)
    make_service("Shop", Status.MAJOR_OUTAGE)
    wrong = part(operator.get(PAGE).text, "now")
    assert "3 things are wrong now" in wrong
    assert "2 services are down without an alert" in wrong
    make_alert(told, "Login", kind=AlertKind.DOWN)
    wrong = part(operator.get(PAGE).text, "now")
    assert "3 things are wrong now" in wrong
    assert "1 service is down without an alert" in wrong


def test_an_alert_is_acknowledged_with_a_note_and_taken_back(
    operator: Operator, make_alert: Callable[..., int]
) -> None:
    key = make_alert()
    answer = operator.post(
        f"{PAGE}alerts/{key}/acknowledge", {"note": " On it ", "back": f"{PAGE}?range=7d"}, follow_redirects=True
    )
    assert answer.request.full_path == f"{PAGE}?range=7d"
    assert "owner@example.org is at it since" in answer.text
    assert "On it" in part(answer.text, "now")
    assert fresh(Alert, key).note == "On it"
    operator.post(f"{PAGE}alerts/{key}/unacknowledge")
    assert fresh(Alert, key).acknowledged_at is None


def test_a_note_that_is_too_long_is_told_and_kept(operator: Operator, make_alert: Callable[..., int]) -> None:
    key, note = make_alert(), "long " * 120
    answer = operator.post(f"{PAGE}alerts/{key}/acknowledge", {"note": note})
    assert answer.status_code == 400
    assert "Use at most 500 characters; these are 599." in answer.text
    assert note.strip() in answer.text
    assert fresh(Alert, key).acknowledged_at is None


@pytest.mark.parametrize("action", ["acknowledge", "unacknowledge"])
def test_an_alert_that_is_over_is_left_alone(
    operator: Operator, make_alert: Callable[..., int], now: datetime, action: str
) -> None:
    key = make_alert(resolved_at=to_us(now))
    assert "is over already" in operator.post(f"{PAGE}alerts/{key}/{action}", follow_redirects=True).text
    assert fresh(Alert, key).acknowledged_at is None
    assert "is over already" in operator.post(f"{PAGE}alerts/999/mute", {"hours": "1"}, follow_redirects=True).text


def test_an_alert_of_a_service_mutes_the_service(
    operator: Operator, make_service: MakeService, make_alert: Callable[..., int], now: datetime
) -> None:
    service = make_service("Login", Status.MAJOR_OUTAGE)
    key = make_alert(service, "Login")
    assert (
        "nobody is alerted for 4 hours"
        in operator.post(f"{PAGE}alerts/{key}/mute", {"hours": "4"}, follow_redirects=True).text
    )
    until = fresh(ServiceEndpoint, service).muted_until
    assert abs(until - to_us(now + timedelta(hours=4))) < 120 * SECOND
    assert "Muted until" in part(operator.get(PAGE).text, "now")
    operator.post(f"{PAGE}alerts/{key}/unmute")
    assert not fresh(ServiceEndpoint, service).is_muted


def test_an_alert_of_a_host_mutes_its_kind_and_says_so(operator: Operator, make_alert: Callable[..., int]) -> None:
    key = make_alert()
    assert "Disk space, whatever it is about" in operator.get(PAGE).text
    answer = operator.post(f"{PAGE}alerts/{key}/mute", {"hours": "0"}, follow_redirects=True)
    assert "All alerts of the kind “Disk space”: nobody is alerted for good." in answer.text
    assert "Muted for good." in answer.text
    db.session.rollback()
    rule = db.session.scalars(select(AlertRule).where(AlertRule.kind == AlertKind.DISK)).one()
    assert (rule.is_muted, rule.muted_until) == (True, None)
    answer = operator.post(f"{PAGE}alerts/{key}/mute", {"hours": "soon"}, follow_redirects=True)
    assert "choose for how long" in answer.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", ""])
def test_the_way_back_leads_nowhere_else(operator: Operator, make_alert: Callable[..., int], back: str) -> None:
    assert operator.post(f"{PAGE}alerts/{make_alert()}/unmute", {"back": back}).headers["Location"] == PAGE


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("range=2w", "There is no range"),
        ("from=yesterday&to=2026-01-01T00:00", "The beginning cannot be used"),
        ("from=2026-01-01T00:00", "The end cannot be used: It is missing"),
        ("from=2026-01-02T00:00&amp;to=x", "The end cannot be used"),
        ("from=2026-01-02T00:00&to=2026-01-01T00:00", "at least 5 minutes after"),
        ("from=2025-01-01T00:00&to=2026-01-01T00:00", "at most 92 can be shown"),
        ("from=2150-01-01T00:00&to=2150-01-02T00:00", "lies in the future"),
        ("from=0001-01-01T00:00&to=9999-01-01T00:00", "The beginning cannot be used"),
    ],
)
def test_a_range_that_cannot_be_used_is_told_and_a_day_is_shown(operator: Operator, query: str, words: str) -> None:
    answer = operator.get(f"{PAGE}?{query}")
    assert answer.status_code == 200
    assert words in answer.text
    assert "The last 24 hours are shown." in answer.text
    assert 'aria-current="true" aria-label="Last 24 hours"' in answer.text


@pytest.mark.parametrize("key", ["1h", "6h", "24h", "7d", "30d", "90d"])
def test_a_range_is_kept_in_the_address(operator: Operator, make_service: MakeService, key: str) -> None:
    make_service()
    page = operator.get(f"{PAGE}?range={key}").text
    assert re.search(rf'aria-current="true"[^>]*>{key}</a>', page)
    assert "shown." not in page.split('id="range"')[1].split("</div>")[0]


def test_a_range_of_ones_own(operator: Operator) -> None:
    page = operator.get(f"{PAGE}?from=2026-01-01T10:00&to=2026-01-02T12:30").text
    assert "1 January, 10:00 – 2 January, 12:30 UTC" in page
    assert 'value="2026-01-02T12:30"' in page


def test_the_page_of_a_service_says_what_put_it_there(
    operator: Operator, make_service: MakeService, make_alert: Callable[..., int], now: datetime
) -> None:
    key = make_service("Login", Status.MAJOR_OUTAGE, ledger=False, retries=2, since=timedelta(minutes=23))
    began = to_us(now - timedelta(minutes=23))
    with write_transaction(db.session) as session:
        session.add(
            StatusChangeRow(
                endpoint_id=key,
                previous=Status.OPERATIONAL,
                status=Status.MAJOR_OUTAGE,
                started_at=began,
                recorded_at=began,
                rule=Rule.FAILED_IN_A_ROW,
                reason="HTTP 502",
            )
        )
    make_alert(key, "Login")
    open_incident(IncidentDraft("Nobody gets in", "We look.", endpoint_ids=[key], is_public=False), "ann", now)
    page = operator.get(f"{PAGE}services/{key}/").text
    assert "3 checks failed in a row. HTTP 502" in part(page, "state")
    assert "Expected 200, found 502" in part(page, "now")
    assert "HTTP 502" in part(page, "ledger")
    assert "Nobody gets in" in part(page, "events")
    for action in ("run", "pause"):
        assert f'action="/admin/health/serviceendpoint/{key}/{action}"' in page
    assert "There is no span" in operator.get(f"{PAGE}services/{key}/?span=2w").text
    assert operator.get(f"{PAGE}services/999/").status_code == 404


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}services/1/"])
def test_a_page_takes_as_many_statements_for_thirty_services_as_for_one(
    operator: Operator, make_service: MakeService, make_alert: Callable[..., int], path: str
) -> None:
    make_alert(make_service("First", Status.MAJOR_OUTAGE), "First")
    operator.get(path)
    with counted() as before:
        operator.get(path)
    for number in range(29):
        make_alert(make_service(f"Service {number}", Status.MAJOR_OUTAGE), f"Service {number}")
    with counted() as after:
        operator.get(path)
    assert len(after) == len(before) <= 60, after


def test_strangers_sign_in_first_and_nothing_changes_without_a_token(
    client: FlaskClient, make_alert: Callable[..., int], make_service: MakeService
) -> None:
    for path in (PAGE, f"{PAGE}services/{make_service()}/"):
        assert client.get(path).headers["Location"].startswith("/auth/login")
    key = make_alert()
    assert client.post(f"{PAGE}alerts/{key}/acknowledge").status_code in (302, 400)
    assert fresh(Alert, key).acknowledged_at is None


def test_a_viewer_is_shown_no_actions(
    app: Flask,
    client: FlaskClient,
    make_account: Callable[..., str],
    sign_in: Callable[[str], Any],
    make_service: MakeService,
    make_alert: Callable[..., int],
) -> None:
    service = make_service("Login", Status.MAJOR_OUTAGE)
    key = make_alert(service, "Login")
    # This is of what is on the pages, whoever may open them.
    guards.declare(app, "dashboard", guards.public)
    sign_in(make_account("viewer@example.org", Role.VIEWER))
    for path in (PAGE, f"{PAGE}services/{service}/"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        main = answer.text.split('id="main"')[1]
        assert "Expected 200, found 502" in main
        assert 'method="post"' not in main
        assert 'href="/admin' not in main
    client.post(f"{PAGE}alerts/{key}/acknowledge")
    assert fresh(Alert, key).acknowledged_at is None
