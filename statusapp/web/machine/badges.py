"""What badges say. The colour repeats what the words tell, and white text can be read on each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from statusapp.domain.enums import Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.page_settings import load_page_settings
from statusapp.queries.public_figures import (
    load_overall_response,
    load_overall_uptime,
    load_service_response,
    load_service_uptime,
)
from statusapp.queries.public_services import PublicService, find_public_service
from statusapp.queries.status_page import load_status_page
from statusapp.web import wording
from statusapp.web.machine.statuspage import known_status
from statusapp.web.machine.texts import one_line

LONGEST_LABEL = 50
NO_DATA = "no data"

STATUS_COLORS = {
    Status.OPERATIONAL: "#15803d",
    Status.DEGRADED: "#a16207",
    Status.PARTIAL_OUTAGE: "#c2410c",
    Status.MAJOR_OUTAGE: "#b91c1c",
    Status.MAINTENANCE: "#334155",
    Status.UNKNOWN: "#6b7280",
}
NEUTRAL, UNKNOWN = "#1d4ed8", STATUS_COLORS[Status.UNKNOWN]
# From which uptime on a badge has the colour of a status.
_UPTIME_COLORS = ((99.9, Status.OPERATIONAL), (99.0, Status.DEGRADED), (95.0, Status.PARTIAL_OUTAGE))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which badge is wanted: of one service or of all together, over a span, as of an instant."""

    endpoint_id: int | None
    span: str
    now: datetime
    partial_weight: float


@dataclass(frozen=True, slots=True)
class Badge:
    """The two texts of a badge and the colour of the second one, "#rrggbb"."""

    label: str
    message: str
    color: str


def status_badge(asked: Asked) -> Badge | None:
    """How it is; None when there is no such public service."""
    page = load_status_page(asked.now, asked.partial_weight, with_days=False)
    if asked.endpoint_id is None:
        return Badge("status", page.headline, STATUS_COLORS[page.overall])
    for service in page.services:
        if service.id == asked.endpoint_id:
            status = known_status(service, page)
            return Badge(_label(service.name), STATUS_LABELS[status], STATUS_COLORS[status])
    return None


def uptime_badge(asked: Asked) -> Badge | None:
    """The uptime; None when there is no such public service, or the page shows no uptime."""
    if not load_page_settings().shows_uptime:
        return None
    percent = None
    service = _find(asked)
    if service is not None:
        percent = load_service_uptime(service.id, asked.span, asked.now, asked.partial_weight)
    elif asked.endpoint_id is None:
        percent = load_overall_uptime(asked.span, asked.now, asked.partial_weight)
    else:
        return None
    message = NO_DATA if percent is None else wording.uptime(percent)
    return Badge(_label_of("uptime", service, asked.span), message, _uptime_color(percent))


def response_badge(asked: Asked) -> Badge | None:
    """The mean response time; None when there is no such public service, or the page shows no response times."""
    if not load_page_settings().shows_response_times:
        return None
    mean_us = None
    service = _find(asked)
    if service is not None:
        mean_us = load_service_response(service.id, asked.span, asked.now) if service.is_timed else None
    elif asked.endpoint_id is None:
        mean_us = load_overall_response(asked.span, asked.now)
    else:
        return None
    message = NO_DATA if mean_us is None else wording.duration(mean_us)
    return Badge(_label_of("response time", service, asked.span), message, UNKNOWN if mean_us is None else NEUTRAL)


BADGES = {"status": status_badge, "uptime": uptime_badge, "response-time": response_badge}


def _find(asked: Asked) -> PublicService | None:
    return None if asked.endpoint_id is None else find_public_service(asked.endpoint_id, asked.now)


def _label_of(what: str, service: PublicService | None, span: str) -> str:
    return f"{what} {span}" if service is None else f"{_label(service.name)} {what} {span}"


def _label(name: str) -> str:
    return one_line(name, LONGEST_LABEL)


def _uptime_color(percent: float | None) -> str:
    if percent is None:
        return UNKNOWN
    worst = STATUS_COLORS[Status.MAJOR_OUTAGE]
    return next((STATUS_COLORS[status] for least, status in _UPTIME_COLORS if percent >= least), worst)
