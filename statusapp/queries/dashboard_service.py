"""All there is to know of one service, for operators. Every function takes the same statements whatever its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import and_, or_, select

from statusapp.domain.enums import CheckKind, ErrorKind, Impact, IncidentStatus, Outcome, Rule, Status
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import (
    CheckDetail,
    EndpointState,
    HealthCheck,
    Incident,
    IncidentEndpoint,
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceWindow,
    ServiceEndpoint,
    ServiceGroup,
    StatusChangeRow,
)
from statusapp.models.check import HERE
from statusapp.queries.dashboard import status_now

LAST_CHECKS = 20


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A service, where it stands and what put it there. Limits are in the units of their names; instants are aware."""

    id: int
    name: str
    description: str
    method: str
    url: str
    group: str | None
    is_enabled: bool
    is_public: bool
    is_muted: bool
    muted_until: datetime | None
    interval_s: int
    timeout_ms: int
    retries: int
    successes_to_confirm: int
    slow_ms: int | None
    status: Status
    since: datetime
    rule: Rule | None
    reason: str | None
    failures: int
    successes: int
    last_checked_at: datetime | None
    last_total_us: int | None
    next_check_at: datetime | None
    is_being_checked: bool
    certificate_expires_at: datetime | None
    maintenance_until: datetime | None

    @property
    def is_http(self) -> bool:
        """Whether it is asked by HTTP, with a method."""
        return self.url.lower().startswith("http")

    @property
    def is_timed(self) -> bool:
        """Whether its checks have a response time: a heartbeat's have none."""
        return self.url != HEARTBEAT


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check with its phases in microseconds, and what the probe has left: conditions, certificate, records."""

    slot: int
    kind: CheckKind
    outcome: Outcome
    error_kind: ErrorKind
    error: str | None
    status_code: int | None
    late_us: int
    dns_us: int | None
    connect_us: int | None
    tls_us: int | None
    wait_us: int | None
    transfer_us: int | None
    total_us: int
    size: int | None
    peer: str | None
    detail: Mapping[str, Any]

    @property
    def due_at(self) -> datetime:
        """When it was due."""
        return from_us(self.slot)


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident that a service is part of."""

    id: int
    title: str
    status: IncidentStatus
    impact: Impact
    is_public: bool
    started_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class MaintenanceLine:
    """An occurrence of maintenance that a service is part of. `started_at` is None until it begins."""

    title: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    is_over: bool
    is_cancelled: bool


def get_service(endpoint_id: int, now: datetime) -> ServiceFile:
    """One service: one statement.

    Raises:
        NotFound: when it is not there, or not any more.
    """
    change = StatusChangeRow
    is_current = and_(change.endpoint_id == ServiceEndpoint.id, change.ended_at.is_(None), change.superseded.is_(False))
    row = db.session.execute(
        select(ServiceEndpoint, EndpointState, change.rule, change.reason, ServiceGroup.name, status_now(to_us(now)))
        .join(EndpointState, EndpointState.endpoint_id == ServiceEndpoint.id)
        .outerjoin(change, is_current)
        .outerjoin(ServiceGroup, ServiceGroup.id == ServiceEndpoint.group_id)
        .where(ServiceEndpoint.id == endpoint_id)
    ).first()
    if row is None:
        raise NotFound("There is no such service, or not any more.")
    return _file(row, to_us(now))


def list_last_checks(endpoint_id: int, limit: int = LAST_CHECKS) -> list[CheckView]:
    """The newest checks of a service: one statement along its key."""
    check, detail = HealthCheck, CheckDetail
    same = and_(detail.endpoint_id == check.endpoint_id, detail.location == check.location, detail.slot == check.slot)
    rows = db.session.execute(
        select(check, detail.error, detail.data)
        .outerjoin(detail, same)
        .where(check.endpoint_id == endpoint_id, check.location == HERE)
        .order_by(check.slot.desc())
        .limit(limit)
    )
    return [_check(*row) for row in rows]


