"""What is put into the outbox of an alert: `data` is what the texts are made of, frozen as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from statusapp.domain.alert_rules import Case
from statusapp.domain.enums import Severity, Transition
from statusapp.services.outbox import Told


def told_first(case: Case, alert_id: int, incident_id: int | None, now: int) -> Told:
    """That an alert has fired."""
    data = _data(case, now, fired_at=now, incident_id=incident_id)
    return Told(alert_id, _service(case.endpoint_id), Transition.FIRED, case.severity, f"alert-{alert_id}-fired", data)


def told_again(
    case: Case,
    row: Row[Any],
    transition: Transition,
    what: str,
    now: int,
    *,
    reminders: int = 0,
    joined: Mapping[int, int] | None = None,
) -> Told:
    """How an alert goes on.

    Args:
        row: the alert as it was before.
        what: names this transition of it.
        joined: the incidents that alerts have joined with it.
    """
    data = _data(case, now, fired_at=row.fired_at, incident_id=(joined or {}).get(row.id, row.incident_id))
    data |= {"since": row.since, "found": case.found or row.found, "reminder": reminders}
    if row.resolved_at is None:
        # Who was at it before it was over and came back is not at it any more.
        data |= {"acknowledged_by": row.acknowledged_by, "note": row.note}
    if transition is Transition.RESOLVED:
        # The alert was wrong until what is good now began.
        over_at = max(case.since, row.since) if case.since else now
        data |= {"resolved_at": over_at, "lasted_us": over_at - row.since, "found": row.found}
    severity = Severity(max(row.severity, case.severity))
    return Told(row.id, _service(row.endpoint_id), transition, severity, f"alert-{row.id}-{what}", data)


def _service(endpoint_id: int | None) -> tuple[int, ...]:
    return () if endpoint_id is None else (endpoint_id,)


def _data(case: Case, now: int, *, fired_at: int, incident_id: int | None) -> dict[str, Any]:
    return {
        "kind": case.rule.kind.word,
        "name": case.name,
        "subject": case.subject,
        "severity": case.severity.word,
        "since": case.since,
        "fired_at": fired_at,
        "at": now,
        "found": case.found,
        "status": case.status,
        "resolved_at": None,
        "lasted_us": None,
        "reminder": 0,
        "acknowledged_by": None,
        "note": None,
        "endpoint_id": case.endpoint_id,
        "incident_id": incident_id,
        "affected": list(case.affected),
    }
