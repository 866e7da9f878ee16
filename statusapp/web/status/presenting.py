"""The page as values and words, the same for the HTML and for the JSON that refreshes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from statusapp.domain.day_bars import bar_letters, bar_note
from statusapp.domain.enums import Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.domain.strips import NO_DATA, Day, day_percent, days_percent
from statusapp.queries.performance import Performance
from statusapp.queries.status_page import Group, Service, StatusPage
from statusapp.web import wording
from statusapp.web.status.events import events_as_data, incidents_by_day
from statusapp.web.status.themes import version_of
from statusapp.web.times import Times

# Of a day with many incidents, a tip tells so many.
TITLES_SHOWN = 2
# The letters of bars that say more than that all was well, or that nothing is known.
_NOTABLE = re.compile("[^ou]")
STALE_NOTICE = "Monitoring is behind: no check since"
NEVER_CHECKED_NOTICE = "Monitoring is behind: nothing has been checked yet."


def page_as_data(page: StatusPage) -> dict[str, Any]:
    """Everything on the page. It holds no time of asking, so that it stays the same until something changes."""
    times = Times(page.settings.zone)
    told = incidents_by_day(page.events, times)
    return {
        "page": {
            "title": page.settings.title,
            "description": page.settings.description,
            "announcement": page.settings.announcement,
            "support_url": page.settings.support_url,
            "time_zone": page.settings.time_zone,
            "refresh_interval_seconds": page.settings.refresh_interval_s,
            "settings_version": version_of(repr(page.settings)),
        },
        "status": page.overall.word,
        "headline": page.headline,
        "summary": _summary(page),
        "is_stale": page.is_stale,
        "notice": _notice(page),
        "updated_at": wording.iso(page.updated_at),
        "counts": _counts(page),
        "days": [day.isoformat() for day in page.days],
        "services": [_service_as_data(service, page, told.get(service.id, {})) for service in page.services],
        "groups": [_group_as_data(group, page.is_stale) for group in page.groups if group.id is not None],
        "performance": _performance_as_data(page.performance),
        **events_as_data(page.events, times),
    }


def overview_as_data(page: StatusPage) -> dict[str, Any]:
    """The overview for programs: figures without the words for them."""
    return {
        "status": page.overall.word,
        "headline": page.headline,
        "is_stale": page.is_stale,
        "updated_at": wording.iso(page.updated_at),
        "counts": _counts(page),
        "services": [_service_figures(service) for service in page.services],
    }


def _summary(page: StatusPage) -> str:
    count = len(page.services)
    if not count:
        return "Checks begin as soon as there is a service"
    noun = "service" if count == 1 else "services"
    if page.is_stale:
        return f"{count} {noun} waiting for a check"
    return f"{page.operational_count}/{count} {noun} operational"


def _notice(page: StatusPage) -> str | None:
    if not page.is_stale:
        return None
    return NEVER_CHECKED_NOTICE if page.updated_at is None else STALE_NOTICE


def _counts(page: StatusPage) -> dict[str, int]:
    counts = {status.word: page.statuses.count(status) for status in Status}
    return {"total": len(page.services), **counts}


def _service_figures(service: Service) -> dict[str, Any]:
    response = service.response_time_us
    return {
        "id": service.id,
        "name": service.name,
        "status": service.status.word,
        "since": wording.iso(service.since),
        "uptime_24h": _share(service.uptime_24h),
        "response_time_seconds": None if response is None else round(response / 1_000_000, 6),
        "last_checked_at": wording.iso(service.last_checked_at),
        "affected_by": list(service.affected_by),
        "url": service.url,
    }


def _service_as_data(service: Service, page: StatusPage, told: dict[date, list[str]]) -> dict[str, Any]:
    past, today = _past_bars(service.days[:-1], page.partial_weight), _bars(service.days[-1:], page.partial_weight)
    uptime = days_percent((past.together, today.together), page.partial_weight) if service.days else None
    notes = past.notes | {len(past.letters): note for note in today.notes.values()}
    notes.update((place, bar_note(service.days[place], page.partial_weight)) for place in _places(told, page.days))
    return {
        **_service_figures(service),
        "description": service.description,
        "status_text": _status_text(service.status, page.is_stale),
        "affected_text": f"Affected by {' and '.join(service.affected_by)}" if service.affected_by else "",
        "uptime_24h_text": wording.uptime(service.uptime_24h),
        "uptime_history": _share(uptime),
        "uptime_history_text": wording.uptime(uptime),
        "uptime_days": [*past.shares, *today.shares],
        "bars": past.letters + today.letters,
        "bar_notes": {
            str(place): note + _told(told.get(page.days[place], [])) for place, note in sorted(notes.items())
        },
        "response_time_text": wording.duration(service.response_time_us),
    }


@dataclass(frozen=True, slots=True)
class _Bars:
    """Some days of a service as bars: what they are together, the uptime and the letter of each, and what is said of
    those, by their place, that were not just operational or unknown."""

    together: Day
    shares: tuple[float | None, ...]
    letters: str
    notes: dict[int, str]


def _bars(days: tuple[Day, ...], partial_weight: float) -> _Bars:
    letters = bar_letters(days)
    return _Bars(
        together=tuple(map(sum, zip(*days, strict=True))) or NO_DATA,
        shares=tuple(_day_share(day_percent(day, partial_weight)) for day in days),
        letters=letters,
        notes={found.start(): bar_note(days[found.start()], partial_weight) for found in _NOTABLE.finditer(letters)},
    )


# All days but today stay what they are.
_past_bars = lru_cache(maxsize=4096)(_bars)


def _places(told: dict[date, list[str]], days: Sequence[date]) -> list[int]:
    return [(day - days[0]).days for day in told if days and days[0] <= day <= days[-1]]


def _told(titles: list[str]) -> str:
    """The incidents of a day, after what its bar says."""
    shown = "".join(f"; incident: {title}" for title in titles[:TITLES_SHOWN])
    return f"{shown}; {len(titles) - TITLES_SHOWN} more" if len(titles) > TITLES_SHOWN else shown


def _group_as_data(group: Group, is_stale: bool) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "status": group.status.word,
        "status_text": _status_text(group.status, is_stale),
        "is_collapsed": group.is_collapsed,
        "services": [service.id for service in group.services],
    }


def _status_text(status: Status, is_stale: bool) -> str:
    label = STATUS_LABELS[status]
    return f"Was {label}" if is_stale and status is not Status.UNKNOWN else label


def _performance_as_data(performance: Performance) -> dict[str, Any]:
    response, errors = performance.response_us.mean, performance.errors.mean
    return {
        "cpu_percent": _rounded(performance.cpu.mean),
        "cpu_text": wording.load(performance.cpu.mean),
        "memory_percent": _rounded(performance.memory.mean),
        "memory_text": wording.load(performance.memory.mean),
        "response_time_seconds": None if response is None else round(response / 1_000_000, 6),
        "response_time_text": wording.duration(response),
        "error_percent": _rounded(errors),
        "error_text": wording.error_rate(errors),
    }


def _share(percent: float | None) -> float | None:
    return None if percent is None else wording.floored(percent, 4)


def _day_share(percent: float | None) -> float | None:
    # A whole number is written three times as fast.
    return 100 if percent == 100 else _share(percent)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
