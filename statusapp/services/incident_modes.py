"""What alerts do about incidents by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind, IncidentMode
from statusapp.extensions import db
from statusapp.models import StatusPageSettings
from statusapp.services import audit


@dataclass(frozen=True, slots=True)
class IncidentModes:
    """What critical alerts and what warnings do."""

    critical: IncidentMode = IncidentMode.PUBLIC
    warning: IncidentMode = IncidentMode.OFF


def load_incident_modes() -> IncidentModes:
    """The modes in effect, or the defaults before there are settings."""
    row = db.session.get(StatusPageSettings, 1)
    return IncidentModes() if row is None else IncidentModes(row.critical_incidents, row.warning_incidents)


def set_incident_modes(modes: IncidentModes, actor: Actor, now: datetime) -> None:
    """Put modes into effect for the alerts that fire from now on."""
    with write_transaction(db.session) as session:
        row = session.get(StatusPageSettings, 1) or StatusPageSettings(id=1)
        before = {"critical_incidents": row.critical_incidents, "warning_incidents": row.warning_incidents}
        row.critical_incidents, row.warning_incidents = modes.critical, modes.warning
        session.add(row)
        after = {"critical_incidents": modes.critical, "warning_incidents": modes.warning}
        audit.record(session, actor, AuditAction.CHANGED, AuditKind.PAGE, None, "Status page", now, before, after)
