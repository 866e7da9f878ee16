"""The public API of Statuspage, version 2: its fields, its words, and our own client of it reads ours."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.enums import ExternalStatus, IncidentStatus, Status
from statusapp.extensions import db
from statusapp.models import ServiceGroup, StatusPageSettings
from statusapp.probes.external.statuspage import ask_statuspage
from statusapp.services import incident_updates as people
from statusapp.services import maintenance_plans as plans
from statusapp.services.maintenance import keep_maintenance
from tests.web.test_incidents import ME, plan, tell

API = "/api/v2/"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "public-api.md"
MakeService = Callable[..., int]
PAGE = {"id", "name", "url", "time_zone", "updated_at"}
COMPONENT = {
    "id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date", "group_id",
    "page_id", "group", "only_show_if_degraded",
}  # fmt: skip
INCIDENT = {
    "id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
    "started_at", "page_id", "incident_updates", "components",
}  # fmt: skip
UPDATE = {
    "id", "status", "body", "incident_id", "created_at", "updated_at", "display_at", "affected_components",
    "deliver_notifications", "custom_tweet", "tweet_id",
}  # fmt: skip
ANSWERS = {
    "summary": {"page", "components", "incidents", "scheduled_maintenances", "status"},
    "status": {"page", "status"},
    "components": {"page", "components"},
    "incidents": {"page", "incidents"},
    "incidents/unresolved": {"page", "incidents"},
    "scheduled-maintenances": {"page", "scheduled_maintenances"},
    "scheduled-maintenances/upcoming": {"page", "scheduled_maintenances"},
    "scheduled-maintenances/active": {"page", "scheduled_maintenances"},
}


def make_group(name: str) -> int:
    """A heading; its id."""
    with write_transaction(db.session) as session:
        group = ServiceGroup(name=name)
        session.add(group)
        session.flush()
        return group.id


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_has_its_parts_with_and_without_json_at_the_end(
    client: FlaskClient, make_service: MakeService, settings: Settings, name: str
) -> None:
    make_service()
    answer = client.get(f"{API}{name}.json")
    assert answer.content_type == "application/json"
    assert set(answer.json) == ANSWERS[name]
    assert set(answer.json["page"]) == PAGE
    assert answer.json["page"]["url"] == settings.public_url
    assert client.get(f"{API}{name}").json == answer.json


def test_they_are_open_to_every_site_and_not_sent_twice(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    key = make_service(updated_at=now - timedelta(days=3))
    first = client.get(f"{API}summary.json")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.headers["Cache-Control"] == "no-cache"
    again = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{API}summary.json", headers=again).status_code == 304
    tell(now, endpoint_ids=[key])
    changed = client.get(f"{API}summary.json", headers=again)
    assert changed.status_code == 200
    assert changed.json["page"]["updated_at"] > first.json["page"]["updated_at"]
    assert client.get(f"{API}nothing.json", headers={"Accept": "text/html"}).json["error"]["message"]


@pytest.mark.parametrize(
    ("statuses", "indicator", "description"),
    [
        ([Status.OPERATIONAL] * 2, "none", "All Systems Operational"),
        ([Status.OPERATIONAL, Status.DEGRADED], "minor", "Partially Degraded Service"),
        ([Status.OPERATIONAL, Status.PARTIAL_OUTAGE], "minor", "Minor Service Outage"),
        ([Status.OPERATIONAL, Status.MAJOR_OUTAGE], "major", "Partial System Outage"),
        ([Status.MAJOR_OUTAGE] * 2, "critical", "Major System Outage"),
        ([Status.OPERATIONAL, Status.MAINTENANCE], "maintenance", "Service Under Maintenance"),
        ([Status.OPERATIONAL, Status.UNKNOWN], "minor", "Some Services Unknown"),
        ([], "minor", "No Services Monitored Yet"),
    ],
)
def test_the_indicator_is_one_of_five_words(
    client: FlaskClient, make_service: MakeService, statuses: list[Status], indicator: str, description: str
) -> None:
    for number, status in enumerate(statuses):
        make_service(f"Service {number}", status)
    assert client.get(f"{API}status.json").json["status"] == {"indicator": indicator, "description": description}


def test_the_product_s_own_client_reads_it(app: Flask, settings: Settings, make_service: MakeService) -> None:
    make_service("Shop", Status.MAJOR_OUTAGE)
    server = make_server("127.0.0.1", settings.port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        result = ask_statuspage(settings.public_url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (result.status, result.message) == (ExternalStatus.DOWN, "Major System Outage")


def test_services_and_headings_are_components(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    group = make_group("Payments")
    alone = make_service("API", description="The API", created_at=now - timedelta(days=400))
    one = make_service("Cards", Status.PARTIAL_OUTAGE, group_id=group)
    two = make_service("Banks", Status.UNKNOWN, group_id=group, position=1)
    make_service("Resting", is_enabled=False, group_id=group)
    found = client.get(f"{API}components.json").json["components"]
    assert [component["id"] for component in found] == [str(alone), f"group-{group}", str(one), str(two)]
    assert [component["position"] for component in found] == [1, 2, 1, 2]
    first, heading, cards, banks = found
    assert set(first) == set(cards) == COMPONENT
    assert set(heading) == COMPONENT | {"components"}
    assert (heading["group"], heading["group_id"], heading["components"]) == (True, None, [str(one), str(two)])
    assert (cards["group"], cards["group_id"]) == (False, f"group-{group}")
    statuses = [component["status"] for component in found]
    # What is not known is told as the mildest trouble there is a word for, and never as health.
    assert statuses == ["operational", "partial_outage", "partial_outage", "degraded_performance"]
    assert (first["description"], cards["description"]) == ("The API", None)
    assert first["start_date"] == f"{now - timedelta(days=400):%Y-%m-%d}"
    assert first["created_at"] == f"{(now - timedelta(days=400)).isoformat(timespec='milliseconds')[:-6]}Z"
    assert banks["updated_at"] >= banks["created_at"]


def test_nothing_is_called_healthy_while_monitoring_is_behind(client: FlaskClient, make_service: MakeService) -> None:
    make_service("Fine", checked=timedelta(seconds=100))
    make_service("Down", Status.MAJOR_OUTAGE, checked=timedelta(seconds=100))
    summary = client.get(f"{API}summary.json").json
    assert summary["status"] == {"indicator": "minor", "description": "Monitoring Is Behind"}
    statuses = {component["name"]: component["status"] for component in summary["components"]}
    assert statuses == {"Fine": "degraded_performance", "Down": "major_outage"}


def test_an_incident_with_its_course(
    client: FlaskClient, make_service: MakeService, settings: Settings, now: datetime
) -> None:
    key = make_service("Cards", Status.MAJOR_OUTAGE, group_id=make_group("Payments"))
    opened = now - timedelta(minutes=9)
    incident_id = tell(opened, "Payments fail", "We **look**.", endpoint_ids=[key])
    people.add_update(incident_id, "Mended?", ME, now - timedelta(minutes=5), IncidentStatus.MONITORING)
    (incident,) = client.get(f"{API}incidents/unresolved.json").json["incidents"]
    assert set(incident) == INCIDENT
    assert (incident["id"], incident["name"]) == (str(incident_id), "Payments fail")
    assert (incident["status"], incident["impact"]) == ("monitoring", "critical")
    assert incident["shortlink"] == f"{settings.public_url}/health/status-page/incidents/{incident_id}/"
    assert client.get(incident["shortlink"].removeprefix(settings.public_url)).status_code == 200
    newest, oldest = incident["incident_updates"]
    assert set(newest) == UPDATE
    assert incident["monitoring_at"] == newest["created_at"] == incident["updated_at"]
    assert incident["created_at"] == incident["started_at"] == oldest["created_at"]
    assert (oldest["status"], oldest["body"], oldest["incident_id"]) == (
        "investigating",
        "We **look**.",
        str(incident_id),
    )
    assert oldest["affected_components"] == [
        {"code": str(key), "name": "Payments - Cards", "old_status": "operational", "new_status": "major_outage"}
    ]
    (component,) = incident["components"]
    assert (component["id"], component["status"]) == (str(key), "major_outage")
    people.resolve_incident(incident_id, "Done.", ME, now)
    people.add_update(incident_id, "Why.", ME, now, IncidentStatus.POST_MORTEM)
    assert client.get(f"{API}incidents/unresolved.json").json["incidents"] == []
    (incident,) = client.get(f"{API}incidents.json").json["incidents"]
    assert incident["status"] == "postmortem"
    assert incident["resolved_at"] is not None
    changes = [update["affected_components"][0] for update in incident["incident_updates"]]
    assert [(change["old_status"], change["new_status"]) for change in changes] == [
        ("operational", "operational"),
        ("major_outage", "operational"),
        ("major_outage", "major_outage"),
        ("operational", "major_outage"),
    ]
    assert client.get(f"{API}summary.json").json["incidents"] == []


def test_the_newest_fifty_incidents(client: FlaskClient, app: Flask, now: datetime) -> None:
    for number in range(52):
        people.resolve_incident(tell(now - timedelta(days=number), f"Day {number}"), "Done.", ME, now)
    names = [incident["name"] for incident in client.get(f"{API}incidents.json").json["incidents"]]
    assert names == [f"Day {number}" for number in range(50)]


def test_maintenance_is_scheduled_then_in_progress_then_completed(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    group = make_group("Payments")
    cards, other = make_service("Cards", group_id=group), make_service("Other")
    window = plan(
        now - timedelta(minutes=5), now - timedelta(minutes=3), "Disks", body="New *disks*.", group_ids=[group]
    )
    keep_maintenance(now)
    plan(now, now + timedelta(hours=2), "Everything", covers_all=True)

    def told(which: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.get(f"{API}scheduled-maintenances{which}.json").json[
            "scheduled_maintenances"
        ]
        return found

    assert [work["name"] for work in told()] == ["Everything", "Disks"]
    assert client.get(f"{API}summary.json").json["scheduled_maintenances"] == told()
    (upcoming,) = told("/upcoming")
    assert (upcoming["status"], upcoming["impact"]) == ("scheduled", "maintenance")
    assert {component["id"] for component in upcoming["components"]} == {str(cards), str(other)}
    assert upcoming["incident_updates"][0]["body"] == "Maintenance is planned."
    (active,) = told("/active")
    assert set(active) == INCIDENT | {"scheduled_for", "scheduled_until"}
    assert active["status"] == "in_progress"
    assert active["scheduled_for"] < active["scheduled_until"]
    assert [component["id"] for component in active["components"]] == [str(cards)]
    assert [(update["status"], update["body"]) for update in active["incident_updates"]] == [
        ("in_progress", "The maintenance has begun."),
        ("scheduled", "New *disks*."),
    ]
    assert active["incident_updates"][0]["affected_components"][0]["new_status"] == "under_maintenance"
    plans.cancel_maintenance(window, now)
    assert told("/active") == []
    done = told()[1]
    assert done["status"] == done["incident_updates"][0]["status"] == "completed"
    assert done["resolved_at"] is not None


def test_what_was_called_off_ahead_is_gone(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    window = plan(now, now + timedelta(hours=2), endpoint_ids=[make_service()])
    plans.cancel_maintenance(window, now)
    assert client.get(f"{API}scheduled-maintenances.json").json["scheduled_maintenances"] == []


def test_a_page_that_shows_no_incidents_tells_none(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, shows_incidents=False, shows_uptime=False))
    tell(now, endpoint_ids=[make_service()])
    plan(now, now + timedelta(hours=2), covers_all=True)
    summary = client.get(f"{API}summary.json").json
    assert summary["incidents"] == []
    assert len(summary["scheduled_maintenances"]) == 1
    assert summary["components"][0]["showcase"] is False
    assert client.get(f"{API}incidents.json").json["incidents"] == []


def test_every_field_is_documented(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    group = make_group("Payments")
    tell(now, endpoint_ids=[make_service("Shop", Status.DEGRADED, group_id=group)])
    plan(now, now + timedelta(hours=2), covers_all=True)
    keep_maintenance(now)
    documented = set(re.findall(r"`(\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    for path in ("/health/status-page-api/", *(f"{API}{name}.json" for name in ANSWERS)):
        assert fields_of(client.get(path).json) - documented == set(), path


def fields_of(data: Any) -> set[str]:
    """The names of all fields. Those of `counts` are statuses, those of `bar_notes` places."""
    if isinstance(data, list):
        return set().union(*map(fields_of, data))
    if not isinstance(data, dict):
        return set()
    return set(data).union(*(fields_of(value) for name, value in data.items() if name not in ("counts", "bar_notes")))
