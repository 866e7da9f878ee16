"""Alerts: what has been judged becomes alerts, messages and incidents, all in the caller's transaction.

An alert is a row that is open at most once per rule and subject: of two evaluators one writes it, and only that one
tells of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.alert_life import KnownAlert, Step, next_step
from statusapp.domain.alert_rules import Case, Judgement, down_kind, judge_down
from statusapp.domain.enums import AlertKind, AuditAction, AuditKind, Severity, Transition
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.models import Alert
from statusapp.services import audit, incidents
from statusapp.services.alert_facts import IDS_AT_ONCE, load_services
from statusapp.services.alert_messages import told_again, told_first
from statusapp.services.outbox import Told, queue
from statusapp.services.rules import load_rules

logger = logging.getLogger(__name__)

# An incident tells of services that are down or slow, and of nothing else.
INCIDENT_KINDS = (AlertKind.DOWN, AlertKind.HEARTBEAT_LATE, AlertKind.SLOW)

# The newest alert of each subject: there is one open, or the one that was open last.
_KNOWN = text("""
SELECT id, kind, subject, name, endpoint_id, severity, since, fired_at, found, resolved_at, acknowledged_at, told_at,
    acknowledged_by, note, reminders, remind_at, is_flapping, incident_id,
    (SELECT i.resolved_at FROM incident AS i WHERE i.id = alert.incident_id) AS incident_resolved_at
FROM alert WHERE id IN (SELECT MAX(id) FROM alert WHERE kind = :kind AND subject IN :subjects GROUP BY subject)
""").bindparams(bindparam("subjects", expanding=True))
_REOPEN = text("""
UPDATE alert SET resolved_at = NULL, is_flapping = true, told_at = :now, found = :found, since = :since,
    remind_at = NULL, acknowledged_at = NULL, acknowledged_by = NULL, note = NULL
