"""Incidents and maintenance in the admin area."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from statusapp.clock import utcnow
from statusapp.database import write_connection
from statusapp.domain.enums import AlertKind, Impact, IncidentStatus, Severity, Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import Incident, IncidentUpdate, MaintenanceOccurrence, MaintenanceTarget, MaintenanceWindow
from statusapp.services import incident_updates
from statusapp.services.incident_updates import IncidentDraft
from statusapp.services.incidents import FiredAlert, on_alerts_fired
from statusapp.services.maintenance_plans import MaintenanceDraft, plan_maintenance
from tests.web.conftest import MakeService, Operator

INCIDENTS = "/admin/health/serviceincident/"
MAINTENANCE = "/admin/health/maintenance/"
HOSTILE = "<script>alert(1)</script>"


def fresh(model: Any) -> list[Any]:
    """All rows of a table as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(model).order_by(model.id)))


def error_at(page: str, field: str) -> str:
    """What is said beside a field."""
    return page.split(f'id="{field}-error">')[1].split("</p>", maxsplit=1)[0]


def incident(**changes: Any) -> dict[str, Any]:
    """What a browser sends of the form for a new incident."""
    usual = {"title": "Payments fail", "body": "We **look**.", "status": "investigating", "impact": "derived"}
    return usual | {"is_public": "y"} | changes


def test_an_incident_is_opened_told_and_closed(operator: Operator, make_service: MakeService) -> None:
    assert "tells people what is wrong" in operator.get(INCIDENTS).text
    shop, other = make_service("Shop", Status.DEGRADED), make_service("Other")
    for changes, field, words in (
        ({"title": " "}, "title", "A title has 1 to 200 characters"),
        ({"body": ""}, "body", "A text has 1 to 10000 characters"),
        ({"status": "resolved"}, "status", "Choose one of these: Investigating"),
        ({"services": ["999"]}, "services", "not there any more"),
    ):
        answer = operator.post(f"{INCIDENTS}add/", incident(**changes))
        assert answer.status_code == 400
        assert words in error_at(answer.text, field)
        assert "Payments fail" in answer.text or changes.get("title")
    page = operator.post(f"{INCIDENTS}add/", incident(services=[str(shop)]), follow_redirects=True).text
    assert "The incident was opened" in page
    assert "<strong>look</strong>" in page
    assert "owner@example.org" in page
    (row,) = fresh(Incident)
    assert (row.impact, row.impact_override, row.is_public) == (Impact.MINOR, None, True)
    address = f"{INCIDENTS}{row.id}/"
    assert [part.split('"')[0] for part in page.split('id="status"')[1].split("</select>")[0].split('value="')[1:]] == [
        "", "identified", "monitoring", "resolved",
    ]  # fmt: skip
    answer = operator.post(f"{address}update", {"body": "", "status": "identified"})
    assert "1 to 10000" in error_at(answer.text, "body")
    assert '<option selected value="identified">' in answer.text
    answer = operator.post(f"{address}update", {"body": "x", "status": "post_mortem"})
    assert "Choose one of these" in error_at(answer.text, "status")
    operator.post(f"{address}update", {"body": "Found.", "status": "identified"})
    operator.post(f"{address}edit/", {"title": "Cards fail", "impact": "critical", "services": [str(shop), str(other)]})
    assert 'selected value="critical"' in operator.get(f"{address}edit/").text
    operator.post(f"{address}update", {"body": "Over.", "status": "resolved"})
    page = operator.post(f"{address}update", {"body": "Why.", "status": "post_mortem"}, follow_redirects=True).text
    assert "the story is closed" in page
    (row,) = fresh(Incident)
    assert (row.title, row.status, row.impact_override) == ("Cards fail", IncidentStatus.POST_MORTEM, Impact.CRITICAL)
    updates = fresh(IncidentUpdate)
    assert [one.body for one in updates] == ["We **look**.", "Found.", "Over.", "Why."]
    operator.post(f"{address}updates/{updates[1].id}/", {"body": "Found it."})
    assert fresh(IncidentUpdate)[1].body == "Found it."
    assert operator.get(f"{address}updates/999/").status_code == 404
    assert operator.get(f"{INCIDENTS}999/").status_code == 404


