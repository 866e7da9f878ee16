"""The monitor's own health: what `/health/` says of database, Redis, workers, the schedule and the periodic tasks.

Pure: everything that was found, the time included, is an argument. The words pass, warn and fail are those of
https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

START_GRACE = timedelta(seconds=60)
SILENT_WINDOWS = 3
# A check is made within milliseconds of its due time; a scheduler that is seconds behind is worth a look.
LATE_CHECK = timedelta(seconds=5)
# A message that a receiver does not take is tried again within seconds at first; then somebody should look.
LATE_MESSAGE = timedelta(minutes=2)
# Periodic tasks are woken once a window or so, which is why a few minutes pass before one counts as late.
LATE_TASK = timedelta(minutes=3)
RECENT_LOSS = timedelta(hours=1)


class Level(StrEnum):
    """How good a finding is, from best to worst."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    WARN = "warn"
    FAIL = "fail"


_ORDER = tuple(Level)


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """One periodic task. `running_until` is the lease of a run in progress."""

    name: str
    next_run_at: datetime
    running_until: datetime | None = None
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    last_duration_ms: int | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether the newest run failed. An error stays on record after the next run has gone well."""
        if self.last_error is None:
            return False
        return self.last_error_at is None or self.last_started_at is None or self.last_error_at >= self.last_started_at


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the database knows of the monitor. `heartbeat_at` is the newest sign of life of a job that checks,
    `cut_off_since` the instant from which on it could not reach its canary targets either. `lost_requests` were never
    logged, the last ones at `lost_at`. `failing_message_at` is the oldest message that no receiver took,
    `message_due_at` when the one should have gone out that is due longest, `broken_channels` how many channels an error
    has stopped that does not mend itself."""

    heartbeat_at: datetime | None = None
    cut_off_since: datetime | None = None
    oldest_due_at: datetime | None = None
    lost_requests: int = 0
    lost_at: datetime | None = None
    failing_message_at: datetime | None = None
    message_due_at: datetime | None = None
    broken_channels: int = 0
    tasks: tuple[TaskFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitorFacts:
    """Everything that was found. A thing that cannot be reached has an error in place of its facts."""

    started_at: datetime
    check_window: timedelta
    database: DatabaseFacts | None = None
    database_error: str | None = None
    database_ms: float = 0.0
    workers: int | None = None
    redis_error: str | None = None
    redis_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: `name` as component:measurement, and what was seen there."""

    name: str
    level: Level
    value: float | int | str | None = None
    unit: str | None = None
    output: str | None = None
    component: str | None = None
    details: tuple[tuple[str, str | int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The monitor's health. `is_usable` is False when whoever asks should be told 503."""

    level: Level
    findings: tuple[Finding, ...]

    @property
    def is_usable(self) -> bool:
        """Whether the monitor does its work, be it late or in part."""
        return self.level is not Level.FAIL


def judge_health(facts: MonitorFacts, now: datetime) -> Verdict:
    """What the facts amount to.

    It fails only when the database cannot be used, or when no job has checked anything for three windows and this
    process has been there long enough (60 s) to have seen one. Everything else that is wrong is a warning: a probe
    that restarts the web process on a failure would not bring back a worker.
    """
    findings = tuple(_findings(facts, now))
    worst = max((finding.level for finding in findings), key=_ORDER.index)
    return Verdict(worst, findings)


def _findings(facts: MonitorFacts, now: datetime) -> Iterator[Finding]:
    yield _judge_database(facts)
    yield _judge_redis(facts)
    yield _judge_workers(facts)
    if facts.database is not None:
        yield _judge_heartbeat(facts, facts.database, now)
        yield _judge_lag(facts.database, now)
        yield _judge_network(facts.database)
        yield _judge_losses(facts.database, now)
        yield _judge_messages(facts.database, now)
        for task in facts.database.tasks:
            yield _judge_task(task, now)


def _judge_database(facts: MonitorFacts) -> Finding:
    if facts.database is None:
        return Finding("database:responseTime", Level.FAIL, output=facts.database_error or "It cannot be used.")
    return Finding("database:responseTime", Level.PASS, round(facts.database_ms, 1), "ms")


def _judge_redis(facts: MonitorFacts) -> Finding:
    if facts.redis_error is not None:
        return Finding("redis:responseTime", Level.WARN, output=facts.redis_error)
    return Finding("redis:responseTime", Level.PASS, round(facts.redis_ms, 1), "ms")


def _judge_workers(facts: MonitorFacts) -> Finding:
    if facts.workers is None:
        return Finding("workers:count", Level.WARN, output="Not known while Redis is away.")
    if facts.workers == 0:
        return Finding("workers:count", Level.WARN, 0, output="No worker is registered.")
    return Finding("workers:count", Level.PASS, facts.workers)


def _judge_heartbeat(facts: MonitorFacts, database: DatabaseFacts, now: datetime) -> Finding:
    name, longest = "checks:sinceHeartbeat", SILENT_WINDOWS * facts.check_window
    starting = now - facts.started_at <= START_GRACE
    if database.heartbeat_at is None:
        level = Level.WARN if starting else Level.FAIL
        return Finding(name, level, output="Nothing has been checked yet.")
    age = max(now - database.heartbeat_at, timedelta())
    if age <= longest:
        return Finding(name, Level.PASS, round(age.total_seconds(), 1), "s")
    level = Level.WARN if starting else Level.FAIL
    return Finding(name, level, round(age.total_seconds(), 1), "s", "No job is checking.")


def _judge_lag(database: DatabaseFacts, now: datetime) -> Finding:
    lag = timedelta() if database.oldest_due_at is None else max(now - database.oldest_due_at, timedelta())
    seconds = round(lag.total_seconds(), 1)
    if lag > LATE_CHECK:
        return Finding("scheduler:lag", Level.WARN, seconds, "s", "A check is overdue.")
    return Finding("scheduler:lag", Level.PASS, seconds, "s")


def _judge_network(database: DatabaseFacts) -> Finding:
    if database.cut_off_since is None:
        return Finding("network:canaries", Level.PASS)
    output = f"Cut off since {_iso(database.cut_off_since)}: none of the canary targets can be reached."
    return Finding("network:canaries", Level.WARN, output=output)


def _judge_losses(database: DatabaseFacts, now: datetime) -> Finding:
    if database.lost_at is not None and now - database.lost_at <= RECENT_LOSS:
        output = f"Requests were lost on their way to the log, the last ones at {_iso(database.lost_at)}."
        return Finding("requests:lost", Level.WARN, database.lost_requests, output=output)
    return Finding("requests:lost", Level.PASS, database.lost_requests)


def _judge_messages(database: DatabaseFacts, now: datetime) -> Finding:
    waits = [moment for moment in (database.failing_message_at, database.message_due_at) if moment is not None]
    age = max((now - moment for moment in waits), default=timedelta())
    seconds = round(max(age.total_seconds(), 0.0), 1)
    output = None
    if database.broken_channels:
        output = f"Channels that cannot be used: {database.broken_channels}."
    elif age > LATE_MESSAGE:
        output = "A message has not been delivered."
    return Finding("messages:oldestUndelivered", Level.WARN if output else Level.PASS, seconds, "s", output)


def _judge_task(task: TaskFacts, now: datetime) -> Finding:
    running = task.running_until is not None and task.running_until > now
    output = None
    if task.failed:
        output = f"The last run failed: {_error_name(task.last_error)}."
    elif now - task.next_run_at > LATE_TASK and not running:
        output = "It is late."
    return Finding(
        "periodicTask:lastDuration",
        Level.WARN if output else Level.PASS,
        task.last_duration_ms,
        "ms",
        output,
        task.name,
        (
            ("last_finished_at", _iso(task.last_finished_at)),
            ("next_run_at", _iso(task.next_run_at)),
            ("last_error_at", _iso(task.last_error_at)),
        ),
    )


def _error_name(error: str | None) -> str:
    """The class of an error. The report is public, and the rest of an error's text may hold an address or worse."""
    name = (error or "").partition(":")[0].strip()
    return name if re.fullmatch(r"[A-Za-z_][\w.]{0,99}", name) else "see the operator pages"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