WHERE id = :id AND resolved_at IS NOT NULL
""")
_REMIND = text("""
UPDATE alert SET told_at = :now, reminders = :reminders, remind_at = :remind_at, severity = :severity, found = :found
WHERE id = :id AND resolved_at IS NULL AND reminders = :known
""")
_FLAP = text("""
UPDATE alert SET told_at = :now, is_flapping = true WHERE id IN :ids AND NOT is_flapping RETURNING id
""").bindparams(bindparam("ids", expanding=True))
_RESOLVE = text("""
UPDATE alert SET resolved_at = :now, told_at = :now, is_flapping = false WHERE id IN :ids AND resolved_at IS NULL
RETURNING id
""").bindparams(bindparam("ids", expanding=True))
_JOIN = text("UPDATE alert SET incident_id = :incident_id WHERE id = :id")


def on_results(connection: Connection, endpoint_ids: Sequence[int], now: int) -> None:
    """What follows for services whose results have just been stored: those that changed, and those that are down."""
    settle(connection, judge_services(connection, endpoint_ids, now), now)


def judge_services(connection: Connection, endpoint_ids: Sequence[int], now: int) -> list[Case]:
    """Whether services are down. Their states must be held by the transaction, so that none changes meanwhile."""
    services = load_services(connection, endpoint_ids, now)
    rules = load_rules(connection, now) if services else None
    return [
        judge_down(service, rules.of(down_kind(is_heartbeat=service.is_heartbeat), service.endpoint_id, group_id), now)
        for service, group_id, _ in services
        if rules is not None
    ]


def settle(connection: Connection, cases: Iterable[Case], now: int) -> dict[Step, int]:
    """Make of judgements what follows; how often each step was taken."""
    judged = [case for case in cases if case.judgement is not Judgement.HELD]
    known = _load_known(connection, judged)
    steps: dict[Step, list[tuple[Case, Row[Any] | None]]] = {step: [] for step in Step}
    for case in judged:
        row = known.get(case.key)
        steps[next_step(None if row is None else _known_alert(row), case, now)].append((case, row))
    told = _fire(connection, [case for case, _ in steps[Step.FIRE]], now)
    told += _reopen(connection, steps[Step.REOPEN], now)
    told += _remind(connection, steps[Step.REMIND], now)
    for case, row in _changed(connection, _FLAP, steps[Step.FLAP], now):
        told.append(told_again(case, row, Transition.FLAPPING, f"flapping-{now}", now))
    for case, row in _changed(connection, _RESOLVE, steps[Step.RESOLVE], now):
        # One that flapped may have been resolved before, under its first number.
        times = now if row.is_flapping else row.fired_at
        told.append(told_again(case, row, Transition.RESOLVED, f"resolved-{times}", now))
    # Once per incident, for each looks at all its services.
    over = {row.incident_id for _, row in steps[Step.RESOLVE] if row is not None and row.incident_id}
    for incident_id in sorted(over):
        incidents.on_alert_resolved(connection, incident_id, now)
    # Last, because everybody holds incidents before the outbox.
    queue(connection, told, now)
    for one in told:
        kind, name, found = (one.data[key] for key in ("kind", "name", "found"))
        logger.warning("alert %s: %s name=%r found=%r", one.transition.word, kind, name, found)
    return {step: len(found) for step, found in steps.items() if found}


def acknowledge(alert_id: int, note: str, now: int, actor: Actor) -> None:
    """Say that somebody is at it: until it is over there are no reminders.

    Raises:
        NotFound: when there is no such alert, or it is over.
    """
    with write_transaction(db.session) as session:
        alert = _open_alert(session, alert_id)
        before = _acknowledgement(alert)
        alert.acknowledged_at, alert.acknowledged_by, alert.note = now, actor.name[:254], note.strip() or None
        _record(session, actor, alert, now, before)


def unacknowledge(alert_id: int, now: int, actor: Actor) -> None:
    """Nobody is at it any more: reminders go on.

    Raises:
        NotFound: when there is no such alert, or it is over.
    """
    with write_transaction(db.session) as session:
        alert = _open_alert(session, alert_id)
        before = _acknowledgement(alert)
        alert.acknowledged_at = alert.acknowledged_by = alert.note = None
        _record(session, actor, alert, now, before)


def _acknowledgement(alert: Alert) -> dict[str, object]:
    return {"acknowledged_by": alert.acknowledged_by, "note": alert.note}


def _record(session: Session, actor: Actor, alert: Alert, now: int, before: dict[str, object]) -> None:
    name, after = f"{alert.kind.word}: {alert.name}", _acknowledgement(alert)
    audit.record(session, actor, AuditAction.CHANGED, AuditKind.ALERT, alert.id, name, from_us(now), before, after)


def _open_alert(session: Session, alert_id: int) -> Alert:
    alert = session.get(Alert, alert_id)
    if alert is None or alert.resolved_at is not None:
        raise NotFound("there is no such alert that is still open")
    return alert


def _load_known(connection: Connection, cases: Sequence[Case]) -> dict[tuple[AlertKind, str], Row[Any]]:
    by_kind: dict[AlertKind, list[str]] = {}
    for case in cases:
        by_kind.setdefault(case.rule.kind, []).append(case.subject)
    found: dict[tuple[AlertKind, str], Row[Any]] = {}
    for kind, subjects in by_kind.items():
        for start in range(0, len(subjects), IDS_AT_ONCE):
            values = {"kind": int(kind), "subjects": subjects[start : start + IDS_AT_ONCE]}
            found |= {(kind, row.subject): row for row in connection.execute(_KNOWN, values)}
    return found


def _known_alert(row: Row[Any]) -> KnownAlert:
    return KnownAlert(
        row.id,
        row.resolved_at,
        row.told_at,
        row.reminders,
        row.remind_at,
        Severity(row.severity),
        bool(row.is_flapping),
        row.acknowledged_at is not None,
    )


def _fire(connection: Connection, cases: Sequence[Case], now: int) -> list[Told]:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    written: list[tuple[int, Case]] = []
    by_key = {case.key: case for case in cases}
    for start in range(0, len(cases), IDS_AT_ONCE):
        rows = [_new_row(case, now) for case in cases[start : start + IDS_AT_ONCE]]
        statement = insert(Alert).values(rows).on_conflict_do_nothing().returning(Alert.id, Alert.kind, Alert.subject)
        written += [(row.id, by_key[row.kind, row.subject]) for row in connection.execute(statement)]
    joined = _join_incidents(connection, [(alert_id, case, None) for alert_id, case in written], now)
    return [told_first(case, alert_id, joined.get(alert_id), now) for alert_id, case in written]


def _new_row(case: Case, now: int) -> dict[str, Any]:
    return {
        "kind": case.rule.kind,
        "subject": case.subject,
        "name": case.name,
        "endpoint_id": case.endpoint_id,
        "severity": case.severity,
        "since": case.since,
        "fired_at": now,
        "found": case.found,
        "told_at": now,
        "reminders": case.step,
        "remind_at": _remind_at(case, now),
        "is_flapping": bool(case.flaps),
    }


def _reopen(connection: Connection, pairs: Sequence[tuple[Case, Row[Any] | None]], now: int) -> list[Told]:
    """What was over a moment ago is wrong again: said as what comes and goes."""
    back = [
        (case, row)
        for case, row in pairs
        if row is not None
        and connection.execute(_REOPEN, {"id": row.id, "now": now, "found": case.found, "since": case.since}).rowcount
    ]
    joined = _join_incidents(connection, [(row.id, case, row.incident_id) for case, row in back], now)
    return [told_again(case, row, Transition.FLAPPING, f"flapping-{now}", now, joined=joined) for case, row in back]


def _remind(connection: Connection, pairs: Sequence[tuple[Case, Row[Any] | None]], now: int) -> list[Told]:
    """What is still wrong. Where a person has ended the incident meanwhile, the public is told of it in a new one."""
    due = [
        (case, row, reminders)
        for case, row in pairs
        if row is not None and (reminders := _counted_reminder(connection, case, row, now))
    ]
    ended = [(row.id, case, row.incident_id) for case, row, _ in due if row.incident_resolved_at is not None]
    joined = _join_incidents(connection, ended, now)
    return [
        told_again(case, row, Transition.REMINDED, f"reminded-{reminders}", now, reminders=reminders, joined=joined)
        for case, row, reminders in due
    ]


def _counted_reminder(connection: Connection, case: Case, row: Row[Any], now: int) -> int:
    """The number of the reminder that is given now; 0 when another evaluator gives it."""
    reminders = max(row.reminders + 1, case.step)
    changed = connection.execute(
        _REMIND,
        {
            "id": row.id,
            "now": now,
            "known": row.reminders,
            "reminders": reminders,
            "remind_at": _remind_at(case, now),
            "severity": int(max(case.severity, row.severity)),
            "found": case.found,
        },
    ).rowcount
    return reminders if changed else 0


def _join_incidents(connection: Connection, alerts: Sequence[tuple[int, Case, int | None]], now: int) -> dict[int, int]:
    """Have incidents opened or joined for alerts; the incident of each that has one, by the alert's id.

    Args:
        alerts: the id of each, what it is about, and the incident that it had before.
    """
    fired = [
        incidents.FiredAlert(
            alert_id, case.rule.kind, case.endpoint_id, case.severity, case.name, case.found, case.since, before
        )
        for alert_id, case, before in alerts
        if case.endpoint_id is not None and case.rule.kind in INCIDENT_KINDS
    ]
    joined = incidents.on_alerts_fired(connection, fired, now)
    if joined:
        connection.execute(_JOIN, [{"id": key, "incident_id": value} for key, value in joined.items()])
    return joined


def _changed(
    connection: Connection, statement: TextClause, pairs: Sequence[tuple[Case, Row[Any] | None]], now: int
) -> list[tuple[Case, Row[Any]]]:
    """Change many alerts at once; those that another evaluator has not changed before."""
    known = {row.id: (case, row) for case, row in pairs if row is not None}
    ids = sorted(known)
    changed: list[int] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        changed += connection.scalars(statement, {"ids": ids[start : start + IDS_AT_ONCE], "now": now})
    return [known[key] for key in sorted(changed)]


def _remind_at(case: Case, now: int) -> int | None:
    return now + case.rule.repeat_s * SECOND if case.rule.repeat_s else None
