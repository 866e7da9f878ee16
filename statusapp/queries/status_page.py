"""What the public page shows, in a fixed number of statements that read states, the ledger's last day and sums.

Nothing here is proportional to history, and nothing needs Redis or the write lock: the page is there when others fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, cast

from sqlalchemy import select

from statusapp.domain.enums import Status
from statusapp.domain.instants import MILLISECOND, SECOND, from_us, to_us
from statusapp.domain.overall import headline, worst
from statusapp.domain.strips import Day
from statusapp.domain.uptime import time_together, uptime_percent
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import (
    EndpointState,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.queries.dependencies import load_affected
from statusapp.queries.endpoints import PAGE_ORDER
from statusapp.queries.page_settings import PageSettings, load_page_settings
from statusapp.queries.performance import Performance, hour_edges, load_performance
from statusapp.queries.public_events import PublicEvents, load_public_events
from statusapp.queries.uptime import Strips, load_rolling, load_strips

# How long after it was due the newest check may be missing before the page says so. A killed worker is made up for
# within 30 s, of which the check's own interval and timeout are not a part.
STALE_GRACE_US = 15 * SECOND
STALE_HEADLINE = "Monitoring Is Behind"

# Put together once: with so many columns that takes longer than the answer.
_ROWS: Any = (
    select(
        ServiceEndpoint.id,
        ServiceEndpoint.name,
        ServiceEndpoint.description,
        ServiceEndpoint.interval_s,
        ServiceEndpoint.timeout_ms,
        ServiceEndpoint.created_at,
        EndpointState.status,
        EndpointState.status_since,
        EndpointState.silent_after,
        EndpointState.last_checked_at,
        EndpointState.last_total_us,
        ServiceEndpoint.url,
        ServiceEndpoint.shows_url,
        ServiceEndpoint.group_id,
        ServiceGroup.name,
        ServiceGroup.is_collapsed,
    )
    .join(EndpointState, EndpointState.endpoint_id == ServiceEndpoint.id)
    .outerjoin(ServiceGroup, ServiceGroup.id == ServiceEndpoint.group_id)
    .where(ServiceEndpoint.is_enabled, ServiceEndpoint.is_public)
    .order_by(*PAGE_ORDER)
)


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the page. `uptime_24h` is a percentage; None where nothing is known.

    `days` are those of the page, or none when it was loaded without them. `affected_by` names the services that it
    depends on and that are down; `url` is there when the operator shows it.
    """

    id: int
    name: str
    description: str
    status: Status
    since: datetime
    uptime_24h: float | None
    response_time_us: int | None
    last_checked_at: datetime | None
    url: str | None
    affected_by: tuple[str, ...]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Services under one heading; `id` and `name` are None for those that have none. Its status is their worst."""

    id: int | None
    name: str | None
    is_collapsed: bool
    services: tuple[Service, ...]

    @property
    def status(self) -> Status:
        """What its members amount to."""
        return worst([service.status for service in self.services])


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Everything on the page that its settings let it show. It is stale while no check is as fresh as the newest one
    should be. `uptime_by_hour` goes with the hours of `performance`; both are empty where metrics are not shown.
    """

    settings: PageSettings
    groups: tuple[Group, ...]
    performance: Performance
    updated_at: datetime | None
    is_stale: bool
    now: datetime
    days: tuple[date, ...]
    partial_weight: float
    events: PublicEvents
    uptime_by_hour: tuple[float | None, ...] = ()

    @property
    def services(self) -> tuple[Service, ...]:
        """All services, in the order of the page."""
        return tuple(service for group in self.groups for service in group.services)

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The status of each service."""
        return tuple(service.status for service in self.services)

    @property
    def overall(self) -> Status:
        """The worst status; unknown while the data is too old to be believed."""
        return Status.UNKNOWN if self.is_stale else worst(self.statuses)

    @property
    def headline(self) -> str:
        """One sentence for everything."""
        return STALE_HEADLINE if self.is_stale else headline(self.statuses)

    @property
    def operational_count(self) -> int:
        """How many services are operational."""
        return self.statuses.count(Status.OPERATIONAL)


@dataclass(frozen=True, slots=True)
class _Row:
    """A monitored service as the database has it."""

    id: int
    name: str
    description: str
    interval_s: int
    timeout_ms: int
    created_at: datetime
    status: Status
    status_since: int
    silent_after: int | None
    last_checked_at: int | None
    last_total_us: int | None
    url: str
    shows_url: bool
    group_id: int | None
    group_name: str | None
    is_collapsed: bool | None


@dataclass(frozen=True, slots=True)
class _Page:
    """What all rows are made with; `now` in microseconds."""

    settings: PageSettings
    strips: Strips
    partial_weight: float
    now: int


def load_status_page(
    now: datetime, partial_weight: float, *, with_days: bool = True, settings: PageSettings | None = None
) -> StatusPage:
    """The page as of `now`: a fixed number of statements, however long the history and however many the services.

    Args:
        partial_weight: what a second of a partial outage costs of the uptime, 0 to 1.
        with_days: whether the last days of each service are wanted, incidents, maintenance and performance.
        settings: others than those in effect. The days are cut in the zone of those.
    """
    settings = settings or load_page_settings()
    rows = _load_rows()
    strips = load_strips(now) if with_days else Strips((), {}, load_rolling(now))
    with_metrics = with_days and settings.shows_metrics
    affected = load_affected(with_private=False)
    page = _Page(settings, strips, partial_weight, to_us(now))
    groups = tuple(
        Group(
            key,
            members[0].group_name,
            bool(members[0].is_collapsed),
            tuple(_service(row, page, affected.get(row.id, ())) for row in members),
        )
        for key, members in ((key, list(found)) for key, found in groupby(rows, lambda row: row.group_id))
    )
    checked = [row.last_checked_at for row in rows if row.last_checked_at is not None]
    return StatusPage(
        settings=settings,
        groups=groups,
        performance=load_performance(now) if with_metrics else Performance(),
        updated_at=from_us(max(checked)) if checked else None,
        is_stale=_is_stale(rows, to_us(now)),
        now=now,
        days=strips.days[-settings.history_days :] if settings.shows_uptime else (),
        partial_weight=partial_weight,
        events=_load_events(now, settings) if with_days else PublicEvents(),
        uptime_by_hour=_uptime_by_hour(rows, page) if with_metrics and settings.shows_uptime else (),
    )


def _load_events(now: datetime, settings: PageSettings) -> PublicEvents:
    return load_public_events(now, settings.zone, with_incidents=settings.shows_incidents)


def _load_rows() -> list[_Row]:
    """The public services that are not paused, in their order on the page: those without a group come first."""
    return [_Row(*cast("tuple[Any, ...]", row)) for row in db.session.execute(_ROWS)]


def _uptime_by_hour(rows: list[_Row], page: _Page) -> tuple[float | None, ...]:
    """The uptime of all services together in each hour."""
    ledger = page.strips.ledger
    spent = time_together((ledger[row.id] for row in rows if row.id in ledger), hour_edges(from_us(page.now)))
    return tuple(uptime_percent(hour, page.partial_weight) for hour in spent)


def _service(row: _Row, page: _Page, affected_by: tuple[str, ...]) -> Service:
    settings, strips, now = page.settings, page.strips, page.now
    status, since = row.status, row.status_since
    if row.silent_after is not None and now > row.silent_after and status is not Status.UNKNOWN:
        # Nothing has been known since the last check, whatever the row still says.
        status, since = Status.UNKNOWN, max(row.last_checked_at or since, since)
    return Service(
        id=row.id,
        name=row.name,
        description=row.description,
        status=status,
        since=from_us(since),
        uptime_24h=uptime_percent(strips.rolling.get(row.id, {}), page.partial_weight)
        if settings.shows_uptime
        else None,
        response_time_us=row.last_total_us if settings.shows_response_times and row.url != HEARTBEAT else None,
        last_checked_at=None if row.last_checked_at is None else from_us(row.last_checked_at),
        url=row.url if row.shows_url else None,
        affected_by=affected_by,
        days=strips.of_service(row.id)[-settings.history_days :] if settings.shows_uptime else (),
    )


def _is_stale(rows: list[_Row], now: int) -> bool:
    """Whether even the service that is checked most often has waited too long for its check.

    A heartbeat that has not come for the first time is looked at without a result, so it says nothing.
    """
    rows = [row for row in rows if row.url != HEARTBEAT or row.last_checked_at is not None]
    if not rows:
        return False
    newest = max((row.last_checked_at for row in rows if row.last_checked_at is not None), default=None)
    if newest is None:
        newest = max(to_us(row.created_at) for row in rows)
    longest_gap = min(row.interval_s * SECOND + row.timeout_ms * MILLISECOND for row in rows)
    return now - newest > longest_gap + STALE_GRACE_US
