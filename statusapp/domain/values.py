"""The values that cross the borders between layers. Instants and durations are microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from statusapp.domain.conditions import Condition
from statusapp.domain.enums import CheckKind, ErrorKind, Outcome, Rule, Status


@dataclass(frozen=True, slots=True)
class Policy:
    """How many results confirm a change, and how often they are expected."""

    interval_us: int
    failures_to_confirm: int = 3
    successes_to_confirm: int = 2


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """The state that `decide` reads and writes: one row of `endpoint_state`, less the columns of the claim.

    `run_since` is the start of the first check of the current run of good or of bad results. `history` holds the last
    21 outcomes, a bit each, the newest lowest, 1 for a failure. After `silent_after` without a result nothing is known.
    """

    status: Status = Status.UNKNOWN
    status_since: int = 0
    history: int = 0
    failures: int = 0
    successes: int = 0
    slow: int = 0
    fast: int = 0
    run_since: int | None = None
    last_checked_at: int | None = None
    silent_after: int | None = None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A service has passed from one status to another. `started_at` may lie before the check that confirmed it."""

    previous: Status
    status: Status
    started_at: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a result: the new state, the changes to record, and whether to look again soon."""

    health: EndpointHealth
    changes: tuple[StatusChange, ...] = ()
    retry_soon: bool = False


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a good answer is. A condition with True beside it degrades the service instead of failing it."""

    status_codes: str = "200-299"
    conditions: tuple[tuple[Condition, bool], ...] = ()
    slow_us: int | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatFacts:
    """What was known of the pings of a heartbeat at the instant `read_at`. `failure` is what the newest one reported;
    `started_at` is set while a job has said that it began and not that it ended."""

    read_at: int
    created_at: int
    last_ping_at: int | None = None
    started_at: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What to check and what to expect. `options` is of the class that the kind of `url` has for them.

    `secrets` are the texts in it that no message may repeat; `problem` says why it cannot be checked at all.
    """

    url: str
    timeout_ms: int = 10_000
    method: str = "GET"
    expected: Expectations = Expectations()
    options: Any = None
    secrets: tuple[str, ...] = ()
    problem: str | None = None
    facts: HeartbeatFacts | None = None


@dataclass(slots=True)
class ProbeResult:
    """What one probe saw. Durations are microseconds, `started_at` is an instant; None where a phase was not reached.

    `error` is a sentence for the operator; `peer` the packed address of the server that answered;
    `certificate_expires_at` the instant at which its certificate ends, where one was seen; `detail` what else a
    person wants to see who looks into it: the conditions with what was found, the certificate. Not frozen, for it is
    one per check: a frozen dataclass costs three times as much to make.
    """

    started_at: int
    outcome: Outcome
    error_kind: ErrorKind = ErrorKind.NONE
    error: str | None = None
    status_code: int | None = None
    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
    wait_us: int | None = None
    transfer_us: int | None = None
    total_us: int = 0
    size: int | None = None
    peer: bytes | None = None
    detail: dict[str, Any] | None = None
    certificate_expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one check: of this endpoint, for this slot, as long as nobody holds a higher fence."""

    endpoint_id: int
    slot: int
    kind: CheckKind
    fence: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of the ledger: the status of one endpoint from `start` up to `end`."""

    status: Status
    start: int
    end: int
