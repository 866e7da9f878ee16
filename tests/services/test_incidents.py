"""Incidents: what machines do by themselves, what people do, and that a person always comes first."""

from __future__ import annotations

import json

import pytest

from statusapp.database import write_connection
from statusapp.domain.enums import AlertKind, Impact, IncidentMode, IncidentStatus, Outcome, Severity, Status
from statusapp.domain.incidents import JOIN_US
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.queries.incidents import (
    find_incident,
    find_public_incident,
    list_incidents,
    load_open_incidents,
)
from statusapp.services import incident_updates as people
from statusapp.services.incident_updates import IncidentChange, IncidentDraft
from statusapp.services.incidents import (
    FiredAlert,
    on_alert_resolved,
    on_alerts_fired,
    settle_incidents,
)
from tests.services.incident_story import ME, NOW, Story
from tests.world import MINUTE, T0, World


@pytest.fixture
def story(world: World) -> Story:
    """A page with the usual settings."""
    story = Story(world)
    story.mode()
    return story


def test_an_outage_opens_a_public_incident_with_title_impact_and_a_first_word(world: World, story: Story) -> None:
    incident_id = story.fire(world.add("Shop"))
    row = story.incident(incident_id)
    assert (row.title, row.status, row.impact) == ("Shop is down", IncidentStatus.INVESTIGATING, Impact.CRITICAL)
    assert (bool(row.is_public), bool(row.is_automatic), row.touched_at, row.started_at) == (
        True, True, None, NOW - MINUTE,
    )  # fmt: skip
    assert story.said(incident_id) == ["Automated checks have found a problem. We are looking into it."]


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.WARNING, Severity.INFO])
@pytest.mark.parametrize("mode", IncidentMode)
def test_the_settings_say_what_each_severity_does(
    world: World, story: Story, severity: Severity, mode: IncidentMode
) -> None:
    off = IncidentMode.OFF
    story.mode(mode if severity is Severity.CRITICAL else off, mode if severity is Severity.WARNING else off)
    incident_id = story.fire(world.add("Shop"), severity=severity)
    opens = mode is not IncidentMode.OFF and severity is not Severity.INFO
    assert (incident_id is not None) is opens
    assert [bool(row.is_public) for row in world.rows("SELECT is_public FROM incident")] == (
        [mode is IncidentMode.PUBLIC] if opens else []
    )


def test_without_settings_the_defaults_count(world: World, story: Story) -> None:
    world.execute("DELETE FROM status_page_settings")
    assert story.incident(story.fire(world.add("Shop"))).is_public
    assert story.fire(world.add("Slow"), kind=AlertKind.SLOW, severity=Severity.WARNING) is None


def test_what_goes_wrong_within_ten_minutes_joins(world: World, story: Story) -> None:
    first = story.fire(world.add("Shop"))
    assert story.fire(world.add("Login"), NOW + JOIN_US) == first
    assert story.incident(first).title == "Login and Shop are down"
    assert story.said(first)[1:] == ["Automated checks have found that one more service is affected."]
    later = story.fire(world.add("Mail"), NOW + JOIN_US + 1)
    assert later != first
    assert story.incident(later).title == "Mail is down"


def test_the_worst_that_a_service_has_had_stays(world: World, story: Story) -> None:
    story.mode(warning=IncidentMode.PUBLIC)
    shop = world.add("Shop")
    incident_id = story.fire(shop, kind=AlertKind.SLOW, severity=Severity.WARNING)
    assert (story.incident(incident_id).title, story.incident(incident_id).impact) == ("Shop is slow", Impact.MINOR)
    assert story.fire(shop, NOW + MINUTE) == incident_id
    assert (story.incident(incident_id).title, story.incident(incident_id).impact) == ("Shop is down", Impact.CRITICAL)


def test_a_thousand_at_once_are_one_incident_in_few_statements(world: World, story: Story) -> None:
    ids = [world.add(f"S{number}") for number in range(40)]
    fired = [
        FiredAlert(number, AlertKind.DOWN, key, Severity.CRITICAL, f"S{number}", "no answer", NOW - number)
        for number, key in enumerate(ids)
    ]
    with write_connection(db.engine) as connection:
        found = on_alerts_fired(connection, fired, NOW)
        joined = on_alerts_fired(connection, fired, NOW + SECOND)
    assert set(found) == set(range(40))
    (incident_id,) = set(found.values())
    assert joined == found
    assert story.incident(incident_id).title == "S0 and 39 other services are down"
    assert story.incident(incident_id).started_at == NOW - 39
    assert len(story.said(incident_id)) == 2
    assert world.scalar("SELECT COUNT(*) FROM incident_endpoint") == 40


