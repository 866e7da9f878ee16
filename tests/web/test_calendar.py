"""The calendar of maintenance: single events in UTC that keep their names, and take themselves back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask.testing import FlaskClient
from icalendar import Calendar, Event

from config import Settings
from statusapp.domain.instants import to_us
from statusapp.services import maintenance_plans as plans
from statusapp.services.maintenance import keep_maintenance
from statusapp.services.maintenance_plans import MaintenanceDraft
from tests.web.test_incidents import ME, plan

PATH = "/health/status-page/maintenance.ics"
MakeService = Callable[..., int]


def events_of(client: FlaskClient) -> list[Event]:
    """What is in the calendar, the latest first."""
    return list(Calendar.from_ical(client.get(PATH).data).walk("VEVENT"))


def whole_minute(moment: datetime) -> datetime:
    """The beginning of a minute: maintenance is planned to the minute."""
    return moment.replace(second=0, microsecond=0)


def test_an_occurrence_is_an_event(
    client: FlaskClient, make_service: MakeService, settings: Settings, now: datetime
) -> None:
    start = whole_minute(now + timedelta(hours=2))
    plan(now, start, "Disks, new; ones", body="We change\nthe *disks*.", endpoint_ids=[make_service("Shop")])
    answer = client.get(PATH)
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(PATH, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    calendar = Calendar.from_ical(answer.data)
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    assert calendar["x-wr-calname"] == "Driver App Status: maintenance"
    (event,) = calendar.walk("VEVENT")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (start, start + timedelta(hours=1))
    assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}".encode() in answer.data
    assert event["summary"] == "Disks, new; ones"
    assert event["description"] == "We change\nthe *disks*.\n\nAffected: Shop"
    assert (event["status"], event["transp"], event["url"]) == (
        "CONFIRMED",
        "TRANSPARENT",
        f"{settings.public_url}/health/status-page/",
    )
    assert event["uid"].endswith("@127.0.0.1")
    assert b"RRULE" not in answer.data


def test_what_is_changed_keeps_its_name_and_counts_on(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    start, key = whole_minute(now + timedelta(hours=2)), make_service()
    window = plan(now, start, "Disks", endpoint_ids=[key])
    (first,) = events_of(client)
    longer = MaintenanceDraft("More disks", f"{start:%Y-%m-%dT%H:%M}", 7200, zone="UTC", endpoint_ids=[key])
    plans.change_maintenance(window, longer, now + timedelta(minutes=1))
    (second,) = events_of(client)
    assert second["uid"] == first["uid"]
    assert second["sequence"] > first["sequence"]
    assert (second["summary"], second.decoded("dtend")) == ("More disks", start + timedelta(hours=2))
    plans.cancel_maintenance(window, now + timedelta(minutes=2))
    (third,) = events_of(client)
    assert (third["uid"], third["status"]) == (first["uid"], "CANCELLED")
    assert third["sequence"] > second["sequence"]


def test_one_of_many_is_called_off_alone(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    start = whole_minute(now + timedelta(hours=2))
    window = plan(now, start, rule="FREQ=DAILY", announce_s=3 * 86_400, endpoint_ids=[make_service()])
    plans.cancel_occurrence(window, to_us(start + timedelta(days=1)), now, ME)
    events = {event.decoded("dtstart"): event["status"] for event in events_of(client)}
    assert events == {
        start + timedelta(days=2): "CONFIRMED",
        start + timedelta(days=1): "CANCELLED",
        start: "CONFIRMED",
    }
    assert len({event["uid"] for event in events_of(client)}) == 3
    assert ME.encode() not in client.get(PATH).data


def test_what_is_ended_early_ends_then(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    window = plan(now - timedelta(minutes=5), now - timedelta(minutes=3), endpoint_ids=[make_service()])
    keep_maintenance(now)
    plans.cancel_maintenance(window, now)
    (event,) = events_of(client)
    assert (event["status"], event.decoded("dtend")) == ("CONFIRMED", now.replace(microsecond=0))


def test_work_on_private_services_and_private_work_are_not_in_it(
    client: FlaskClient, make_service: MakeService, now: datetime
) -> None:
    start = now + timedelta(hours=2)
    vault = make_service("Vault", is_public=False)
    plan(now, start, "Vault work", endpoint_ids=[vault])
    plan(now, start, "Quiet work", covers_all=True, is_public=False)
    plan(now, start, "Both", endpoint_ids=[vault, make_service("Shop")])
    (event,) = events_of(client)
    assert event["description"] == "Affected: Shop"
