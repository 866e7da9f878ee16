"""Rules in a list, and one for a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select

from statusapp.domain.enums import AlertKind, Severity
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import AlertRule, ServiceEndpoint, ServiceGroup
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

_SCOPE = func.lower(func.coalesce(ServiceEndpoint.name, ServiceGroup.name, ""))
_RANK = case((AlertRule.endpoint_id.is_not(None), 2), (AlertRule.group_id.is_not(None), 1), else_=0)
ORDERS = {
    "rule": Order((AlertRule.kind, _RANK, _SCOPE, AlertRule.id), (int, int, str, int)),
    "severity": Order((AlertRule.severity, AlertRule.kind, AlertRule.id), (int, int, int)),
}


@dataclass(frozen=True, slots=True)
class RuleItem:
    """A rule. `scope` is the name of its group or service, None for everything; the figures are as in `RuleValues`."""

    id: int
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


def page_of_rules(wanted: Wanted, now: datetime) -> Page[RuleItem]:
    """Rules: one statement. Filters: kind, scope ("everything", "group" or "service") and state ("on", "off" or
    "muted")."""
    given, rule = wanted.filters, AlertRule
    statement = _statement()
    is_muted = rule.is_muted & or_(rule.muted_until.is_(None), rule.muted_until > to_us(now))
    if wanted.search:
        statement = statement.where(_SCOPE.like(containing(wanted.search.lower()), escape="\\"))
    if "kind" in given:
        statement = statement.where(rule.kind == given["kind"])
    if "scope" in given:
        statement = statement.where(_RANK.in_([("everything", "group", "service").index(given["scope"])]))
    if "state" in given:
        states = {"on": rule.is_enabled & ~is_muted, "off": ~rule.is_enabled, "muted": is_muted}
        statement = statement.where(states[given["state"]])
    return load_page(statement, ORDERS, wanted, lambda row: _item(row, to_us(now)))


def get_rule(rule_id: int, now: datetime) -> RuleItem:
    """One rule.

    Raises:
        NotFound: when it is not there.
    """
    row = db.session.execute(_statement().where(AlertRule.id == rule_id)).first()
    if row is None:
        raise NotFound("There is no such rule, or not any more.")
    return _item(row, to_us(now))


def find_rule_id(kind: AlertKind, group_id: int | None, endpoint_id: int | None) -> int | None:
    """The number of a rule; None where there is none."""
    return db.session.scalar(
        select(AlertRule.id).where(
            AlertRule.kind == kind,
            AlertRule.group_id.is_not_distinct_from(group_id),
            AlertRule.endpoint_id.is_not_distinct_from(endpoint_id),
        )
    )


def _statement() -> Any:
    return (
        select(AlertRule, ServiceGroup.name.label("group_name"), ServiceEndpoint.name.label("endpoint_name"))
        .outerjoin(ServiceGroup, ServiceGroup.id == AlertRule.group_id)
        .outerjoin(ServiceEndpoint, ServiceEndpoint.id == AlertRule.endpoint_id)
    )


def _item(row: Any, now: int) -> RuleItem:
    rule = row.AlertRule
    return RuleItem(
        id=rule.id,
        kind=rule.kind,
        scope=row.endpoint_name if rule.endpoint_id is not None else row.group_name,
        is_of_group=rule.group_id is not None,
        severity=rule.severity,
        threshold=rule.threshold,
        for_s=rule.for_s,
        window_s=rule.window_s,
        least=rule.least,
        repeat_s=rule.repeat_s,
        is_enabled=rule.is_enabled,
        is_muted=rule.is_muted and (rule.muted_until is None or rule.muted_until > now),
        muted_until=rule.muted_until,
    )
