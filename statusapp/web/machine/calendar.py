"""Maintenance as a calendar (RFC 5545): an event for each occurrence that was announced, in UTC.

An occurrence that was called off ahead stays as a cancelled event, so that calendars which have it take it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from icalendar import Calendar, Event, vDuration

from statusapp.queries.page_settings import PageSettings
from statusapp.queries.public_history import Work
from statusapp.web.machine.addresses import public_url, site_host, site_key
from statusapp.web.machine.texts import one_line, writable

MAKER = "-//Statusapp//Maintenance//EN"
# How often programs that keep to it ask again.
REFRESH = timedelta(hours=1)


def maintenance_calendar(settings: PageSettings, found: Sequence[Work]) -> bytes:
    """The calendar of some occurrences."""
    calendar = Calendar()
    name = f"{one_line(settings.title)}: maintenance"
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    # The same for programs that know only the older name.
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for work in found:
        calendar.add_component(_event(work))
    written: bytes = calendar.to_ical()
    return written


def _event(work: Work) -> Event:
    event = Event()
    event.add("uid", f"maintenance-{work.id}-{site_key()}@{site_host()}")
    # It only ever grows, and does with each change of the plan.
    event.add("sequence", max(0, int((work.changed_at - work.planned_at).total_seconds())))
    event.add("status", "CANCELLED" if work.never_began else "CONFIRMED")
    event.add("dtstamp", work.last_told_at)
    event.add("last-modified", work.last_told_at)
    event.add("created", work.planned_at)
    event.add("dtstart", work.starts_at)
    event.add("dtend", work.ended_at if work.cancelled_at and work.ended_at else work.ends_at)
    event.add("summary", one_line(work.title))
    affected = f"Affected: {', '.join(one_line(name) for name in work.affects)}"
    event.add("description", writable(f"{work.body}\n\n{affected}" if work.body else affected))
    event.add("url", public_url("status.page"))
    # Nobody is busy because a service is.
    event.add("transp", "TRANSPARENT")
    return event