def test_a_private_service_opens_a_draft_and_never_joins_the_public(world: World, story: Story) -> None:
    public = story.fire(world.add("Shop"))
    private = story.fire(world.add("Vault of secrets", is_public=False), NOW + MINUTE)
    assert private != public
    assert not story.incident(private).is_public
    assert [incident.title for incident in load_open_incidents()] == ["Shop is down"]
    assert find_public_incident(private or 0) is None


def test_a_service_that_becomes_private_is_named_nowhere(world: World, story: Story) -> None:
    shop, vault = world.add("Shop"), world.add("Vault")
    incident_id = story.fire(shop) or 0
    story.fire(vault)
    world.execute("UPDATE service_endpoint SET is_public = false WHERE id = :id", id=vault)
    (incident,) = load_open_incidents()
    assert (incident.title, [service.name for service in incident.affected]) == ("Shop is down", ["Shop"])
    assert "Vault" not in json.dumps([entry.body for entry in incident.updates])
    people.add_update(incident_id, "We are at it.", ME, from_us(NOW))
    assert "Vault" not in str(find_public_incident(incident_id))
    world.execute("UPDATE service_endpoint SET is_public = false")
    db.session.rollback()  # What was read before is what a transaction goes on reading.
    assert [service.name for service in load_open_incidents()[0].affected] == []


def test_an_automatic_incident_of_private_services_alone_is_not_shown(world: World, story: Story) -> None:
    incident_id = story.fire(world.add("Vault")) or 0
    world.execute("UPDATE service_endpoint SET is_public = false")
    assert load_open_incidents() == []
    assert find_public_incident(incident_id) is None
    assert [incident.title for incident in list_incidents(only_open=True)] == ["Vault is down"]


def test_it_resolves_by_itself_when_the_last_service_has_recovered(world: World, story: Story) -> None:
    shop, login = world.add("Shop"), world.add("Login")
    incident_id = story.fire(shop) or 0
    story.fire(login)
    story.recover(shop, incident_id, NOW + MINUTE)
    assert story.incident(incident_id).resolved_at is None
    story.recover(login, incident_id, NOW + 2 * MINUTE)
    row = story.incident(incident_id)
    assert (row.status, row.resolved_at) == (IncidentStatus.RESOLVED, NOW + 2 * MINUTE)
    assert story.said(incident_id)[-1] == "Automated checks see all affected services working again."
    story.recover(login, incident_id, NOW + 3 * MINUTE)
    assert len(story.said(incident_id)) == 3


def test_a_service_that_is_slow_after_its_outage_keeps_it_open_until_it_is_well(world: World, story: Story) -> None:
    shop = world.add("Shop")
    incident_id = story.fire(shop) or 0
    story.set_status(shop, Status.DEGRADED)
    world.execute("UPDATE alert SET resolved_at = :now", now=NOW)
    with write_connection(db.engine) as connection:
        on_alert_resolved(connection, incident_id, NOW)
        assert settle_incidents(connection, NOW) == 0
    story.set_status(shop, Status.OPERATIONAL)
    with write_connection(db.engine) as connection:
        assert settle_incidents(connection, NOW + MINUTE) == 1
        assert settle_incidents(connection, NOW + MINUTE) == 0
    assert story.incident(incident_id).resolved_at == NOW + MINUTE


def test_an_alert_that_comes_back_opens_its_incident_again(world: World, story: Story) -> None:
    shop = world.add("Shop")
    incident_id = story.fire(shop) or 0
    story.recover(shop, incident_id, NOW + MINUTE)
    world.execute("DELETE FROM alert")
    assert story.fire(shop, NOW + 2 * MINUTE, before=incident_id) == incident_id
    with write_connection(db.engine) as connection:
        assert settle_incidents(connection, NOW + 2 * MINUTE) == 0
    row = story.incident(incident_id)
    assert (row.status, row.resolved_at) == (IncidentStatus.INVESTIGATING, None)
    assert story.said(incident_id)[2:] == ["Automated checks have found a problem again."]


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_comes_back_after_a_person_has_ended_its_incident_opens_a_new_one(
    world: World, story: Story, when: str
) -> None:
    shop = world.add("Shop")
    ended = story.fire(shop) or 0
    if when == "before":
        people.resolve_incident(ended, "The bank is back.", ME, from_us(NOW))
    story.recover(shop, ended, NOW + MINUTE)
    if when == "after":
        people.add_update(ended, "It was the bank.", ME, from_us(NOW + MINUTE), IncidentStatus.POST_MORTEM)
    world.execute("DELETE FROM alert")
    new = story.fire(shop, NOW + 2 * MINUTE, before=ended)
    assert new != ended
    assert (story.incident(new).status, story.incident(new).resolved_at) == (IncidentStatus.INVESTIGATING, None)
    assert story.incident(ended).resolved_at is not None
    assert [incident.title for incident in load_open_incidents()] == ["Shop is down"]


