"""Incidents and maintenance as values and words, for the page and for its JSON.

Texts are Markdown; `html` beside them is what `services/markdown.py` made of it, safe to be put into a page. Who wrote
an update is nobody's business here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from statusapp.domain.enums import Impact
from statusapp.domain.incidents import IMPACT_WORDS, STATUS_WORDS
from statusapp.domain.overall import STATUS_LABELS
from statusapp.domain.strips import STRIP_DAYS
from statusapp.domain.uptime import days_between
from statusapp.queries.incidents import IncidentView
from statusapp.queries.maintenance import MaintenanceView
from statusapp.queries.public_events import Month, PublicEvents
from statusapp.queries.timelines import Entry
from statusapp.services.markdown import render_markdown
from statusapp.web import wording
from statusapp.web.times import Times

# The icon of an impact: that of the status which makes it.
IMPACT_ICONS = {
    Impact.NONE: "unknown",
    Impact.MINOR: "degraded",
    Impact.MAJOR: "partial_outage",
    Impact.CRITICAL: "major_outage",
}
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PastDays:
    """One day with what happened on it, or some quiet days in a row. Both lists are as they are in the JSON."""

    label: str
    incidents: tuple[dict[str, Any], ...]
    maintenance: tuple[dict[str, Any], ...]


def events_as_data(events: PublicEvents, times: Times) -> dict[str, Any]:
    """Incidents and maintenance. `events_version` changes when anything of them does."""
    past = [incident for day in events.days for incident in day.incidents if not incident.is_open]
    over = [item for day in events.days for item in day.maintenance]
    data = {
        "incidents": [incident_as_data(incident, times) for incident in (*events.open_incidents, *past)],
        "maintenance": [
            *(maintenance_as_data(item, "in_progress", times) for item in events.in_progress),
            *(maintenance_as_data(item, "upcoming", times) for item in events.upcoming),
            *(maintenance_as_data(item, "over", times) for item in over),
        ],
    }
    today = [found.day.isoformat() for found in events.days[:1]]
    version = hashlib.sha256(json.dumps([data, today]).encode()).hexdigest()[:16]
    return {**data, "events_version": version}


def month_days(month: Month, times: Times) -> list[PastDays]:
    """The days of a month on which something began."""
    return [
        PastDays(
            times.day(found.day),
            tuple(incident_as_data(incident, times) for incident in found.incidents),
            tuple(maintenance_as_data(item, "over", times) for item in found.maintenance),
        )
        for found in month.days
    ]


def past_days(events: PublicEvents, data: dict[str, Any]) -> list[PastDays]:
    """The last days, the newest first, with quiet ones in a row put together."""
    incidents = {incident["id"]: incident for incident in data["incidents"]}
    works = {item["id"]: item for item in data["maintenance"]}
    told: list[PastDays] = []
    quiet: list[date] = []
    for found in events.days:
        if not found.incidents and not found.maintenance:
            quiet.append(found.day)
            continue
        told += _quiet(quiet)
        quiet = []
        told.append(
            PastDays(
                _day(found.day),
                tuple(incidents[incident.id] for incident in found.incidents),
                tuple(works[item.id] for item in found.maintenance),
            )
        )
    return told + _quiet(quiet)


def incidents_by_day(events: PublicEvents, times: Times) -> dict[int, dict[date, list[str]]]:
    """The titles of the incidents of each service on each day of the zone that they went on in."""
    told: dict[int, dict[date, list[str]]] = {}
    today = events.days[0].day if events.days else None
    for incident in events.incidents:
        first = incident.started_at.astimezone(times.zone).date()
        last = today if incident.resolved_at is None else incident.resolved_at.astimezone(times.zone).date()
        days = days_between(first, last or first)[-STRIP_DAYS:]
        for service in incident.affected:
            of_service = told.setdefault(service.id, {})
            for day in days:
                of_service.setdefault(day, []).append(incident.title)
    return told


def as_html(text: str) -> Markup:
    """What `render_markdown` has made, for a template."""
    return Markup(text)  # noqa: S704 - it comes out of the sanitiser


def listed(names: list[str]) -> str:
    """Some names in one line, as many as can be read."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def incident_as_data(incident: IncidentView, times: Times) -> dict[str, Any]:
    """One incident with its updates."""
    resolved = incident.resolved_at
    return {
        "id": incident.id,
        "title": incident.title,
        "status": incident.status.word,
        "status_text": STATUS_WORDS[incident.status],
        "impact": incident.impact.word,
        "impact_text": IMPACT_WORDS[incident.impact],
        "icon": IMPACT_ICONS[incident.impact],
        "is_open": incident.is_open,
        "started_at": wording.iso(incident.started_at),
        "resolved_at": wording.iso(resolved),
        "lasted_text": None
        if incident.resolved_at is None
        else wording.span(incident.resolved_at - incident.started_at),
        "affected": [
            {
                "id": service.id,
                "name": service.name,
                "status": service.status.word,
                "status_text": STATUS_LABELS[service.status],
            }
            for service in incident.affected
        ],
        "updates": [_entry(entry, times) for entry in incident.updates],
    }


def maintenance_as_data(item: MaintenanceView, state: str, times: Times) -> dict[str, Any]:
    """One occurrence of planned work with its updates; `state` is in_progress, upcoming or over."""
    return {
        "id": item.id,
        "title": item.title,
        "state": state,
        "starts_at": wording.iso(item.starts_at),
        "ends_at": wording.iso(item.ends_at),
        "time_text": times.span(item.starts_at, item.ends_at),
        "is_cancelled": item.is_cancelled,
        "affects": list(item.affects),
        "body": item.body,
        "html": render_markdown(item.body),
        "updates": [_entry(entry, times) for entry in item.updates],
    }


def _entry(entry: Entry, times: Times) -> dict[str, Any]:
    return {
        "id": entry.id,
        "status": None if entry.status is None else entry.status.word,
        "status_text": "Update" if entry.status is None else STATUS_WORDS[entry.status],
        "body": entry.body,
        "html": render_markdown(entry.body),
        "at": wording.iso(entry.created_at),
        "at_text": times.exact(entry.created_at),
    }


def _day(day: date) -> str:
    return day.strftime("%-d %B")


def _quiet(days: list[date]) -> list[PastDays]:
    if not days:
        return []
    last, first = days[0], days[-1]
    if first == last:
        return [PastDays(_day(last), (), ())]
    begin = str(first.day) if first.month == last.month else _day(first)
    return [PastDays(f"{begin} – {_day(last)}", (), ())]