def list_incidents_of(endpoint_id: int, limit: int = 10) -> list[IncidentLine]:
    """The newest incidents that a service is part of, drafts as well."""
    table = Incident
    rows = db.session.scalars(
        select(table)
        .join(IncidentEndpoint, IncidentEndpoint.incident_id == table.id)
        .where(IncidentEndpoint.endpoint_id == endpoint_id)
        .order_by(table.started_at.desc(), table.id.desc())
        .limit(limit)
    )
    return [
        IncidentLine(
            row.id,
            row.title,
            row.status,
            row.impact if row.impact_override is None else row.impact_override,
            row.is_public,
            from_us(row.started_at),
            _moment(row.resolved_at),
        )
        for row in rows
    ]


def list_maintenance_of(endpoint_id: int, limit: int = 5) -> list[MaintenanceLine]:
    """The newest occurrences of maintenance that a service is part of, announced ones as well."""
    table, window, target = MaintenanceOccurrence, MaintenanceWindow, MaintenanceTarget
    group_id = select(ServiceEndpoint.group_id).where(ServiceEndpoint.id == endpoint_id).scalar_subquery()
    is_target = (
        select(target.id)
        .where(target.window_id == window.id, or_(target.endpoint_id == endpoint_id, target.group_id == group_id))
        .exists()
    )
    rows = db.session.execute(
        select(table, window.title)
        .join(window, window.id == table.window_id)
        .where(or_(window.covers_all, is_target))
        .order_by(table.starts_at.desc())
        .limit(limit)
    )
    return [
        MaintenanceLine(
            title,
            from_us(row.starts_at),
            from_us(row.ends_at),
            _moment(row.started_at),
            row.ended_at is not None,
            row.cancelled_at is not None,
        )
        for row, title in rows
    ]


def _file(row: Any, now: int) -> ServiceFile:
    endpoint, state, rule, reason, group, status = row
    is_silent = status == Status.UNKNOWN and state.status is not Status.UNKNOWN and endpoint.is_enabled
    due = [instant for instant in (state.next_check_at, state.extra_at) if instant is not None]
    is_muted = endpoint.is_muted and (endpoint.muted_until is None or endpoint.muted_until > now)
    own = {
        name: getattr(endpoint, name)
        for name in (
            "id", "name", "description", "method", "url", "is_enabled", "is_public", "interval_s", "timeout_ms",
            "retries", "successes_to_confirm", "slow_ms",
        )
    }  # fmt: skip
    return ServiceFile(
        **own,
        group=group,
        is_muted=is_muted,
        muted_until=_moment(endpoint.muted_until) if is_muted else None,
        status=Status.UNKNOWN if is_silent else state.status,
        since=from_us(state.silent_after if is_silent and state.silent_after else state.status_since),
        rule=Rule.NOT_CHECKED if is_silent else rule,
        reason=None if is_silent else reason,
        failures=state.failures,
        successes=state.successes,
        last_checked_at=_moment(state.last_checked_at),
        last_total_us=state.last_total_us,
        next_check_at=from_us(min(due)) if due and endpoint.is_enabled else None,
        is_being_checked=state.claimed_slot is not None,
        certificate_expires_at=_moment(state.certificate_expires_at),
        maintenance_until=_moment(state.maintenance_until),
    )


def _check(row: HealthCheck, error: str | None, data: dict[str, Any] | None) -> CheckView:
    same = {
        name: getattr(row, name)
        for name in (
            "slot", "kind", "outcome", "error_kind", "status_code", "late_us", "dns_us", "connect_us", "tls_us",
            "wait_us", "transfer_us", "total_us", "size",
        )
    }  # fmt: skip
    peer = None if row.peer is None else str(ip_address(bytes(row.peer)))
    return CheckView(**same, error=error, peer=peer, detail=data or {})


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else from_us(instant)
