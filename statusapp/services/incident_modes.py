"""What alerts do about incidents by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from statusapp.database import write_transaction
from statusapp.domain.enums import IncidentMode
from statusapp.extensions import db
from statusapp.models import StatusPageSettings


@dataclass(frozen=True, slots=True)
class IncidentModes:
    """What critical alerts and what warnings do."""

    critical: IncidentMode = IncidentMode.PUBLIC
    warning: IncidentMode = IncidentMode.OFF


def load_incident_modes() -> IncidentModes:
    """The modes in effect, or the defaults before there are settings."""
    row = db.session.get(StatusPageSettings, 1)
    return IncidentModes() if row is None else IncidentModes(row.critical_incidents, row.warning_incidents)


def set_incident_modes(modes: IncidentModes) -> None:
    """Put modes into effect for the alerts that fire from now on."""
    with write_transaction(db.session) as session:
        row = session.get(StatusPageSettings, 1) or StatusPageSettings(id=1)
        row.critical_incidents, row.warning_incidents = modes.critical, modes.warning
        session.add(row)
