"""One public service, as everybody may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from statusapp.domain.enums import Status
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import EndpointState, ServiceEndpoint


@dataclass(frozen=True, slots=True)
class PublicService:
    """A service that is on the page. `is_timed` is whether its checks have a response time, as heartbeats have none."""

    id: int
    name: str
    description: str
    status: Status
    since: datetime
    is_timed: bool


def find_public_service(endpoint_id: int, now: datetime) -> PublicService | None:
    """The service with this id; None when there is none, when it is private, and when it is paused."""
    endpoint, state = ServiceEndpoint, EndpointState
    row = db.session.execute(
        select(
            endpoint.id,
            endpoint.name,
            endpoint.description,
            endpoint.url,
            state.status,
            state.status_since,
            state.silent_after,
            state.last_checked_at,
        )
        .join(state, state.endpoint_id == endpoint.id)
        .where(endpoint.id == endpoint_id, endpoint.is_enabled, endpoint.is_public)
    ).first()
    if row is None:
        return None
    status, since = row.status, row.status_since
    if row.silent_after is not None and to_us(now) > row.silent_after and status is not Status.UNKNOWN:
        # Nothing has been known since the last check, whatever the row still says.
        status, since = Status.UNKNOWN, max(row.last_checked_at or since, since)
    return PublicService(row.id, row.name, row.description, status, from_us(since), row.url != HEARTBEAT)
