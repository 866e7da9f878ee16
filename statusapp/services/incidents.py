"""Incidents that machines open, join and resolve. What people do to them is in `incident_updates.py`.

Everything runs in the caller's transaction. A machine's words name no service and no error: which services are affected
is told from the list of them, of which the public sees its part, and what was found is evidence for operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Connection, bindparam, text

from statusapp.domain.enums import AlertKind, IncidentMode, IncidentStatus, Severity, Status
from statusapp.domain.incidents import JOIN_US, automatic_title, derive_impact, has_recovered, mode_for, status_of
from statusapp.services.evidence import gather_evidence

OPENED = "Automated checks have found a problem. We are looking into it."
JOINED_ONE = "Automated checks have found that one more service is affected."
JOINED_MANY = "Automated checks have found that {count} more services are affected."
AGAIN = "Automated checks have found a problem again."
RECOVERED = "Automated checks see all affected services working again."

# Every machine that writes incidents locks this row first: of two evaluators one opens the incident and the other joins
# it, and neither waits for the other's incidents while it holds some.
_SETTINGS = "SELECT critical_incidents, warning_incidents FROM status_page_settings WHERE id = 1 {lock}"
_SETTINGS_BY_DIALECT = {
    "sqlite": text(_SETTINGS.format(lock="")),
    "postgresql": text(_SETTINGS.format(lock="FOR UPDATE")),
}
_IS_PUBLIC = text("SELECT id, is_public FROM service_endpoint WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_OPEN_OF_SERVICES = text("""
SELECT affected.endpoint_id, incident.id, incident.is_public
FROM incident JOIN incident_endpoint affected ON affected.incident_id = incident.id
WHERE incident.resolved_at IS NULL AND affected.endpoint_id IN :ids ORDER BY incident.id
""").bindparams(bindparam("ids", expanding=True))
_TO_JOIN = text("""
SELECT id FROM incident
WHERE resolved_at IS NULL AND is_automatic AND touched_at IS NULL AND is_public = :is_public AND created_at >= :since
ORDER BY id DESC LIMIT 1
""")
_OPEN = text("""
INSERT INTO incident (title, status, impact, is_public, is_automatic, started_at, created_at, updated_at, evidence)
VALUES (:title, :status, :impact, :is_public, true, :started_at, :now, :now, :evidence) RETURNING id
""").bindparams(bindparam("evidence", type_=JSON(none_as_null=True)))
_AFFECT = text("""
INSERT INTO incident_endpoint (incident_id, endpoint_id, status) VALUES (:incident_id, :endpoint_id, :status)
ON CONFLICT (incident_id, endpoint_id) DO UPDATE SET status = excluded.status
WHERE incident_endpoint.status < excluded.status
""")
_SAY = text("""
INSERT INTO incident_update (incident_id, status, body, created_at)
SELECT id, status, :body, :now FROM incident WHERE id = :incident_id
""")
_AFFECTED = text("""
SELECT endpoint.name, affected.status, endpoint.is_enabled, state.status AS current
FROM incident_endpoint affected
JOIN service_endpoint endpoint ON endpoint.id = affected.endpoint_id
JOIN endpoint_state state ON state.endpoint_id = endpoint.id
WHERE affected.incident_id = :incident_id
""")
# Each of these leaves alone what a person has touched.
_RETITLE = text("""
UPDATE incident SET title = :title, impact = :impact, started_at = CASE WHEN :since < started_at THEN :since
    ELSE started_at END, updated_at = :now
