"""The public API of Atlassian Statuspage, version 2: incidents and scheduled maintenance.

Texts are the Markdown that was written, as data; whoever puts them into a page escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from statusapp.domain.enums import IncidentStatus, Status
from statusapp.domain.incidents import OVER
from statusapp.queries.incidents import IncidentView
from statusapp.queries.public_history import Work
from statusapp.queries.timelines import Entry
from statusapp.web import wording
from statusapp.web.machine.addresses import incident_url, public_url, site_key
from statusapp.web.machine.statuspage import (
    COMPONENT_STATUS,
    Component,
    Snapshot,
    components_part,
    group_key,
    last_told,
    names_of,
)

MOST = 50
SCHEDULED, IN_PROGRESS, COMPLETED = "scheduled", "in_progress", "completed"
UNTOLD = "Maintenance is planned."


def incidents_part(snapshot: Snapshot, *, only_open: bool = False) -> list[dict[str, Any]]:
    """Incidents, the newest first."""
    components = {component["id"]: component for component in components_part(snapshot)}
    names = names_of(snapshot.page)
    wanted = [incident for incident in snapshot.incidents if incident.is_open or not only_open]
    return [_incident(incident, components, names) for incident in wanted[:MOST]]


def maintenance_part(snapshot: Snapshot, *states: str) -> list[dict[str, Any]]:
    """Scheduled maintenance in one of these states, or in any, the latest first."""
    components = components_part(snapshot)
    now = snapshot.page.now
    found = [(work, _state(work, now)) for work in snapshot.work if not work.never_began]
    wanted = [(work, state) for work, state in found if not states or state in states]
    return [_maintenance(work, state, components) for work, state in wanted[:MOST]]


def _incident(incident: IncidentView, components: dict[str, Component], names: dict[int, str]) -> dict[str, Any]:
    affected = [
        (str(service.id), names.get(service.id, service.name), COMPONENT_STATUS[service.status])
        for service in incident.affected
    ]
    monitoring = [entry for entry in incident.updates if entry.status is IncidentStatus.MONITORING]
    return {
        "id": str(incident.id),
        "name": incident.title,
        "status": _word(incident.status),
        "created_at": wording.iso(incident.started_at),
        "updated_at": wording.iso(last_told(incident)),
        "monitoring_at": wording.iso(monitoring[0].created_at) if monitoring else None,
        "resolved_at": wording.iso(incident.resolved_at),
        "impact": incident.impact.word,
        "shortlink": incident_url(incident.id),
        "started_at": wording.iso(incident.started_at),
        "page_id": site_key(),
        "incident_updates": _updates_of(incident, affected),
        "components": [components[key] for key, _, _ in affected if key in components],
    }


def _updates_of(incident: IncidentView, affected: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The updates, the newest first. What is known of a service is its worst status in the incident, and no course."""
    told = []
    was_over = True
    for entry in reversed(incident.updates):
        is_over = entry.status in OVER
        changes = [(key, name, _unless(was_over, worst), _unless(is_over, worst)) for key, name, worst in affected]
        status = IncidentStatus.INVESTIGATING if entry.status is None else entry.status
        told.append(_update(str(entry.id), str(incident.id), _word(status), entry.body, entry.created_at, changes))
        was_over = is_over
    return told[::-1]


def _unless(is_over: bool, status: str) -> str:
    return COMPONENT_STATUS[Status.OPERATIONAL] if is_over else status


def _word(status: IncidentStatus) -> str:
    return "postmortem" if status is IncidentStatus.POST_MORTEM else status.word


def _maintenance(work: Work, state: str, components: Sequence[Component]) -> dict[str, Any]:
    ended_at = work.ended_at or work.cancelled_at or work.ends_at
    affected = [component for component in components if _affects(work, component)]
    return {
        "id": _key(work),
        "name": work.title,
        "status": state,
        "created_at": wording.iso(work.told_at),
        "updated_at": wording.iso(work.last_told_at),
        "monitoring_at": None,
        "resolved_at": wording.iso(ended_at) if state == COMPLETED else None,
        "impact": "maintenance",
        "shortlink": public_url("status.page"),
        "started_at": wording.iso(work.started_at or work.starts_at),
        "page_id": site_key(),
        "incident_updates": _notes_of(work, affected),
        "components": affected,
        "scheduled_for": wording.iso(work.starts_at),
        "scheduled_until": wording.iso(work.ends_at),
    }


def _state(work: Work, now: datetime) -> str:
    if work.is_ahead(now):
        return SCHEDULED
    return IN_PROGRESS if work.is_going_on(now) else COMPLETED


def _key(work: Work) -> str:
    return f"maintenance-{work.id}"


def _affects(work: Work, component: Component) -> bool:
    if component["group"]:
        return False
    groups = {group_key(group_id) for group_id in work.group_ids}
    return work.covers_all or component["group_id"] in groups or int(component["id"]) in work.service_ids


def _notes_of(work: Work, affected: Sequence[Component]) -> list[dict[str, Any]]:
    """What was said of it, the newest first; the oldest is its plan."""
    notes = [(f"maintenance-{entry.id}", entry.body, entry.created_at, _stage(entry, work)) for entry in work.updates]
    notes.append((f"plan-{work.id}", work.body or UNTOLD, work.told_at, SCHEDULED))
    told = []
    before = SCHEDULED
    for key, body, at, state in reversed(notes):
        changes = [(component["id"], component["name"], _during(before), _during(state)) for component in affected]
        told.append(_update(key, _key(work), state, body, at, changes))
        before = state
    return told[::-1]


def _stage(entry: Entry, work: Work) -> str:
    ended_at = work.ended_at or work.cancelled_at
    if ended_at is not None and entry.created_at >= ended_at:
        return COMPLETED
    began_at = work.started_at or work.starts_at
    return SCHEDULED if entry.created_at < began_at else IN_PROGRESS


def _during(state: str) -> str:
    return COMPONENT_STATUS[Status.MAINTENANCE if state == IN_PROGRESS else Status.OPERATIONAL]


def _update(
    key: str, owner: str, status: str, body: str, at: datetime, changes: Sequence[tuple[str, str, str, str]]
) -> dict[str, Any]:
    return {
        "id": key,
        "status": status,
        "body": body,
        "incident_id": owner,
        "created_at": wording.iso(at),
        "updated_at": wording.iso(at),
        "display_at": wording.iso(at),
        "affected_components": [
            {"code": code, "name": name, "old_status": before, "new_status": after}
            for code, name, before, after in changes
        ],
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }
