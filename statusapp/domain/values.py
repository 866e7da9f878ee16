"""The values that cross the borders between layers. Instants and durations are microseconds."""

from __future__ import annotations

from dataclasses import dataclass

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
class HttpTarget:
    """What to ask and what to expect of an HTTP endpoint."""

    url: str
    method: str
    timeout_ms: int
    expected_status_codes: str


@dataclass(slots=True)
class ProbeResult:
    """What one probe saw. Durations are microseconds, `started_at` is an instant; None where a phase was not reached.

    `error` is a sentence for the operator; `peer` the packed address of the server that answered. Not frozen, for its
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
