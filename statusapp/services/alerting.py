"""The alerting sweep: what no arriving result can tell, silence above all."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.alert_life import Step
from statusapp.domain.enums import Status
from statusapp.domain.instants import to_us
from statusapp.domain.transitions import silenced
from statusapp.domain.values import EndpointHealth
from statusapp.extensions import db
from statusapp.models import EndpointState, PeriodicTask, ServiceEndpoint
from statusapp.services.alert_sweep import evaluate_all
from statusapp.services.endpoints import repair_schedule
from statusapp.services.results import record_change

TASK = "check_endpoint_alerting_task"


def sweep(now: datetime) -> str:
    """Make silent services unknown, judge all rules of alerts, repair lost schedules."""
    here = to_us(now)
    repaired = repair_schedule(here)
    with write_transaction(db.session) as session:
        silent = record_silence(session, here)
    steps = evaluate_all(here, just_back=_is_just_back(now))
    told = ", ".join(f"{count} {step.name.lower()}" for step, count in steps.items() if step is not Step.NOTHING)
    return f"alerts: {told or 'nothing new'}; {silent} became unknown, {repaired} schedules repaired"


def _is_just_back(now: datetime) -> bool:
    """Whether the last sweep is longer ago than it should be: the system was down, or nobody was there to sweep."""
    settings: Settings = current_app.config["SETTINGS"]
    last = db.session.scalar(select(PeriodicTask.last_finished_at).where(PeriodicTask.name == TASK))
    return last is None or now - last > timedelta(seconds=2 * settings.alerting_interval)


def record_silence(session: Session, now: int) -> int:
    """Write unknown into the ledger for services that have had no result; how many they were.

    Within the caller's transaction.
    """
    count = 0
    rows = session.scalars(
        select(EndpointState)
        .join(ServiceEndpoint)
        .where(ServiceEndpoint.is_enabled, EndpointState.silent_after < now, EndpointState.status != Status.UNKNOWN)
        .with_for_update(of=EndpointState)
    ).all()
    for row in rows:
        silence = silenced(
            EndpointHealth(
                row.status, row.status_since, last_checked_at=row.last_checked_at, silent_after=row.silent_after
            ),
            now,
        )
        if silence is None:
            continue
        health, change = silence
        row.status, row.status_since, row.run_since = health.status, health.status_since, None
        row.failures = row.successes = row.slow = row.fast = 0
        session.flush()
        record_change(session.connection(), row.endpoint_id, change, now)
        count += 1
    return count
