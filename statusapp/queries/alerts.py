"""Alerts and the rules they come from, for operators. Instants are microseconds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from statusapp.domain.enums import AlertKind, Severity
from statusapp.extensions import db
from statusapp.models import Alert, AlertRule, ServiceEndpoint, ServiceGroup


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert. `resolved_at` is None while it is open."""

    id: int
    kind: AlertKind
    subject: str
    name: str
    endpoint_id: int | None
    severity: Severity
    since: int
    fired_at: int
    found: str
    resolved_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None
    note: str | None
    reminders: int
    remind_at: int | None
    is_flapping: bool
    incident_id: int | None


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule; `scope` is the name of its service or group, None for everything."""

    kind: AlertKind
    scope: str | None
    is_of_group: bool
    severity: Severity
    threshold: float | None
    for_s: int
    window_s: int
    least: int
    repeat_s: int
    is_enabled: bool
    is_muted: bool
    muted_until: int | None


@dataclass(frozen=True, slots=True)
class MutedService:
    """A service that nobody is alerted about; `until` is None for good."""

    name: str
    until: int | None


def list_open_alerts() -> list[AlertView]:
    """What is wrong now, the most severe and then the oldest first."""
    chosen = select(Alert).where(Alert.resolved_at.is_(None))
    rows = db.session.scalars(chosen.order_by(Alert.severity.desc(), Alert.fired_at, Alert.id))
    return [_view(row) for row in rows]


def list_alerts(
    limit: int = 100, endpoint_id: int | None = None, before: tuple[int, int] | None = None
) -> list[AlertView]:
    """Alerts, the newest first.

    Args:
        before: `fired_at` and id of the last one of the page before.
    """
    chosen = select(Alert).order_by(Alert.fired_at.desc(), Alert.id.desc()).limit(limit)
    if endpoint_id is not None:
        chosen = chosen.where(Alert.endpoint_id == endpoint_id)
    if before is not None:
        at, last_id = before
        chosen = chosen.where(Alert.fired_at <= at, (Alert.fired_at < at) | (Alert.id < last_id))
    return [_view(row) for row in db.session.scalars(chosen)]


def find_alert(alert_id: int) -> AlertView | None:
    """The alert of this number."""
    row = db.session.get(Alert, alert_id)
    return None if row is None else _view(row)


def list_rules() -> list[RuleView]:
    """All rules by kind: the one for everything, then those of groups and of services."""
    rows = db.session.execute(
        select(AlertRule, ServiceGroup.name, ServiceEndpoint.name)
        .outerjoin(ServiceGroup, ServiceGroup.id == AlertRule.group_id)
        .outerjoin(ServiceEndpoint, ServiceEndpoint.id == AlertRule.endpoint_id)
    )
    found = [_rule(rule, group, service) for rule, group, service in rows]
    return sorted(found, key=lambda rule: (rule.kind, rule.scope is not None, not rule.is_of_group, rule.scope or ""))


def list_muted(now: int) -> list[MutedService]:
    """The services that nobody is alerted about at `now`, by name."""
    # `is_muted` is set in either case; a time that has passed ends it.
    rows = db.session.execute(
        select(ServiceEndpoint.name, ServiceEndpoint.muted_until)
        .where(ServiceEndpoint.is_muted, ServiceEndpoint.muted_until.is_(None) | (ServiceEndpoint.muted_until > now))
        .order_by(ServiceEndpoint.name)
    )
    return [MutedService(name, until) for name, until in rows]


def _view(row: Alert) -> AlertView:
    return AlertView(**{name: getattr(row, name) for name in AlertView.__dataclass_fields__})


def _rule(row: AlertRule, group: str | None, service: str | None) -> RuleView:
    return RuleView(
        kind=row.kind,
        scope=service if row.endpoint_id is not None else group,
        is_of_group=row.group_id is not None,
        severity=row.severity,
        threshold=row.threshold,
        for_s=row.for_s,
        window_s=row.window_s,
        least=row.least,
        repeat_s=row.repeat_s,
        is_enabled=row.is_enabled,
        is_muted=row.is_muted,
        muted_until=row.muted_until,
    )
