"""The monitor itself: late checks, failing tasks, a queue that nobody empties, messages that do not get out, a network
cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from flask import current_app

from config import Settings
from statusapp.database import write_connection
from statusapp.domain.alert_life import Step
from statusapp.domain.alert_rules import Case, Judgement, judge_found
from statusapp.domain.enums import AlertKind
from statusapp.domain.instants import from_us, to_us
from statusapp.domain.monitor import DatabaseFacts
from statusapp.extensions import db
from statusapp.queries.health import load_database_facts
from statusapp.queries.metrics import HostState, list_hosts
from statusapp.services.alerts import settle
from statusapp.services.rules import Rules, load_rules

# The page says at once when it is behind; an alert is for what does not mend itself.
LATE_CHECK = timedelta(seconds=60)
LATE_TASK = timedelta(minutes=10)
LATE_MESSAGE = timedelta(minutes=5)
# Jobs are woken every few seconds; one that has waited so long has no worker that could take it.
LATE_JOB_S = 600

Problem = tuple[str, datetime] | None


def evaluate_monitor(now: int) -> dict[Step, int]:
    """Judge the monitor alone and settle it: for who is there when no worker is. `now` is in microseconds."""
    cases = list(judge_monitor(load_rules(db.session.connection(), now), now))
    db.session.rollback()
    with write_connection(db.engine) as writing:
        return settle(writing, cases, now)


def judge_monitor(rules: Rules, now: int, *, just_back: bool = False) -> Iterable[Case]:
    """Everything that may be wrong with the monitor, each a subject of its own.

    Args:
        just_back: whether nobody was there to judge for a while. What is late then is told of only if it still is the
            next time, because whoever does the work has just come back too.
    """
    settings: Settings = current_app.config["SETTINGS"]
    rule = rules.of(AlertKind.MONITOR)
    facts, moment = load_database_facts(), from_us(now)
    problems: dict[str, tuple[str, Problem]] = {
        "checks": ("Checks", _checks(facts, moment, timedelta(seconds=settings.check_window))),
        "tasks": ("Periodic tasks", _tasks(facts, moment)),
        "queue": ("Queue of jobs", _queue(list_hosts())),
        "deliveries": ("Notifications", _deliveries(facts, moment)),
        "network": ("Network of the monitor", _network(facts)),
    }
    for key, (name, problem) in problems.items():
        found, since = (None, moment) if problem is None else problem
        case = judge_found(rule, f"monitor:{key}", name, found, to_us(since))
        yield replace(case, judgement=Judgement.HELD) if just_back and problem is not None else case


def _checks(facts: DatabaseFacts, now: datetime, window: timedelta) -> Problem:
    due = facts.oldest_due_at
    if due is not None and now - due > max(LATE_CHECK, 4 * window):
        return f"a check has been due for {int((now - due).total_seconds())} s: no worker makes it", due
    return None


def _tasks(facts: DatabaseFacts, now: datetime) -> Problem:
    for task in facts.tasks:
        is_running = task.running_until is not None and task.running_until > now
        if now - task.next_run_at > LATE_TASK and not is_running:
            return f"{task.name} has not run since it was due", task.next_run_at
        if task.failed and task.last_error_at is not None:
            return f"{task.name} failed: {task.last_error}", task.last_error_at
    return None


def _queue(hosts: list[HostState]) -> Problem:
    """By the newest reading of any host: all of them see the same queues."""
    newest = max(hosts, key=lambda host: host.taken_at, default=None)
    waited = None if newest is None else newest.details.get("oldest_job_s")
    if newest is None or waited is None or waited < LATE_JOB_S:
        return None
    return f"a job has waited for {int(waited) // 60} min for a worker", newest.taken_at - timedelta(seconds=waited)


def _deliveries(facts: DatabaseFacts, now: datetime) -> Problem:
    failing = facts.failing_message_at or facts.message_due_at
    if failing is not None and now - failing > LATE_MESSAGE:
        return f"messages wait that no receiver takes, since {failing:%H:%M} UTC", failing
    if facts.broken_channels:
        return f"{facts.broken_channels} channels refuse every message: see list_channels", now
    return None


def _network(facts: DatabaseFacts) -> Problem:
    if facts.cut_off_since is None:
        return None
    return "the canary targets cannot be reached either: nothing is judged meanwhile", facts.cut_off_since
