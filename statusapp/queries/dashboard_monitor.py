"""What the dashboard shows of alerts that nobody is told of, and of how the database grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from statusapp.domain.enums import AlertKind
from statusapp.extensions import db
from statusapp.models import AlertRule, ServiceEndpoint, SystemMetric
from statusapp.queries.metrics import HostState

SIZE = "database_size_bytes"
# Readings are every ten minutes or so; one that is so much older than it should be still tells of the growth.
_SLACK = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Mutes:
    """What nobody is alerted about: services by id, and kinds of alerts altogether. None is for good; instants are
    microseconds."""

    services: Mapping[int, int | None]
    kinds: Mapping[AlertKind, int | None]


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """How large the database was when it was last read, and by how much it had grown; bytes, None is not known."""

    size: int
    taken_at: datetime
    grown_in_day: int | None
    grown_in_week: int | None


def load_mutes(now: int) -> Mutes:
    """What is muted at `now`: two statements."""
    services = db.session.execute(
        select(ServiceEndpoint.id, ServiceEndpoint.muted_until).where(
            ServiceEndpoint.is_muted, or_(ServiceEndpoint.muted_until.is_(None), ServiceEndpoint.muted_until > now)
        )
    )
    rule = AlertRule
    kinds = db.session.execute(
        select(rule.kind, rule.muted_until).where(
            rule.is_muted,
            rule.group_id.is_(None),
            rule.endpoint_id.is_(None),
            or_(rule.muted_until.is_(None), rule.muted_until > now),
        )
    )
    return Mutes({row.id: row.muted_until for row in services}, {row.kind: row.muted_until for row in kinds})


def load_database_size(hosts: Sequence[HostState]) -> DatabaseSize | None:
    """The size as the newest reading has it; None before there is one. Two statements."""
    found = max((host for host in hosts if SIZE in host.details), key=lambda host: host.taken_at, default=None)
    if found is None:
        return None
    size = int(found.details[SIZE])
    day, week = (_size_before(found, timedelta(days=days)) for days in (1, 7))
    return DatabaseSize(
        size, found.taken_at, None if day is None else size - day, None if week is None else size - week
    )


def _size_before(host: HostState, length: timedelta) -> int | None:
    """The size so long before the newest reading of a host."""
    at, metric = host.taken_at - length, SystemMetric
    return db.session.scalar(
        select(metric.details[SIZE].as_integer())
        .where(metric.host == host.host, metric.taken_at <= at, metric.taken_at > at - _SLACK)
        .order_by(metric.taken_at.desc())
        .limit(1)
    )
