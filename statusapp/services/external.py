"""External services: those that are configured are asked, and how each was found is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from config import Settings
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import ExternalReading
from statusapp.probes.external import REGISTRY
from statusapp.probes.external.asking import ask_all
from statusapp.probes.external.service import ExternalResult, Target

# However often this host is read: these are other people's servers.
SELDOM = timedelta(seconds=60)
TOLERANCE = timedelta(seconds=5)


def list_targets(settings: Settings) -> list[Target]:
    """What there is to ask. Each kind of service is handed its own settings and no others."""
    return [
        target
        for service in REGISTRY
        for target in service.targets({name: getattr(settings, name) for name in service.options})
    ]


def read_external_when_due(now: datetime) -> dict[str, ExternalResult]:
    """Ask them all, unless they have been asked within the last minute; what was found, by name."""
    newest = db.session.scalar(select(func.max(ExternalReading.taken_at)))
    db.session.rollback()
    if newest is not None and now - SELDOM + TOLERANCE < newest <= now:
        return {}
    return read_external(now)


def read_external(now: datetime) -> dict[str, ExternalResult]:
    """Ask them all and store what was found, by name. Takes ten seconds at the most."""
    targets = list_targets(current_app.config["SETTINGS"])
    if not targets:
        return {}
    found = ask_all(targets)
    with write_transaction(db.session) as session:
        session.add_all(
            ExternalReading(
                name=name,
                taken_at=now,
                status=result.status,
                duration_us=result.duration_us,
                message=result.message,
            )
            for name, result in found.items()
        )
    return found
