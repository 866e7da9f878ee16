"""Nothing private is in any public answer: every route is read, and none has any of the words that are planted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, ErrorKind, ExternalStatus, IncidentStatus, Outcome, Role, Severity, Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    CheckDetail,
    EndpointState,
    ExternalReading,
    Incident,
    NotificationChannel,
    PeriodicTask,
    SystemMetric,
    User,
)
from statusapp.services import incident_updates as people
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint, ping_path
from statusapp.services.maintenance import keep_maintenance
from tests.services.incident_story import Story
from tests.web.public_routes import BROWSER, PROGRAM, read_all
from tests.web.test_incidents import plan
from tests.world import World

# What everything has in it that nobody may see.
SECRET = "quokka"
AUTHOR = "quokka-author@example.org"
NAME, GROUP = "Quokka private service", "Quokka private group"


@pytest.fixture
def now() -> datetime:
    return utcnow()


@pytest.fixture
def planted(app: Flask, now: datetime) -> dict[str, Collection[Any]]:
    """A world with something private in every place; the ids that public routes can be asked for."""
    world = World()
    began = to_us(now - timedelta(hours=3))
    secret = {
        "url": "http://quokka-host.internal:8080/quokka-path?token=quokka-query",
        "options": {"headers": {"X-Api-Key": "quokka-header"}, "body": "quokka-body", "password": "quokka-password"},
        "conditions": (("[BODY].quokka == 1", False),),
        "tags": ("quokka-tag",),
    }
    shop = create_endpoint(EndpointDraft("Shop", group="Payments", method="POST", **secret), now)
    private = create_endpoint(
        EndpointDraft(NAME, group=GROUP, description="quokka-text", is_public=False, **secret), now
    )
    beside = create_endpoint(EndpointDraft(f"{NAME} 2", group="Payments", is_public=False, **secret), now)
    child = create_endpoint(EndpointDraft("Child", "http://127.0.0.1:1/", depends_on=(NAME,)), now)
    beat = create_endpoint(EndpointDraft("Beat", "heartbeat:"), now)
    assert ping_path(beat)
    for key in (shop, private, beside, child):
        world.execute("UPDATE status_change SET started_at = :at WHERE endpoint_id = :id", at=began, id=key)
    for key in (shop, private, beside):
        world.change(key, Status.MAJOR_OUTAGE, began + 1, reason="quokka-reason")
        world.store_checks(key, [(began + 1, Outcome.FAILED, 5_000), (began + 2, Outcome.OK, 5_000)])
    plant_elsewhere(now)
    incidents = plant_incidents(now, world, shop, private, beside)
    plant_maintenance(now, shop, private, beside)
    for key in (shop, private, beside, child):
        fail(key, now)
    return {"endpoint_id": [shop, private, beside, 99_999], "incident_id": [*incidents, 99_999]}


def fail(endpoint_id: int, now: datetime) -> None:
    """The newest check of a service has failed, with its error in words."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        state = session.get_one(EndpointState, endpoint_id)
        state.status, state.last_checked_at, state.silent_after = Status.MAJOR_OUTAGE, here, here + 600_000_000
        state.last_outcome, state.last_error_kind, state.last_slot = Outcome.FAILED, ErrorKind.CONNECT, here
        state.last_total_us = 5_000
        session.add(
            CheckDetail(endpoint_id=endpoint_id, location=0, slot=here, error="quokka-error", data={"quokka": 1})
        )


def plant_elsewhere(now: datetime) -> None:
    """What operators see beside services."""
    reading = dict.fromkeys(
        ("cpu_percent", "load_1m", "load_5m", "load_15m", "memory_percent", "memory_used_mb", "memory_total_mb",
         "disk_percent", "disk_free_mb", "network_sent_bytes", "network_received_bytes"), 1,
    )  # fmt: skip
    with write_transaction(db.session) as session:
        session.add(SystemMetric(taken_at=now, host="quokka-machine", details={"mounts": ["/quokka"]}, **reading))
        session.add(ExternalReading(name="quokka", taken_at=now, status=ExternalStatus.DOWN, message="quokka"))
        error = "OperationalError: quokka"
        session.add(PeriodicTask(name="daily_report_task", next_run_at=now, last_error=error, last_error_at=now))
        session.add(User(email=AUTHOR, password_hash="x", role=Role.OWNER, is_active=True, created_at=now))
        times = {"created_at": now, "updated_at": now}
        session.add(NotificationChannel(name="quokka", kind="webhook", target="https://quokka.internal/", **times))
        alert = {"since": 1, "fired_at": 1, "name": "quokka", "found": "quokka", "note": "quokka"}
        session.add(Alert(kind=AlertKind.CPU, subject="host:quokka", severity=Severity.CRITICAL, **alert))