@pytest.mark.parametrize("end", ["DELETE FROM service_endpoint", "UPDATE service_endpoint SET is_enabled = false"])
def test_a_service_that_nobody_looks_at_any_more_keeps_nothing_open(world: World, story: Story, end: str) -> None:
    incident_id = story.fire(world.add("Shop"))
    world.execute("UPDATE alert SET resolved_at = 1")
    world.execute(end)
    with write_connection(db.engine) as connection:
        assert settle_incidents(connection, NOW) == 1
    assert story.incident(incident_id).status == IncidentStatus.RESOLVED


def test_no_machine_touches_what_a_person_has_touched_it_only_adds(world: World, story: Story) -> None:
    shop = world.add("Shop")
    incident_id = story.fire(shop) or 0
    people.change_incident(incident_id, IncidentChange(title="Payments fail", impact=Impact.MINOR), from_us(NOW))
    people.add_update(incident_id, "The bank is away.", ME, from_us(NOW), IncidentStatus.IDENTIFIED)
    before = story.incident(incident_id)
    story.recover(shop, incident_id, NOW + MINUTE)
    with write_connection(db.engine) as connection:
        assert settle_incidents(connection, NOW + MINUTE) == 0
    world.execute("DELETE FROM alert")
    assert story.fire(shop, NOW + 2 * MINUTE) == incident_id
    after = story.incident(incident_id)
    for column in ("title", "status", "impact", "impact_override", "resolved_at"):
        assert getattr(after, column) == getattr(before, column), column
    assert story.said(incident_id) == [
        "Automated checks have found a problem. We are looking into it.",
        "The bank is away.",
        "Automated checks see all affected services working again.",
        "Automated checks have found a problem again.",
    ]
    statuses = world.rows("SELECT status FROM incident_update ORDER BY id")
    assert [row.status for row in statuses][1:] == [IncidentStatus.IDENTIFIED] * 3
    # Another service is another story: the person's is not theirs to join.
    assert story.fire(world.add("Login"), NOW + 2 * MINUTE) != incident_id


def test_a_draft_of_a_person_does_not_keep_the_public_in_the_dark(world: World, story: Story) -> None:
    shop = world.add("Shop")
    draft = people.open_incident(IncidentDraft("Hm", "?", endpoint_ids=[shop], is_public=False), ME, from_us(NOW))
    incident_id = story.fire(shop)
    assert incident_id != draft
    assert story.incident(incident_id).is_public


def test_the_evidence_is_frozen_at_opening_and_only_for_operators(world: World, story: Story) -> None:
    shop = world.add("Shop", at=T0)
    world.check(T0)
    slot = world.state(shop).next_check_at
    world.check(slot, Outcome.FAILED)
    world.execute(
        "INSERT INTO system_metric (taken_at, host, cpu_percent, load_1m, load_5m, load_15m, memory_percent,"
        " memory_used_mb, memory_total_mb, disk_percent, disk_free_mb, network_sent_bytes, network_received_bytes)"
        " VALUES (:at, 'web-1', 97.5, 1, 2, 3, 50, 1, 2, 3, 4, 5, 6)",
        at=str(from_us(slot - 5 * MINUTE)),
    )  # fmt: skip
    world.execute("INSERT INTO tracked_route (id, service, method, route) VALUES (1, 'shop', 'GET', '/')")
    world.execute(
        "INSERT INTO request_rollup (route_id, step_s, start, count, failures, client_errors, slow, went_away, sum_us,"
        " min_us, max_us, histogram) VALUES (1, 300, :start, 40, 10, 3, 0, 0, 1, 1, 1, :packed)",
        start=(slot - 5 * MINUTE) // (300 * SECOND) * 300 * SECOND, packed=b"",
    )  # fmt: skip
    incident_id = story.fire(shop, slot + MINUTE) or 0
    world.execute("DELETE FROM health_check")
    file = find_incident(incident_id)
    assert file is not None
    assert file.evidence is not None
    (service,) = file.evidence["services"]
    (check,) = service["checks"]
    assert (service["name"], service["found"]) == ("Shop", "HTTP 502")
    assert (check["outcome"], check["error_kind"], check["error"]) == ("failed", "connect", "connection refused")
    assert (check["total_us"], check["slot"]) == (5000, slot)
    assert file.evidence["hosts"][0]["readings"][0]["cpu_percent"] == 97.5
    assert file.evidence["requests"]["error_percent"] == 25.0
    assert "refused" not in str(load_open_incidents()) + str(find_public_incident(incident_id))