WHERE id = :incident_id AND touched_at IS NULL AND is_automatic
""")
_RESOLVE = text("""
UPDATE incident SET status = :status, resolved_at = :now, updated_at = :now
WHERE id = :incident_id AND touched_at IS NULL AND is_automatic AND resolved_at IS NULL
""")
_FIND = text("SELECT id, is_automatic, touched_at, resolved_at FROM incident WHERE id = :incident_id")
_HAS_OPEN_ALERT = text("SELECT 1 FROM alert WHERE incident_id = :incident_id AND resolved_at IS NULL LIMIT 1")
_UNTOUCHED = text("""
SELECT id FROM incident WHERE resolved_at IS NULL AND is_automatic AND touched_at IS NULL ORDER BY id
""")
_REOPEN = text("""
UPDATE incident SET status = :status, resolved_at = NULL, updated_at = :now
WHERE id IN :ids AND touched_at IS NULL AND is_automatic AND resolved_at IS NOT NULL
""").bindparams(bindparam("ids", expanding=True))


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """An alert about a service that has just fired, or come back: then `incident_id` is the one it had, if any.

    Instants are microseconds.
    """

    alert_id: int
    kind: AlertKind
    endpoint_id: int
    severity: Severity
    name: str
    found: str
    since: int
    incident_id: int | None = None


def on_alerts_fired(connection: Connection, fired: Sequence[FiredAlert], now: int) -> dict[int, int]:
    """Open automatic incidents for alerts or join some, in a number of statements that does not grow with them.

    Each joins the open incident of its service. Without one, what comes back opens the incident again that it had,
    unless a person has touched that: what a person has ended is not opened again, a new one is.

    Returns:
        The incident of each alert, by the alert's id; of none for which the page's settings want no incident.
    """
    if not fired:
        return {}
    modes = _load_modes(connection)
    wanted = [alert for alert in fired if mode_for(alert.severity, *modes) is not IncidentMode.OFF]
    if not wanted:
        return {}
    ids = [alert.endpoint_id for alert in wanted]
    shown = {row.id: bool(row.is_public) for row in connection.execute(_IS_PUBLIC, {"ids": ids})}
    open_ones = _reopened(connection, wanted, _open_of(connection, ids), now)
    found: dict[int, int] = {}
    new: dict[bool, list[FiredAlert]] = {}
    again: dict[int, list[FiredAlert]] = {}
    for alert in wanted:
        if alert.endpoint_id not in shown:
            continue  # It was deleted meanwhile.
        # The public is never told of a service that it does not know.
        is_public = mode_for(alert.severity, *modes) is IncidentMode.PUBLIC and shown[alert.endpoint_id]
        known = open_ones.get((alert.endpoint_id, is_public))
        if known is None:
            new.setdefault(is_public, []).append(alert)
        else:
            again.setdefault(known, []).append(alert)
    for incident_id, alerts in again.items():
        _join(connection, incident_id, alerts, AGAIN, now)
        found |= {alert.alert_id: incident_id for alert in alerts}
    for is_public, alerts in new.items():
        incident_id = _join_or_open(connection, alerts, is_public, now)
        found |= {alert.alert_id: incident_id for alert in alerts}
    return found


def on_alert_resolved(connection: Connection, incident_id: int, now: int) -> None:
    """Resolve the incident when all its services have recovered and no person has touched it.

    The alert is resolved already. Where a person is at it, the recovery is added as an update and no more.
    """
    _load_modes(connection)
    incident = connection.execute(_FIND, {"incident_id": incident_id}).one_or_none()
    if incident is None or incident.resolved_at is not None or not _all_recovered(connection, incident_id):
        return
    if not incident.is_automatic or incident.touched_at is not None:
        connection.execute(_SAY, {"incident_id": incident_id, "body": RECOVERED, "now": now})
        return
    _resolve(connection, incident_id, now)


def settle_incidents(connection: Connection, now: int) -> int:
    """Resolve the automatic incidents that nothing keeps open any more; how many they were.

    For what no alert's end tells: a service that was slow for a while after it came back, was paused or deleted.
    """
    _load_modes(connection)
    ids = connection.execute(_UNTOUCHED).scalars().all()
    over = [incident_id for incident_id in ids if _all_recovered(connection, incident_id)]
    return sum(_resolve(connection, incident_id, now) for incident_id in over)


def _load_modes(connection: Connection) -> tuple[IncidentMode, IncidentMode]:
    """What critical alerts and what warnings do, as the settings say, or by default before there are any."""
    row = connection.execute(_SETTINGS_BY_DIALECT[connection.dialect.name]).one_or_none()
    if row is None:
        return IncidentMode.PUBLIC, IncidentMode.OFF
    return IncidentMode(row.critical_incidents), IncidentMode(row.warning_incidents)


def _open_of(connection: Connection, ids: list[int]) -> dict[tuple[int, bool], int]:
    """The newest open incident of each service, by whether the public is to be told: then a draft does not do."""
    found: dict[tuple[int, bool], int] = {}
    for row in connection.execute(_OPEN_OF_SERVICES, {"ids": ids}):
        found[row.endpoint_id, False] = row.id
        if row.is_public:
            found[row.endpoint_id, True] = row.id
    return found


def _reopened(
    connection: Connection, alerts: Sequence[FiredAlert], open_ones: dict[tuple[int, bool], int], now: int
) -> dict[tuple[int, bool], int]:
    """The open incidents, with those that are opened again because an alert of theirs has come back."""
    ids = {
        alert.incident_id
        for alert in alerts
        if alert.incident_id is not None and (alert.endpoint_id, False) not in open_ones
    }
    values = {"ids": sorted(ids), "status": int(IncidentStatus.INVESTIGATING), "now": now}
    if not ids or not connection.execute(_REOPEN, values).rowcount:
        return open_ones
    return _open_of(connection, [alert.endpoint_id for alert in alerts])


def _join_or_open(connection: Connection, alerts: list[FiredAlert], is_public: bool, now: int) -> int:
    joined = connection.execute(_TO_JOIN, {"is_public": is_public, "since": now - JOIN_US}).scalar_one_or_none()
    if joined is not None:
        body = JOINED_ONE if len(alerts) == 1 else JOINED_MANY.format(count=len(alerts))
        _join(connection, joined, alerts, body, now)
        return int(joined)
    affected = [(alert.name, status_of(alert.kind)) for alert in alerts]
    incident_id: int = connection.execute(
        _OPEN,
        {
            "title": automatic_title(affected),
            "status": int(IncidentStatus.INVESTIGATING),
            "impact": int(derive_impact(status for _, status in affected)),
            "is_public": is_public,
            "started_at": min(alert.since for alert in alerts),
            "now": now,
            "evidence": gather_evidence(connection, [(alert.endpoint_id, alert.name, alert.found) for alert in alerts],
                                        min(alert.since for alert in alerts), now),
        },
    ).scalar_one()  # fmt: skip
    _affect(connection, incident_id, alerts)
    connection.execute(_SAY, {"incident_id": incident_id, "body": OPENED, "now": now})
    return incident_id


def _join(connection: Connection, incident_id: int, alerts: list[FiredAlert], body: str, now: int) -> None:
    _affect(connection, incident_id, alerts)
    connection.execute(_SAY, {"incident_id": incident_id, "body": body, "now": now})
    rows = connection.execute(_AFFECTED, {"incident_id": incident_id}).all()
    affected = [(row.name, Status(row.status)) for row in rows]
    values = {
        "incident_id": incident_id,
        "title": automatic_title(affected),
        "impact": int(derive_impact(status for _, status in affected)),
        "since": min(alert.since for alert in alerts),
        "now": now,
    }
    connection.execute(_RETITLE, values)


def _affect(connection: Connection, incident_id: int, alerts: list[FiredAlert]) -> None:
    worst_of: dict[int, int] = {}
    for alert in alerts:
        worst_of[alert.endpoint_id] = max(worst_of.get(alert.endpoint_id, 0), int(status_of(alert.kind)))
    rows = [{"incident_id": incident_id, "endpoint_id": key, "status": code} for key, code in sorted(worst_of.items())]
    connection.execute(_AFFECT, rows)


def _all_recovered(connection: Connection, incident_id: int) -> bool:
    if connection.execute(_HAS_OPEN_ALERT, {"incident_id": incident_id}).first() is not None:
        return False
    rows = connection.execute(_AFFECTED, {"incident_id": incident_id}).all()
    return all(has_recovered(Status(row.current), is_enabled=bool(row.is_enabled)) for row in rows)


def _resolve(connection: Connection, incident_id: int, now: int) -> int:
    values = {"incident_id": incident_id, "status": int(IncidentStatus.RESOLVED), "now": now}
    resolved = connection.execute(_RESOLVE, values).rowcount
    if resolved:
        connection.execute(_SAY, {"incident_id": incident_id, "body": RECOVERED, "now": now})
    return resolved