def plant_incidents(now: datetime, world: World, shop: int, private: int, beside: int) -> list[int]:
    """Drafts, incidents of private services, and one that everybody may read of both."""
    story = Story(world)
    story.mode()
    draft = people.open_incident(people.IncidentDraft("quokka-draft", "quokka-draft", is_public=False), AUTHOR, now)
    told = people.open_incident(
        people.IncidentDraft("Payments fail", "We look.", endpoint_ids=[shop, private, beside]), AUTHOR, now
    )
    over = people.open_incident(people.IncidentDraft("Earlier", "We look.", endpoint_ids=[private]), AUTHOR, now)
    people.add_update(over, "Done.", AUTHOR, now, IncidentStatus.RESOLVED)
    hidden = people.open_incident(people.IncidentDraft("quokka-hidden", "quokka", endpoint_ids=[shop]), AUTHOR, now)
    people.publish_incident(hidden, now, is_public=False)
    # Two that machines opened while the services were public: one of them alone, one together with another.
    world.execute("UPDATE incident SET resolved_at = :now", now=to_us(now))
    world.execute("UPDATE service_endpoint SET is_public = true")
    alone = story.fire(private, to_us(now - timedelta(hours=2)))
    both = story.fire(shop, to_us(now))
    assert story.fire(beside, to_us(now)) == both
    world.execute("UPDATE service_endpoint SET is_public = false WHERE id IN (:one, :two)", one=private, two=beside)
    world.execute("UPDATE incident SET resolved_at = NULL WHERE id = :id", id=told)
    assert alone is not None
    assert both is not None
    with write_transaction(db.session) as session:
        for key in (told, both):
            session.get_one(Incident, key).evidence = {"quokka": "quokka"}
    return [draft, told, over, hidden, alone, both]


def plant_maintenance(now: datetime, shop: int, private: int, beside: int) -> None:
    """Work that is private, work on what is private, and work on both."""
    soon = now + timedelta(hours=1)
    for start in (now - timedelta(minutes=2), soon):
        said = now - timedelta(minutes=5)
        plan(said, start, "quokka-work", body="quokka-body", endpoint_ids=[private, beside])
        plan(said, start, "quokka-quiet", body="quokka-body", endpoint_ids=[shop], is_public=False)
        plan(said, start, "Disks", endpoint_ids=[shop, private, beside])
    keep_maintenance(now)


def test_no_public_answer_has_anything_private(client: FlaskClient, planted: dict[str, Collection[Any]]) -> None:
    seen = ""
    for path, answer in read_all(client, planted, BROWSER, PROGRAM):
        told = f"{answer.headers}\n{answer.get_data(as_text=True)}"
        assert SECRET not in told.lower(), f"{path} says {told[max(0, told.lower().index(SECRET) - 300) :][:400]}"
        seen += told
    # Not for want of looking.
    for public in ("Shop", "Child", "Payments", "Payments fail", "Earlier", "Disks", "a service it depends on"):
        assert public in seen


def test_what_is_private_is_answered_like_what_is_not_there(
    client: FlaskClient, planted: dict[str, Collection[Any]]
) -> None:
    _, private, beside, nothing = planted["endpoint_id"]
    draft, _, _, hidden, alone, _, none = planted["incident_id"]
    for place, keys in (("services", (private, beside, nothing)), ("incidents", (draft, hidden, alone, none))):
        answers = [client.get(f"/health/status-page/{place}/{key}/") for key in keys]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.data for answer in answers}) == 1
