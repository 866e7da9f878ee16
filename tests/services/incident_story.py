"""Alerts and the incidents that they open, in the world of the tests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from statusapp.database import write_connection
from statusapp.domain.enums import AlertKind, IncidentMode, Severity, Status
from statusapp.extensions import db
from statusapp.services.incidents import FiredAlert, on_alert_resolved, on_alerts_fired
from tests.world import MINUTE, T0, World

NOW = T0 + 10 * MINUTE
ME = "ann@example.org"


class Story:
    """Alerts that fire and resolve, as the evaluation of alerts does it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def fire(
        self,
        endpoint_id: int,
        now: int = NOW,
        kind: AlertKind = AlertKind.DOWN,
        severity: Severity = Severity.CRITICAL,
        before: int | None = None,
    ) -> int | None:
        """The service goes down and its alert fires, or comes back that had the incident `before`; its incident."""
        status = Status.DEGRADED if kind is AlertKind.SLOW else Status.MAJOR_OUTAGE
        self.set_status(endpoint_id, status)
        name = self.world.scalar("SELECT name FROM service_endpoint WHERE id = :id", id=endpoint_id)
        with write_connection(db.engine) as connection:
            fired = FiredAlert(0, kind, endpoint_id, severity, name, "HTTP 502", now - MINUTE, before)
            incident_id = on_alerts_fired(connection, [fired], now).get(0)
        self.world.execute(
            "INSERT INTO alert (kind, subject, name, endpoint_id, severity, since, fired_at, found, reminders,"
            " is_flapping, incident_id) VALUES (:kind, :subject, :name, :id, 2, :now, :now, '', 0, false, :incident)",
            kind=int(kind), subject=f"endpoint:{endpoint_id}", name=name, id=endpoint_id, now=now, incident=incident_id,
        )  # fmt: skip
        return incident_id

    def recover(self, endpoint_id: int, incident_id: int, now: int) -> None:
        """The service works again and its alert resolves."""
        self.set_status(endpoint_id, Status.OPERATIONAL)
        self.world.execute("UPDATE alert SET resolved_at = :now WHERE endpoint_id = :id", now=now, id=endpoint_id)
        with write_connection(db.engine) as connection:
            on_alert_resolved(connection, incident_id, now)

    def set_status(self, endpoint_id: int, status: Status) -> None:
        self.world.execute(
            "UPDATE endpoint_state SET status = :status WHERE endpoint_id = :id", status=int(status), id=endpoint_id
        )

    def mode(self, critical: IncidentMode = IncidentMode.PUBLIC, warning: IncidentMode = IncidentMode.OFF) -> None:
        self.world.execute("DELETE FROM status_page_settings")
        self.world.execute(
            "INSERT INTO status_page_settings (id, title, description, time_zone, refresh_interval_s,"
            " critical_incidents, warning_incidents) VALUES (1, 'T', '', 'UTC', 30, :critical, :warning)",
            critical=int(critical), warning=int(warning),
        )  # fmt: skip

    def incident(self, incident_id: int | None) -> Row[Any]:
        return self.world.rows("SELECT * FROM incident WHERE id = :id", id=incident_id)[0]

    def said(self, incident_id: int | None) -> list[str]:
        rows = self.world.rows("SELECT body FROM incident_update WHERE incident_id = :id ORDER BY id", id=incident_id)
        return [row.body for row in rows]
