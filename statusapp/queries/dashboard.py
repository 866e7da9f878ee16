"""What the operator's dashboard shows of the services: how many do how well, and a card for the worst of them.

Nothing here is proportional to history, and each function takes the same number of statements however many services
there are: states, hours that are summed up, and the checks of the last five minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, func, literal, select, type_coerce

from statusapp.domain.blocks import HOUR_S
from statusapp.domain.enums import AlertKind, Status
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    EndpointState,
    HealthCheck,
    LatencyRollup,
    NotificationChannel,
    ServiceEndpoint,
    ServiceGroup,
    StatusPageSettings,
)
from statusapp.models.check import HERE
from statusapp.queries.endpoints import PAGE_ORDER
from statusapp.queries.page_settings import load_page_settings
from statusapp.queries.performance import hour_edges

# More cards than a person looks through help nobody; the list of services has all of them.
MOST_CARDS = 60
RATE_SPAN_S = 300
# What stands first on the dashboard.
_ORDER = (
    Status.MAJOR_OUTAGE,
    Status.PARTIAL_OUTAGE,
    Status.UNKNOWN,
    Status.DEGRADED,
    Status.MAINTENANCE,
    Status.OPERATIONAL,
)
# A page of which none of these was changed has not been styled by anybody.
_STYLED = ("title", "description", "logo", "theme", "primary_color", "success_color", "warning_color", "danger_color")


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """How many services are in each status, how many are paused, and how many checks a minute are made of late."""

    by_status: Mapping[Status, int]
    paused: int
    checks_per_minute: float

    @property
    def watched(self) -> int:
        """How many services are not paused."""
        return sum(self.by_status.values())

    @property
    def up(self) -> int:
        """How many of them answer, be it slowly."""
        return self.by_status.get(Status.OPERATIONAL, 0) + self.by_status.get(Status.DEGRADED, 0)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service and its last 24 hours: mean response times in microseconds and failures, None and 0 for no checks."""

    id: int
    name: str
    group: str | None
    status: Status
    since: datetime
    is_enabled: bool
    is_public: bool
    last_total_us: int | None
    response_us: tuple[float | None, ...]
    failures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What a new installation has been given already."""

    has_service: bool
    has_channel: bool
    is_styled: bool

    @property
    def are_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.has_service and self.has_channel and self.is_styled


def status_now(now: int) -> ColumnElement[Any]:
    """The status of a service at `now`: one that should have been checked and was not is unknown."""
    silent = and_(EndpointState.silent_after.is_not(None), EndpointState.silent_after < now)
    return case((silent, literal(int(Status.UNKNOWN), Integer)), else_=type_coerce(EndpointState.status, Integer))


def load_service_figures(now: datetime) -> ServiceFigures:
    """The figures of all services: two statements."""
    at = to_us(now)
    found = select(ServiceEndpoint.is_enabled, status_now(at).label("status")).join(EndpointState).subquery()
    rows = db.session.execute(
        select(found.c.is_enabled, found.c.status, func.count()).group_by(found.c.is_enabled, found.c.status)
    ).all()
    by_status: dict[Status, int] = {}
    for is_enabled, status, count in rows:
        if is_enabled:
            by_status[Status(status)] = int(count)
    # Not a join: through the list each service's newest checks are found by their key.
    made = db.session.scalar(
        select(func.count())
        .select_from(HealthCheck)
        .where(
            HealthCheck.endpoint_id.in_(select(ServiceEndpoint.id).where(ServiceEndpoint.is_enabled)),
            HealthCheck.location == HERE,
            HealthCheck.slot >= at - RATE_SPAN_S * SECOND,
            HealthCheck.slot < at,
        )
    )
    paused = sum(int(count) for is_enabled, _, count in rows if not is_enabled)
    return ServiceFigures(by_status, paused, (made or 0) * 60 / RATE_SPAN_S)


def count_quietly_down(now: datetime) -> int:
    """How many services are down and have no open alert that says so: one statement."""
    told = select(Alert.endpoint_id).where(
        Alert.resolved_at.is_(None),
        Alert.endpoint_id.is_not(None),
        Alert.kind.in_((AlertKind.DOWN, AlertKind.HEARTBEAT_LATE)),
    )
    found = db.session.scalar(
        select(func.count())
        .select_from(ServiceEndpoint)
        .join(EndpointState)
        .where(
            ServiceEndpoint.is_enabled,
            status_now(to_us(now)).in_((int(Status.MAJOR_OUTAGE), int(Status.PARTIAL_OUTAGE))),
            ServiceEndpoint.id.not_in(told),
        )
    )
    return found or 0


def list_cards(now: datetime, limit: int = MOST_CARDS) -> list[ServiceCard]:
    """Cards of at most so many services, what is down first and what is paused last: two statements."""
    endpoint, state = ServiceEndpoint, EndpointState
    found = status_now(to_us(now))
    rank = case({int(status): place for place, status in enumerate(_ORDER)}, value=found, else_=len(_ORDER))
    rows = db.session.execute(
        select(
            endpoint.id,
            endpoint.name,
            ServiceGroup.name.label("group"),
            found.label("status"),
            state.status_since,
            endpoint.is_enabled,
            endpoint.is_public,
            state.last_total_us,
        )
        .join(state, state.endpoint_id == endpoint.id)
        .outerjoin(ServiceGroup, ServiceGroup.id == endpoint.group_id)
        .order_by(endpoint.is_enabled.desc(), rank, *PAGE_ORDER)
        .limit(limit)
    ).all()
    edges = hour_edges(now)
    hours = _load_hours([row.id for row in rows], edges)
    return [_card(row, hours, edges) for row in rows]


def load_first_steps() -> FirstSteps:
    """How far the first steps are: two statements."""
    has_service, has_channel = db.session.execute(
        select(select(ServiceEndpoint.id).exists(), select(NotificationChannel.id).exists())
    ).one()
    settings = load_page_settings()
    columns = StatusPageSettings.__table__.c
    is_styled = any(getattr(settings, name) != columns[name].default.arg for name in _STYLED)
    return FirstSteps(bool(has_service), bool(has_channel), is_styled)


def _load_hours(ids: Sequence[int], edges: Sequence[int]) -> dict[tuple[int, int], tuple[int, int, int]]:
    """How many checks each service had in each hour, how many failed, and how long the others took together."""
    rollup = LatencyRollup
    rows = db.session.execute(
        select(rollup.endpoint_id, rollup.start, rollup.count, rollup.failures, rollup.sum_us).where(
            rollup.endpoint_id.in_(ids),
            rollup.step_s == HOUR_S,
            rollup.start >= edges[0],
            rollup.start < edges[-1],
        )
    )
    return {(key, start): (count, failures, sum_us) for key, start, count, failures, sum_us in rows}


def _card(row: Any, hours: Mapping[tuple[int, int], tuple[int, int, int]], edges: Sequence[int]) -> ServiceCard:
    found = [hours.get((row.id, edge), (0, 0, 0)) for edge in edges[:-1]]
    return ServiceCard(
        id=row.id,
        name=row.name,
        group=row.group,
        status=Status(row.status),
        since=from_us(row.status_since),
        is_enabled=row.is_enabled,
        is_public=row.is_public,
        last_total_us=row.last_total_us,
        response_us=tuple(
            sum_us / (count - failures) if count > failures else None for count, failures, sum_us in found
        ),
        failures=tuple(failures for _, failures, _ in found),
    )
