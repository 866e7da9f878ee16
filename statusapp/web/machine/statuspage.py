"""The public API of Atlassian Statuspage, version 2: the page, its status and its components.

The format is described at https://metastatuspage.com/api and known by many clients. Ids are strings; those of services
and incidents are their numbers, and where the format has one kind of thing for two of ours the other has a prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from statusapp.domain.enums import Status
from statusapp.domain.overall import worst
from statusapp.queries.incidents import IncidentView
from statusapp.queries.public_history import Dates, Work
from statusapp.queries.status_page import Group, Service, StatusPage
from statusapp.web import wording
from statusapp.web.machine.addresses import site_key, site_url

# The format has no word for what is not known. It must not look like health, so it gets the mildest word of trouble.
COMPONENT_STATUS = {
    Status.OPERATIONAL: "operational",
    Status.DEGRADED: "degraded_performance",
    Status.PARTIAL_OUTAGE: "partial_outage",
    Status.MAJOR_OUTAGE: "major_outage",
    Status.MAINTENANCE: "under_maintenance",
    Status.UNKNOWN: "degraded_performance",
}
_INDICATORS = {
    Status.OPERATIONAL: "none",
    Status.DEGRADED: "minor",
    Status.PARTIAL_OUTAGE: "minor",
    Status.MAINTENANCE: "maintenance",
    Status.UNKNOWN: "minor",
}

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the answers are made of, as of one instant."""

    page: StatusPage
    dates: dict[int, Dates]
    incidents: list[IncidentView]
    work: list[Work]

    @property
    def changed_at(self) -> datetime:
        """When anything of it last changed; a check that finds what the one before found is no change."""
        moments = [
            *(service.since for service in self.page.services),
            *(dates.updated_at for dates in self.dates.values()),
            *(last_told(incident) for incident in self.incidents),
            *(work.last_told_at for work in self.work),
        ]
        return max(moments, default=self.page.now)


def known_status(service: Service, page: StatusPage) -> Status:
    """The status of a service, as far as it can be believed: while monitoring is behind nothing is called healthy."""
    return Status.UNKNOWN if page.is_stale and service.status is Status.OPERATIONAL else service.status


def last_told(incident: IncidentView) -> datetime:
    """When an incident last changed or was last written about."""
    return max([incident.updated_at, *(update.created_at for update in incident.updates[:1])])


def page_part(snapshot: Snapshot) -> dict[str, Any]:
    """Which page it is."""
    settings = snapshot.page.settings
    return {
        "id": site_key(),
        "name": settings.title,
        "url": site_url(),
        "time_zone": settings.time_zone,
        "updated_at": wording.iso(snapshot.changed_at),
    }


def status_part(page: StatusPage) -> dict[str, str]:
    """How things are altogether."""
    return {"indicator": _indicator(page), "description": page.headline}


def components_part(snapshot: Snapshot) -> list[Component]:
    """All components in the order of the page: services, and headings with their services after them."""
    found: list[Component] = []
    position = 1
    for group in snapshot.page.groups:
        key = None if group.id is None else group_key(group.id)
        # A service counts from the top of the page, or from its heading.
        first = position if key is None else 1
        members = [_service(service, place, key, snapshot) for place, service in enumerate(group.services, first)]
        if key is not None:
            found.append(_group(group, key, position, members, snapshot))
        position += len(members) if key is None else 1
        found += members
    return found


def group_key(group_id: int) -> str:
    """The id of a heading as a component, which no service has."""
    return f"group-{group_id}"


def names_of(page: StatusPage) -> dict[int, str]:
    """What each service is called where it stands without its heading."""
    return {
        service.id: service.name if group.name is None else f"{group.name} - {service.name}"
        for group in page.groups
        for service in group.services
    }


def _indicator(page: StatusPage) -> str:
    if page.overall is Status.MAJOR_OUTAGE:
        return "critical" if all(status is Status.MAJOR_OUTAGE for status in page.statuses) else "major"
    return _INDICATORS[page.overall]


def _service(service: Service, position: int, group: str | None, snapshot: Snapshot) -> Component:
    # One that was made since the page was loaded has no other date yet.
    dates = snapshot.dates.get(service.id, Dates(service.since, service.since))
    return {
        "id": str(service.id),
        "name": service.name,
        "status": COMPONENT_STATUS[known_status(service, snapshot.page)],
        "created_at": wording.iso(dates.created_at),
        "updated_at": wording.iso(max(service.since, dates.updated_at)),
        "position": position,
        "description": service.description or None,
        "showcase": snapshot.page.settings.shows_uptime,
        "start_date": dates.created_at.astimezone(snapshot.page.settings.zone).date().isoformat(),
        "group_id": group,
        "page_id": site_key(),
        "group": False,
        "only_show_if_degraded": False,
    }


def _group(group: Group, key: str, position: int, members: Sequence[Component], snapshot: Snapshot) -> Component:
    return {
        "id": key,
        "name": group.name,
        "status": COMPONENT_STATUS[worst([known_status(service, snapshot.page) for service in group.services])],
        "created_at": min(member["created_at"] for member in members),
        "updated_at": max(member["updated_at"] for member in members),
        "position": position,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": site_key(),
        "group": True,
        "only_show_if_degraded": False,
        "components": [member["id"] for member in members],
    }
