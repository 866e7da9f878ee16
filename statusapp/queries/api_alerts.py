"""Alerts, their rules and what was sent, for programs of operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from statusapp.domain.enums import AlertKind, Severity
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import Alert, AlertDelivery, AlertRule, NotificationChannel, ServiceEndpoint, ServiceGroup
from statusapp.queries.alerts import AlertView, find_alert
from statusapp.queries.deliveries import ChannelRow, DeliveryRow, list_channels
from statusapp.queries.paging import Order, Page, Wanted, load_page

ALERT_ORDERS = {
    "fired": Order((Alert.fired_at, Alert.id), (int, int)),
    "severity": Order((Alert.severity, Alert.fired_at, Alert.id), (int, int, int)),
}
DELIVERY_ORDERS = {"created": Order((AlertDelivery.created_at, AlertDelivery.id), (int, int))}
_ALERT_FIELDS = tuple(AlertView.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class RuleItem:
    """A rule: for everything, for a group or for a service."""

    kind: AlertKind
    group_id: int | None
    endpoint_id: int | None
    severity: Severity
    threshold: float | None
    for_s: int
    window_s: int
    least: int
    repeat_s: int
    is_enabled: bool
    is_muted: bool
    muted_until: int | None


_RULE_FIELDS = tuple(RuleItem.__dataclass_fields__)


def page_of_alerts(wanted: Wanted) -> Page[AlertView]:
    """Alerts: one statement. Filters: open, kind, severity, endpoint (an id), and the times since and until."""
    given, statement = wanted.filters, select(Alert)
    if "open" in given:
        is_open = Alert.resolved_at.is_(None)
        statement = statement.where(is_open if given["open"] else ~is_open)
    for name, column in (("kind", Alert.kind), ("severity", Alert.severity), ("endpoint", Alert.endpoint_id)):
        if name in given:
            statement = statement.where(column == given[name])  # type: ignore[attr-defined]
    if "since" in given:
        statement = statement.where(Alert.fired_at >= to_us(given["since"]))
    if "until" in given:
        statement = statement.where(Alert.fired_at < to_us(given["until"]))
    return load_page(
        statement,
        ALERT_ORDERS,
        wanted,
        lambda row: AlertView(**{name: getattr(row.Alert, name) for name in _ALERT_FIELDS}),
    )


def get_alert(alert_id: int) -> AlertView:
    """One alert.

    Raises:
        NotFound: when it is not there.
    """
    found = find_alert(alert_id)
    if found is None:
        raise NotFound("There is no such alert.")
    return found


def list_rule_items() -> list[RuleItem]:
    """All rules by kind: the one for everything, then those of groups and of services."""
    rows = [_rule(row) for row in db.session.scalars(select(AlertRule))]
    return sorted(rows, key=lambda rule: (rule.kind, rule.endpoint_id or 0, rule.group_id or 0))


def find_rule(kind: AlertKind, group_id: int | None, endpoint_id: int | None) -> RuleItem | None:
    """The rule of a kind with exactly this scope."""
    row = db.session.scalars(
        select(AlertRule).where(
            AlertRule.kind == kind,
            AlertRule.group_id.is_not_distinct_from(group_id),
            AlertRule.endpoint_id.is_not_distinct_from(endpoint_id),
        )
    ).first()
    return None if row is None else _rule(row)


def check_scope(group_id: int | None, endpoint_id: int | None) -> None:
    """Make sure that what a rule is for is there.

    Raises:
        NotFound: when it is not.
    """
    if group_id is not None and db.session.get(ServiceGroup, group_id) is None:
        raise NotFound("There is no such group.")
    if endpoint_id is not None and db.session.get(ServiceEndpoint, endpoint_id) is None:
        raise NotFound("There is no such service.")


def page_of_deliveries(wanted: Wanted) -> Page[DeliveryRow]:
    """Messages: one statement. Filters: state, channel and alert (ids), and the times since and until."""
    given, table = wanted.filters, AlertDelivery
    statement: Any = select(table, NotificationChannel.name).join(
        NotificationChannel, NotificationChannel.id == table.channel_id
    )
    for name, column in (("state", table.state), ("channel", table.channel_id), ("alert", table.alert_id)):
        if name in given:
            statement = statement.where(column == given[name])  # type: ignore[attr-defined]
    if "since" in given:
        statement = statement.where(table.created_at >= to_us(given["since"]))
    if "until" in given:
        statement = statement.where(table.created_at < to_us(given["until"]))
    return load_page(statement, DELIVERY_ORDERS, wanted, lambda row: _delivery(row.AlertDelivery, row.name))


def get_channel(channel_id: int) -> ChannelRow:
    """One channel and where it stands.

    Raises:
        NotFound: when it is not there.
    """
    for channel in list_channels():
        if channel.id == channel_id:
            return channel
    raise NotFound("There is no such channel.")


def _rule(row: AlertRule) -> RuleItem:
    return RuleItem(**{name: getattr(row, name) for name in _RULE_FIELDS})


def _delivery(row: AlertDelivery, channel: str) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        channel=channel,
        alert_id=row.alert_id,
        transition=row.transition,
        severity=row.severity,
        name=str(row.data.get("name") or row.key),
        key=row.key,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        attempted_at=row.attempted_at,
        sent_at=row.sent_at,
        answer=row.answer,
        batch=row.batch,
    )
