"""What a Prometheus scrapes: where services stand now, and how the monitor does. A fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import RedisError
from sqlalchemy import and_, case, func, select

from statusapp.domain.enums import DeliveryState, Outcome, Severity, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db, redis_connection
from statusapp.models import Alert, AlertDelivery, EndpointState, HealthCheck, ServiceEndpoint, ServiceGroup
from statusapp.models.check import HERE

RECENT = timedelta(minutes=5)
# Where RQ keeps the jobs that wait.
QUEUE_KEYS = {name: f"rq:queue:{name}" for name in ("checks", "housekeeping")}
PHASES = ("dns", "connect", "tls", "wait", "transfer")


@dataclass(frozen=True, slots=True)
class EndpointFigures:
    """Where a service stands and how its last check went. Durations and instants are microseconds."""

    id: int
    name: str
    group: str
    status: Status
    last_checked_at: int | None
    total_us: int | None
    phases_us: dict[str, int]
    certificate_expires_at: int | None


@dataclass(frozen=True, slots=True)
class MonitorFigures:
    """How the monitor does: seconds by which the oldest check is overdue, jobs that wait by queue (None while Redis is
    away), checks of the last five minutes by outcome."""

    lag_s: float
    queues: dict[str, int] | None
    checks: dict[Outcome, int]


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """Open alerts by severity, alerts ever, messages of the last day by state."""

    is_open: dict[Severity, int]
    ever: int
    deliveries: dict[DeliveryState, int]


def list_endpoint_figures(now: datetime, *, with_private: bool) -> list[EndpointFigures]:
    """The services that are not paused, by id."""
    endpoint, state, check, here = ServiceEndpoint, EndpointState, HealthCheck, to_us(now)
    last = and_(check.endpoint_id == state.endpoint_id, check.location == HERE, check.slot == state.last_slot)
    is_known = state.silent_after.is_(None) | (state.silent_after >= here)
    statement: Any = (
        select(
            endpoint.id,
            endpoint.name,
            endpoint.url,
            ServiceGroup.name.label("group"),
            case((is_known, state.status), else_=int(Status.UNKNOWN)).label("shown"),
            state.last_checked_at,
            state.last_total_us,
            state.certificate_expires_at,
            *(getattr(check, f"{phase}_us") for phase in PHASES),
        )
        .join(state, state.endpoint_id == endpoint.id)
        .outerjoin(check, last)
        .outerjoin(ServiceGroup, ServiceGroup.id == endpoint.group_id)
        .where(endpoint.is_enabled)
        .order_by(endpoint.id)
    )
    if not with_private:
        statement = statement.where(endpoint.is_public)
    return [_figures(row) for row in db.session.execute(statement)]


def load_monitor_figures(now: datetime) -> MonitorFigures:
    """How the monitor does."""
    oldest = db.session.scalar(select(func.min(EndpointState.due_at)))
    here = to_us(now)
    checks = dict.fromkeys(Outcome, 0)
    rows = db.session.execute(
        select(HealthCheck.outcome, func.count())
        # By way of the services, so that each is looked up by the key of the checks.
        .select_from(EndpointState)
        .join(HealthCheck, HealthCheck.endpoint_id == EndpointState.endpoint_id)
        .where(HealthCheck.location == HERE, HealthCheck.slot >= here - _us(RECENT), HealthCheck.slot <= here)
        .group_by(HealthCheck.outcome)
    )
    checks |= {outcome: count for outcome, count in rows}  # noqa: C416 (they are rows)
    lag_s = 0.0 if oldest is None else max((here - oldest) / SECOND, 0.0)
    return MonitorFigures(lag_s, _queues(), checks)


def load_alert_figures(now: datetime) -> AlertFigures:
    """How many alerts and messages there are."""
    rows = db.session.execute(
        select(Alert.severity, func.count()).where(Alert.resolved_at.is_(None)).group_by(Alert.severity)
    )
    is_open = dict.fromkeys(Severity, 0) | {severity: count for severity, count in rows}  # noqa: C416
    sent = db.session.execute(
        select(AlertDelivery.state, func.count())
        .where(AlertDelivery.created_at >= to_us(now - timedelta(days=1)))
        .group_by(AlertDelivery.state)
    )
    deliveries = dict.fromkeys(DeliveryState, 0) | {state: count for state, count in sent}  # noqa: C416
    return AlertFigures(is_open, db.session.scalar(select(func.max(Alert.id))) or 0, deliveries)


def _figures(row: Any) -> EndpointFigures:
    phases = {phase: getattr(row, f"{phase}_us") for phase in PHASES}
    return EndpointFigures(
        id=row.id,
        name=row.name,
        group=row.group or "",
        status=Status(row.shown),
        last_checked_at=row.last_checked_at,
        total_us=None if row.url == HEARTBEAT else row.last_total_us,
        phases_us={phase: value for phase, value in phases.items() if value is not None},
        certificate_expires_at=row.certificate_expires_at,
    )


def _queues() -> dict[str, int] | None:
    try:
        client = redis_connection()
        return {name: int(client.llen(key)) for name, key in QUEUE_KEYS.items()}
    except (RedisError, OSError, ValueError):
        return None


def _us(length: timedelta) -> int:
    return int(length.total_seconds() * SECOND)
