"""Changes that are made only to what somebody has read: looked at in the transaction that makes them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statusapp.database import checked_first
from statusapp.domain.enums import AuditKind
from statusapp.models import (
    AlertRule,
    ApiClient,
    Incident,
    MaintenanceWindow,
    NotificationChannel,
    ServiceEndpoint,
    ServiceGroup,
    StatusPageSettings,
)

TABLES: dict[AuditKind, Any] = {
    AuditKind.SERVICE: ServiceEndpoint,
    AuditKind.GROUP: ServiceGroup,
    AuditKind.INCIDENT: Incident,
    AuditKind.MAINTENANCE: MaintenanceWindow,
    AuditKind.CHANNEL: NotificationChannel,
    AuditKind.RULE: AlertRule,
    AuditKind.PAGE: StatusPageSettings,
    AuditKind.API_TOKEN: ApiClient,
    AuditKind.APPLICATION: ApiClient,
}


def only_if(kind: AuditKind, key: int | None, check: Callable[[], None]) -> AbstractContextManager[None]:
    """Make the change in here only if `check` raises nothing once nobody else can change the thing any more.

    Args:
        kind: of what is changed.
        key: its id; None for settings and rules, which are held as a whole.
    """

    def hold(session: Session) -> None:
        _hold(session, kind, key)
        check()

    return checked_first(hold)


def _hold(session: Session, kind: AuditKind, key: int | None) -> None:
    """Keep others from changing it until the end of the transaction. On SQLite nobody else writes now anyhow."""
    if session.get_bind().dialect.name == "sqlite":
        return
    # What has no row yet cannot be locked by it.
    session.execute(select(func.pg_advisory_xact_lock(zlib.crc32(f"{kind.name}:{key}".encode()))))
    table = TABLES[kind]
    chosen = select(table.id).order_by(table.id).with_for_update()
    session.execute(chosen if key is None else chosen.where(table.id == key)).all()
