"""What people do to incidents, and what the public reads of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from statusapp.domain.enums import Impact, IncidentStatus, Status
from statusapp.domain.errors import InvalidInput, InvalidMove, NotFound
from statusapp.domain.instants import SECOND, from_us
from statusapp.queries.incidents import find_incident, find_public_incident, load_open_incidents, load_past_incidents
from statusapp.services import incident_updates as people
from statusapp.services.incident_updates import IncidentChange, IncidentDraft
from tests.services.incident_story import ME, NOW, Story
from tests.world import MINUTE, T0, World


@pytest.fixture
def story(world: World) -> Story:
    """A page with the usual settings."""
    story = Story(world)
    story.mode()
    return story


def test_a_person_opens_moves_and_resolves_one(world: World, story: Story) -> None:
    shop = world.add("Shop")
    story.set_status(shop, Status.DEGRADED)
    draft = IncidentDraft("  Payments\n are slow ", "We **look**.", endpoint_ids=[shop])
    incident_id = people.open_incident(draft, ME, from_us(NOW))
    row = story.incident(incident_id)
    assert (row.title, row.impact, bool(row.is_automatic), row.touched_at) == (
        "Payments are slow", Impact.MINOR, False, NOW,
    )  # fmt: skip
    people.add_update(incident_id, "Found it.", ME, from_us(NOW + 1), IncidentStatus.MONITORING)
    people.resolve_incident(incident_id, "Done.", ME, from_us(NOW + 2))
    assert story.incident(incident_id).resolved_at == NOW + 2
    people.add_update(incident_id, "Not quite.", ME, from_us(NOW + 3), IncidentStatus.INVESTIGATING)
    assert story.incident(incident_id).resolved_at is None
    people.resolve_incident(incident_id, "Done.", ME, from_us(NOW + 4))
    people.add_update(incident_id, "Why it happened.", ME, from_us(NOW + 5), IncidentStatus.POST_MORTEM)
    assert story.incident(incident_id).resolved_at == NOW + 4
    with pytest.raises(InvalidMove, match="post-mortem to investigating"):
        people.add_update(incident_id, "Again?", ME, from_us(NOW + 6), IncidentStatus.INVESTIGATING)
    assert len(story.said(incident_id)) == 6
    incident = find_public_incident(incident_id)
    assert incident is not None
    assert [entry.status for entry in incident.updates][:2] == [IncidentStatus.POST_MORTEM, IncidentStatus.RESOLVED]


def test_a_draft_is_for_operators_until_it_is_published(world: World, story: Story) -> None:
    incident_id = people.open_incident(IncidentDraft("T", "B", is_public=False), ME, from_us(NOW))
    assert (load_open_incidents(), find_public_incident(incident_id)) == ([], None)
    people.publish_incident(incident_id, from_us(NOW))
    assert [incident.id for incident in load_open_incidents()] == [incident_id]
    people.publish_incident(incident_id, from_us(NOW), is_public=False)
    assert load_open_incidents() == []


def test_impact_follows_the_services_unless_a_person_says_otherwise(world: World, story: Story) -> None:
    shop, login = world.add("Shop"), world.add("Login")
    story.set_status(login, Status.PARTIAL_OUTAGE)
    incident_id = people.open_incident(IncidentDraft("T", "B", endpoint_ids=[shop]), ME, from_us(NOW))

    def impact() -> Impact:
        file = find_incident(incident_id)
        assert file is not None
        return file.incident.impact

    assert impact() is Impact.NONE
    people.change_incident(incident_id, IncidentChange(endpoint_ids=[shop, login]), from_us(NOW))
    assert impact() is Impact.MAJOR
    people.change_incident(incident_id, IncidentChange(impact=Impact.CRITICAL), from_us(NOW))
    assert impact() is Impact.CRITICAL
    people.change_incident(incident_id, IncidentChange(endpoint_ids=[login]), from_us(NOW))
    people.change_incident(incident_id, IncidentChange(derives_impact=True), from_us(NOW))
    assert impact() is Impact.MAJOR


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (IncidentDraft(" ", "B"), "title"), (IncidentDraft("x" * 201, "B"), "title"),
        (IncidentDraft("T", "\0 "), "body"),
        (IncidentDraft("T", "x" * 10_001), "body"), (IncidentDraft("T", "B", endpoint_ids=[99]), "endpoint_ids"),
        (IncidentDraft("T", "B", status=IncidentStatus.RESOLVED), "status"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_leaves_nothing(world: World, draft: IncidentDraft, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        people.open_incident(draft, ME, from_us(NOW))
    assert refused.value.field == field
    assert world.scalar("SELECT COUNT(*) FROM incident") == 0


def test_an_update_can_be_corrected_and_what_is_not_there_is_not_found(world: World, story: Story) -> None:
    incident_id = people.open_incident(IncidentDraft("T", "Teh"), ME, from_us(NOW))
    update_id = world.scalar("SELECT id FROM incident_update")
    people.change_update(update_id, "The", from_us(NOW))
    assert story.said(incident_id) == ["The"]
    with pytest.raises(NotFound):
        people.change_update(99, "x", from_us(NOW))
    with pytest.raises(NotFound):
        people.add_update(99, "x", ME, from_us(NOW))


def test_past_incidents_stand_under_the_day_of_the_page_on_which_they_began(world: World, story: Story) -> None:
    late = T0 + 13 * 60 * MINUTE  # 23:00 in UTC, the next day in Berlin.
    for at in (T0, late, T0 - 20 * 86_400 * SECOND):
        incident_id = people.open_incident(IncidentDraft("T", "B"), ME, from_us(at))
        people.resolve_incident(incident_id, "Done.", ME, from_us(at + 1))
    for zone, days in (("UTC", ["24 2"]), ("Europe/Berlin", ["25 1", "24 1"])):
        found = load_past_incidents(from_us(late), ZoneInfo(zone), 14)
        assert [f"{day.day} {len(incidents)}" for day, incidents in found.items()] == days
