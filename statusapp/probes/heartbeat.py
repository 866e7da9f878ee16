"""Heartbeat: nothing is asked; a job of the operator's calls in, and is late when it has not done so in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.observations import Observation
from statusapp.domain.options import InvalidOption, option
from statusapp.domain.values import HeartbeatFacts, ProbeResult, Target
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.probes.connecting import ProbeFailed
from statusapp.probes.guard import Guard
from statusapp.probes.kind import Kind

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class HeartbeatOptions:
    """When pings are expected: each `period`, or by a cron expression; and how late they may come."""

    period: int = option(86_400, "seconds between two pings", low=10, high=366 * 86_400)
    cron: str = option("", "a cron expression instead of the period, as in 15 3 * * *")
    time_zone: str = option("UTC", "the time zone of the cron expression")
    grace: int = option(3600, "seconds that a ping may be late, and a started job may run", low=1, high=30 * 86_400)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidOption(
                f"{self.time_zone!r} is no time zone; write for example Europe/Berlin", "time_zone"
            ) from None
        if self.cron and (len(self.cron.split()) != 5 or not croniter.is_valid(self.cron)):
            raise InvalidOption(f"{self.cron!r} is no cron expression; write for example 15 3 * * *", "cron")


def deadline(options: HeartbeatOptions, last_ping_at: int) -> int:
    """When the ping after `last_ping_at` is late, in microseconds since the epoch."""
    grace = options.grace * SECOND
    if not options.cron:
        return last_ping_at + options.period * SECOND + grace
    last = datetime.fromtimestamp(last_ping_at / SECOND, ZoneInfo(options.time_zone))
    following: datetime = croniter(options.cron, last).get_next(datetime)
    return int(following.timestamp()) * SECOND + grace


async def probe(target: Target, result: ProbeResult, _guard: Guard) -> Observation | None:
    """Judge what was known of the pings when the check was claimed, as of that instant."""
    facts, options = target.facts, target.options
    if not isinstance(facts, HeartbeatFacts):
        raise ProbeFailed(ErrorKind.INTERNAL, "nothing is known of its pings")
    if facts.failure is not None:
        raise ProbeFailed(ErrorKind.REPORTED, facts.failure)
    if facts.started_at is not None and facts.read_at > facts.started_at + options.grace * SECOND:
        raise ProbeFailed(ErrorKind.LATE, f"started at {_time(facts.started_at)} and has not ended since")
    if facts.last_ping_at is None and facts.read_at <= deadline(options, facts.created_at):
        result.outcome, result.error = Outcome.WAITING, "no ping yet"
        return None
    late_at = deadline(options, facts.last_ping_at or facts.created_at)
    if facts.read_at > late_at:
        last = "no ping ever" if facts.last_ping_at is None else f"the last ping was at {_time(facts.last_ping_at)}"
        raise ProbeFailed(ErrorKind.LATE, f"late since {_time(late_at)}: {last}")
    return None


def _time(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant / SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _check_address(url: str) -> None:
    if url != HEARTBEAT:
        raise ValueError("a heartbeat has no address; write heartbeat:")


KIND = Kind("Heartbeat", ("heartbeat",), HEARTBEAT, HeartbeatOptions, (), _check_address, probe)