def test_a_move_that_somebody_else_made_first_is_told(operator: Operator, now: datetime) -> None:
    key = incident_updates.open_incident(IncidentDraft("It", "Words"), "ann@example.org", now)
    incident_updates.resolve_incident(key, "Done", "ann@example.org", now)
    answer = operator.post(f"{INCIDENTS}{key}/update", {"body": "My typed words", "status": "monitoring"})
    assert answer.status_code == 400
    assert "Choose one of these" in error_at(answer.text, "status")
    assert "My typed words" in answer.text


def test_a_draft_is_published_and_its_evidence_is_for_operators(
    operator: Operator, make_service: MakeService, now: datetime
) -> None:
    service = make_service("Shop", Status.MAJOR_OUTAGE)
    here = to_us(now)
    with write_connection(db.engine) as connection:
        fired = FiredAlert(1, AlertKind.DOWN, service, Severity.CRITICAL, "Shop", f"HTTP 502 {HOSTILE}", here)
        key = on_alerts_fired(connection, [fired], here)[1]
    operator.post(f"{INCIDENTS}{key}/publish", {"public": "no"})
    page = operator.get(f"{INCIDENTS}{key}/").text
    assert "This is a draft" in page
    assert "HTTP 502 &lt;script&gt;" in page
    assert HOSTILE not in page
    assert operator.client.get(f"/health/incidents/{key}/").status_code == 404
    page = operator.post(f"{INCIDENTS}{key}/publish", {"public": "yes"}, follow_redirects=True).text
    assert "The incident is on the status page" in page
    assert "taken over by a person" in page
    assert operator.post(f"{INCIDENTS}999/publish", {"public": "yes"}).status_code == 404


def test_incidents_are_searched_and_filtered(operator: Operator, make_service: MakeService, now: datetime) -> None:
    service = make_service("Shop", Status.MAJOR_OUTAGE)
    me = "ann@example.org"
    first = incident_updates.open_incident(IncidentDraft(HOSTILE, "x", endpoint_ids=[service]), me, now)
    second = incident_updates.open_incident(IncidentDraft("Old", "x", is_public=False), me, now - timedelta(days=3))
    incident_updates.resolve_incident(second, "x", me, now)

    def found(query: str) -> list[int]:
        page = operator.get(f"{INCIDENTS}?{query}").text
        assert HOSTILE not in page
        return [int(part.split('href="')[1].split('"')[0].split("/")[-2]) for part in page.split('class="name"')[1:]]

    asked = {
        "": [first, second], "sort=started": [second, first], "state=open": [first], "state=over": [second],
        "status=resolved": [second], "impact=critical": [first], "public=no": [second], "origin=rule": [],
        "q=OLD": [second], f"since={now - timedelta(days=1):%Y-%m-%dT%H:%M}": [first],
    }  # fmt: skip
    assert {query: found(query) for query in asked} == asked
    assert operator.get(f"{INCIDENTS}?impact=huge").status_code == 400


def plan(**changes: Any) -> dict[str, Any]:
    """What a browser sends of the form for maintenance."""
    usual = {
        "title": "Updates", "body": "", "starts": f"{utcnow().year + 1}-07-01T02:00", "duration": "1 h",
        "zone": "Europe/Berlin",
        "repeats": "once", "rule": "", "announce": "1 d", "is_public": "y",
    }  # fmt: skip
    return usual | changes


