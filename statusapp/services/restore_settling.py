"""Settling: the time since an old database was written becomes what it is, a time of which nothing is known.

Without it the first minute would be a storm: every endpoint overdue, failures of long ago confirmed by a new one,
heartbeats late whose pings are not in the database, messages sent of what was over long ago, sessions alive that had
been ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.enums import DeliveryState, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.schedule import next_slot, phase
from statusapp.extensions import db
from statusapp.models import (
    Alert,
    AlertDelivery,
    ApiAccessToken,
    ChannelState,
    CheckWindow,
    EndpointState,
    Heartbeat,
    PeriodicTask,
    ServiceEndpoint,
    UserSession,
)
from statusapp.probes.heartbeat import HeartbeatOptions, deadline
from statusapp.services.alerting import record_silence
from statusapp.services.endpoints import reschedule
from statusapp.services.page import page_zone
from statusapp.services.periodic import cadences
from statusapp.services.targets import read_target
from statusapp.services.vault import current_vault

# So long the first checks after a restore are spread over.
SPREAD_S = 60


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling has done."""

    became_unknown: int
    sessions_ended: int


def settle(now: datetime) -> Settled:
    """Make a database that was written some time ago ready to go on at `now`. No process may be using it."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        became_unknown = record_silence(session, here)
        for state in session.scalars(select(EndpointState)).all():
            _forget_what_was_under_way(state, here)
        session.flush()
        for endpoint_id, interval_s in session.execute(select(ServiceEndpoint.id, ServiceEndpoint.interval_s)).all():
            _schedule(session, endpoint_id, interval_s, here)
        _await_pings_anew(session, here)
        _settle_tasks(session, now)
        _settle_alerts(session, here)
        session.execute(delete(ApiAccessToken))
        sessions_ended = len(session.execute(delete(UserSession).returning(UserSession.id)).all())
    return Settled(became_unknown, sessions_ended)


def _forget_what_was_under_way(state: EndpointState, now: int) -> None:
    """End claims and begun runs: a failure of then and one of now are not two in a row."""
    state.claimed_slot = state.claimed_kind = state.extra_at = state.extra_kind = None
    # Above every number that a claim of the replaced database can have: none of them was counted in microseconds.
    state.fence = max(state.fence + 1, now)
    state.failures = state.successes = state.slow = state.fast = 0
    state.run_since = None
    if state.status is not Status.PARTIAL_OUTAGE:
        # One more failure than there were then must not be "on and off"; but what is so already settles by these bits.
        state.history = 0


def _schedule(session: Session, endpoint_id: int, interval_s: int, now: int) -> None:
    """Put an endpoint back onto its grid, with one check before its next slot when that is far off."""
    spread_us = min(interval_s, SPREAD_S) * SECOND
    is_soon = next_slot(endpoint_id, interval_s * SECOND, now) <= now + spread_us
    check_at = None if is_soon else now + phase(endpoint_id, spread_us)
    reschedule(session, endpoint_id, now, check_at=check_at)


def _await_pings_anew(session: Session, now: int) -> None:
    """Have heartbeats wait from now on whose ping may have come since the database was written."""
    columns = ServiceEndpoint.__table__.columns
    for row in session.execute(select(Heartbeat, *columns).join_from(Heartbeat, ServiceEndpoint)).all():
        heartbeat: Heartbeat = row.Heartbeat
        # Whether a job that had begun has ended is not known.
        heartbeat.started_at = None
        options = read_target(row, current_vault()).options
        if not isinstance(options, HeartbeatOptions):
            continue  # It cannot be read, which its next check will say.
        last = heartbeat.last_ping_at or heartbeat.created_at
        if deadline(options, last) - options.grace * SECOND <= now:
            heartbeat.created_at, heartbeat.last_ping_at, heartbeat.failure = now, None, None


def _settle_alerts(session: Session, now: int) -> None:
    """Send nothing of what was waiting then, and end the alerts about services of which nothing is known any more."""
    waiting = AlertDelivery.state.in_((DeliveryState.QUEUED, DeliveryState.FAILED))
    session.execute(update(AlertDelivery).where(waiting).values(state=DeliveryState.SKIPPED))
    session.execute(
        update(ChannelState).values(
            due_at=None, leased_until=None, fence=ChannelState.fence + 1, failures=0, failing_since=None
        )
    )
    # What is still down is told anew, once it is confirmed; its end would be news from weeks ago.
    unknown = select(EndpointState.endpoint_id).where(EndpointState.status == Status.UNKNOWN)
    session.execute(
        update(Alert)
        .where(Alert.resolved_at.is_(None), Alert.endpoint_id.in_(unknown))
        .values(resolved_at=now, remind_at=None)
        .execution_options(synchronize_session=False)
    )


def _settle_tasks(session: Session, now: datetime) -> None:
    """Let periodic tasks run at their next usual time, and end the jobs that claimed."""
    settings: Settings = current_app.config["SETTINGS"]
    zone = page_zone()
    following = {cadence.name: cadence.next_after(now, zone) for cadence in cadences(settings)}
    for task in session.scalars(select(PeriodicTask)).all():
        task.running_until = None
        task.next_run_at = following.get(task.name, task.next_run_at)
    session.execute(update(CheckWindow).where(CheckWindow.ended_at.is_(None)).values(ended_at=CheckWindow.heartbeat_at))
    # Whether the monitor is cut off now is for the canaries of now to say.
    session.execute(update(CheckWindow).values(cut_off_since=None))
