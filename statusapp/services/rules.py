"""The rules in effect: defaults that are made once, what operators change of them, and what is muted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.alert_rules import DEFAULTS, RuleValues, narrowest
from statusapp.domain.enums import AlertKind, AuditAction, AuditKind, Severity
from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import AlertRule, ServiceEndpoint, ServiceGroup
from statusapp.services import audit

_RULES = text("SELECT kind, group_id, endpoint_id, severity, threshold, for_s, window_s, least, repeat_s, is_enabled, "
              "is_muted, muted_until FROM alert_rule")  # fmt: skip
FIELDS = ("severity", "threshold", "for_s", "window_s", "least", "repeat_s", "is_enabled")
MUTES = ("is_muted", "muted_until")


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules as they are at one instant."""

    by_kind: dict[AlertKind, list[tuple[RuleValues, int | None, int | None]]]

    def of(self, kind: AlertKind, endpoint_id: int = -1, group_id: int | None = None) -> RuleValues:
        """The rule of a kind for a service, or without one the rule for everything."""
        return narrowest(self.by_kind[kind], endpoint_id, group_id)


def ensure_defaults() -> int:
    """Make the rules for everything that are missing; how many those were."""
    with write_transaction(db.session) as session:
        known = set(
            session.scalars(select(AlertRule.kind).where(AlertRule.group_id.is_(None), AlertRule.endpoint_id.is_(None)))
        )
        missing = [values for values in DEFAULTS if values.kind not in known]
        session.add_all([_row(values) for values in missing])
    return len(missing)


def load_rules(connection: Connection, now: int) -> Rules:
    """The rules at `now`; a kind that has no row has its default."""
    by_kind: dict[AlertKind, list[tuple[RuleValues, int | None, int | None]]] = {}
    for row in connection.execute(_RULES):
        muted = row.is_muted and (row.muted_until is None or row.muted_until > now)
        values = RuleValues(
            AlertKind(row.kind),
            Severity(row.severity),
            row.threshold,
            row.for_s,
            row.window_s,
            row.least,
            row.repeat_s,
            bool(row.is_enabled) and not muted,
        )
        by_kind.setdefault(values.kind, []).append((values, row.group_id, row.endpoint_id))
    for default in DEFAULTS:
        found = by_kind.setdefault(default.kind, [])
        if not any(group is None and endpoint is None for _, group, endpoint in found):
            found.append((default, None, None))
    return Rules(by_kind)


def set_rule(
    kind: AlertKind,
    changes: dict[str, Any],
    *,
    group_id: int | None = None,
    endpoint_id: int | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """Change the rule for everything, or make or change the one of a group or a service.

    Args:
        changes: by the names in `FIELDS` and `MUTES`; what is not named stays, or is as in the rule for everything.
    """
    with write_transaction(db.session) as session:
        row = session.scalars(_select(kind, group_id, endpoint_id)).first()
        before = None if row is None else audit.fields_of(row)
        if row is None:
            base = session.scalars(_select(kind, None, None)).first()
            row = _row(next(values for values in DEFAULTS if values.kind is kind))
            if base is not None:
                for name in FIELDS:
                    setattr(row, name, getattr(base, name))
            row.group_id, row.endpoint_id = group_id, endpoint_id
            session.add(row)
        for name, value in changes.items():
            if name not in (*FIELDS, *MUTES):
                raise ValueError(f"a rule has no {name}")
            setattr(row, name, value)
        session.flush()
        action = AuditAction.ADDED if before is None else AuditAction.CHANGED
        _record(session, actor, action, row, before, audit.fields_of(row))


def reset_rule(
    kind: AlertKind, *, group_id: int | None = None, endpoint_id: int | None = None, actor: Actor = SYSTEM
) -> None:
    """Take back the rule of a group or a service, or give the one for everything its defaults again.

    Raises:
        NotFound: when there is none.
    """
    with write_transaction(db.session) as session:
        row = session.scalars(_select(kind, group_id, endpoint_id)).first()
        if row is None:
            raise NotFound("there is no such rule")
        _record(session, actor, AuditAction.DELETED, row, audit.fields_of(row), None)
        session.delete(row)
        if group_id is None and endpoint_id is None:
            session.flush()
            session.add(_row(next(values for values in DEFAULTS if values.kind is kind)))


def mute_rule(
    kind: AlertKind,
    *,
    muted: bool,
    until: int | None = None,
    group_id: int | None = None,
    endpoint_id: int | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """Have a rule raise nothing, for good or until an instant, or raise alerts again; for everything, or for a group or
    a service, which gets a rule of its own for it."""
    changes = {"is_muted": muted, "muted_until": until}
    set_rule(kind, changes, group_id=group_id, endpoint_id=endpoint_id, actor=actor)


def mute_endpoint(endpoint_id: int, *, muted: bool, until: int | None = None, actor: Actor = SYSTEM) -> None:
    """Alert nobody about a service, for good or until an instant, or alert people again.

    Raises:
        NotFound: when there is no such service.
    """
    with write_transaction(db.session) as session:
        row = session.get(ServiceEndpoint, endpoint_id)
        if row is None:
            raise NotFound("there is no such service")
        before = audit.fields_of(row)
        row.is_muted, row.muted_until = muted, until
        after = audit.fields_of(row)
        audit.record(session, actor, AuditAction.CHANGED, AuditKind.SERVICE, row.id, row.name, utcnow(), before, after)


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: AlertRule,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Write down what was done to a rule. It has no name of its own but that of its kind, and whom it is for."""
    subject = row.kind.word.replace("_", " ").capitalize()
    if row.endpoint_id is not None:
        subject += f" of {session.get_one(ServiceEndpoint, row.endpoint_id).name}"
    elif row.group_id is not None:
        subject += f" of group {session.get_one(ServiceGroup, row.group_id).name}"
    audit.record(session, actor, action, AuditKind.RULE, row.id, subject, utcnow(), before, after)


def _select(kind: AlertKind, group_id: int | None, endpoint_id: int | None) -> Any:
    return select(AlertRule).where(
        AlertRule.kind == kind,
        AlertRule.group_id.is_(None) if group_id is None else AlertRule.group_id == group_id,
        AlertRule.endpoint_id.is_(None) if endpoint_id is None else AlertRule.endpoint_id == endpoint_id,
    )


def _row(values: RuleValues) -> AlertRule:
    return AlertRule(
        kind=values.kind,
        severity=values.severity,
        threshold=values.threshold,
        for_s=values.for_s,
        window_s=values.window_s,
        least=values.least,
        repeat_s=values.repeat_s,
        is_enabled=values.is_on,
        is_muted=False,
    )