def test_maintenance_is_planned_with_a_preview(operator: Operator, make_service: MakeService) -> None:
    assert "nobody is alerted while it lasts" in operator.get(MAINTENANCE).text
    service = str(make_service("Shop"))
    page = operator.get(f"{MAINTENANCE}add/").text
    assert 'value="1 h"' in page
    assert 'value="UTC"' in page
    for changes, field, words in (
        ({"title": ""}, "title", "1 to 200"),
        ({"starts": "soon"}, "starts", "2026-11-30T02:00"),
        ({"starts": "2020-01-01T00:00"}, "starts", "over already"),
        ({"duration": "0"}, "duration", "at least a minute"),
        ({"duration": "long"}, "duration", "30 s, 5 min"),
        ({"zone": "Mars/Base"}, "zone", "no time zone"),
        ({"repeats": "rule", "rule": ""}, "rule", "not a part of a rule"),
        ({"repeats": "rule", "rule": "FREQ=HOURLY"}, "rule", "DAILY, WEEKLY"),
        ({"announce": "100 d"}, "announce", "90 days"),
        ({"services": []}, "services", "Choose the services"),
    ):
        answer = operator.post(f"{MAINTENANCE}add/", plan(services=[service]) | changes)
        assert answer.status_code == 400, changes
        assert words in error_at(answer.text, field)
    values = plan(services=[service], repeats="rule", rule="FREQ=MONTHLY;BYDAY=1SU")
    page = operator.post(f"{MAINTENANCE}add/", values | {"preview": "1"}).text
    ahead = page.split('id="ahead"')[1].split("</ol>")[0]
    assert ahead.count("<li>") == 5
    assert ahead.count("July, 00:00 – 01:00 UTC") == 1
    assert ahead.count("November, 01:00 – 02:00 UTC") == 1
    assert 'value="FREQ=MONTHLY;BYDAY=1SU"' in page
    assert fresh(MaintenanceWindow) == []
    assert operator.post(f"{MAINTENANCE}add/", values | {"preview": "1", "rule": "x"}).status_code == 400
    page = operator.post(f"{MAINTENANCE}add/", values, follow_redirects=True).text
    assert "The maintenance was planned" in page
    (window,) = fresh(MaintenanceWindow)
    assert (window.zone, window.rrule, window.duration_s) == ("Europe/Berlin", "FREQ=MONTHLY;BYDAY=1SU", 3600)
    assert [target.endpoint_id for target in fresh(MaintenanceTarget)] == [int(service)]
    page = operator.get(f"{MAINTENANCE}{window.id}/edit/").text
    assert '<option selected value="rule">' in page
    operator.post(f"{MAINTENANCE}{window.id}/edit/", plan(covers_all="y", repeats="FREQ=WEEKLY", title=HOSTILE))
    (window,) = fresh(MaintenanceWindow)
    assert (window.rrule, window.covers_all) == ("FREQ=WEEKLY", True)
    for path in ("", f"{window.id}/", f"{window.id}/edit/"):
        assert HOSTILE not in operator.get(f"{MAINTENANCE}{path}").text
    assert operator.get(f"{MAINTENANCE}999/").status_code == 404


def test_maintenance_is_told_and_called_off(operator: Operator, now: datetime) -> None:
    draft = MaintenanceDraft("Updates", f"{now:%Y-%m-%dT%H:%M}", 3600, zone="UTC", rule="FREQ=WEEKLY", covers_all=True)
    key = plan_maintenance(draft, now)
    page = operator.get(f"{MAINTENANCE}{key}/").text
    assert "going on" in page
    starts = [part.split('"')[0] for part in page.split('name="starts_at" value="')[1:]]
    assert len(starts) == 5
    answer = operator.post(f"{MAINTENANCE}{key}/", {"body": "", "occurrence": starts[0]})
    assert "1 to 10000" in error_at(answer.text, "body")
    page = operator.post(
        f"{MAINTENANCE}{key}/", {"body": "**Half** way", "occurrence": starts[0]}, follow_redirects=True
    )
    assert "<strong>Half</strong>" in page.text
    operator.post(f"{MAINTENANCE}{key}/cancel", {"starts_at": starts[1]})
    assert [one.cancelled_at is None for one in fresh(MaintenanceOccurrence)] == [True, False]
    assert operator.post(f"{MAINTENANCE}{key}/cancel", {"starts_at": "12"}).status_code == 404
    assert operator.post(f"{MAINTENANCE}{key}/cancel", {"starts_at": "x"}).status_code == 400
    assert "Going on" in operator.get(MAINTENANCE).text
    page = operator.post(f"{MAINTENANCE}{key}/cancel").text
    assert "Call off Updates?" in page
    assert fresh(MaintenanceWindow)[0].cancelled_at is None
    page = operator.post(f"{MAINTENANCE}{key}/cancel", {"confirmed": "1"}, follow_redirects=True).text
    assert "This maintenance was called off" in page
    assert "Called off" in operator.get(f"{MAINTENANCE}?cancelled=yes").text


@pytest.mark.parametrize("path", [INCIDENTS, MAINTENANCE, f"{INCIDENTS}add/", f"{MAINTENANCE}add/"])
def test_these_pages_are_staff_s(staff_operator: Operator, path: str) -> None:
    assert staff_operator.get(path).status_code == 200
