"""Single checks: pools of good ones to draw from, and bad ones made one by one.

Millions of checks are wanted, so whatever costs time is done once per pool: the phases are split, the row is put into
the form that the database takes it in, the bucket of the histogram is found.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from statusapp.domain.enums import CheckKind, ErrorKind, Outcome
from statusapp.domain.histogram import bucket_of
from statusapp.domain.instants import MILLISECOND
from statusapp.domain.values import ProbeResult
from statusapp.services.demo.catalogue import Service
from statusapp.services.demo.plans import Plan

# A row is written as the values that all rows of an endpoint share, an instant, and the rest in this form.
Render = Callable[[tuple[Any, ...]], Any]

FAILED = -1  # In place of a bucket.
LEVELS = 8  # Of load: each has a pool of its own.
LEVEL_STEP = 1.1
POOL_SIZE = 192
SPIKES = 0.004
LEAST_US = 1500
SLOW_FROM = 4.0  # Times the usual response time.


class Sample(NamedTuple):
    """One check without its slot: the rest of its row, its duration, and the bucket of that."""

    row: Any
    total_us: int
    bucket: int


@dataclass(frozen=True, slots=True)
class Character:
    """How the checks of one service look. The thresholds and times are microseconds."""

    base_us: float
    spread: float
    slow_us: int
    timeout_us: int
    size: int
    peer: bytes
    host: str
    busiest_hour: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """One way to fail. `reached` counts the phases that were gone through."""

    kind: ErrorKind
    error: str
    reached: int
    low_us: int
    high_us: int
    status_code: int | None = None


_UNAVAILABLE = (
    _Failure(ErrorKind.STATUS_CODE, "HTTP 503, expected 200-299", 5, 4_000, 60_000, 503),
    _Failure(ErrorKind.STATUS_CODE, "HTTP 502, expected 200-299", 5, 6_000, 90_000, 502),
    _Failure(ErrorKind.STATUS_CODE, "HTTP 500, expected 200-299", 5, 20_000, 400_000, 500),
)
_FAILURES = (
    *_UNAVAILABLE,
    *_UNAVAILABLE,
    _Failure(ErrorKind.TIMEOUT, "no complete answer within {timeout:g} s", 3, 0, 0),
    _Failure(ErrorKind.TIMEOUT, "no complete answer within {timeout:g} s", 3, 0, 0),
    _Failure(ErrorKind.CONNECT, "Failed to connect to {host} port 443: Connection refused", 1, 700, 9_000),
    _Failure(ErrorKind.CONNECT, "Failed to connect to {host} port 443: Connection refused", 1, 700, 9_000),
    _Failure(ErrorKind.DNS, "Could not resolve host: {host}", 0, 2_000, 40_000),
    _Failure(ErrorKind.CERTIFICATE, "SSL certificate problem: certificate has expired", 2, 9_000, 60_000),
)


def character_of(service: Service, position: int, plan: Plan, chance: random.Random) -> Character:
    """The character of one service."""
    base_us = service.base_ms * MILLISECOND * chance.uniform(0.85, 1.15)
    timeout_us = plan.timeout_ms * MILLISECOND
    # On whole tens of milliseconds, as a person would set it.
    slow_us = min(max(round(base_us * SLOW_FROM, -4), 250_000), timeout_us // 2)
    return Character(
        base_us=base_us,
        spread=chance.uniform(0.12, 0.3),
        slow_us=round(slow_us),
        timeout_us=timeout_us,
        size=round(chance.lognormvariate(7.5, 1.2)) + 40,
        # The addresses that are for examples: RFC 5737.
        peer=bytes((198, 51, 100, position % 254 + 1)),
        host=service.host,
        busiest_hour=chance.uniform(12, 20),
    )


def make_pools(character: Character, chance: random.Random, render: Render) -> list[list[Sample]]:
    """Good checks for each level of load, the quietest first."""
    pools = []
    for level in range(LEVELS):
        median = character.base_us * 0.82 * LEVEL_STEP**level
        pools.append([_rendered(_good(median, character, chance), chance, render) for _ in range(POOL_SIZE)])
    return pools


def good(started_at: int, character: Character, chance: random.Random) -> ProbeResult:
    """One check that finds all well."""
    result = _good(character.base_us, character, chance)
    result.started_at = started_at
    return result


def slow(started_at: int, character: Character, chance: random.Random) -> ProbeResult:
    """One check whose answer comes late."""
    longest = (character.timeout_us / character.slow_us) * 0.8
    total_us = round(character.slow_us * min(chance.uniform(1.05, 2.4), longest))
    result = _answered(total_us, character, chance, Outcome.SLOW)
    result.started_at = started_at
    result.error = f"slow: {total_us / 1e6:.3f} s, the threshold is {character.slow_us / 1e6:g} s"
    return result


def failed(started_at: int, which: float, character: Character, chance: random.Random) -> ProbeResult:
    """One check that fails, in the way that `which` (0 up to 1) chooses."""
    failure = _FAILURES[int(which * len(_FAILURES))]
    error = failure.error.format(timeout=character.timeout_us / 1e6, host=character.host)
    total_us = chance.randint(failure.low_us, failure.high_us) or character.timeout_us
    if failure.status_code is not None:
        result = _answered(total_us, character, chance, Outcome.FAILED)
        result.status_code, result.size = failure.status_code, chance.randint(80, 700)
    else:
        # What was not reached has no length; the time went into the phase that did not come to its end.
        parts = [chance.randint(150, max(total_us // 8, 151)) for _ in range(failure.reached)]
        dns_us, connect_us, tls_us = (*parts, None, None, None)[:3]
        peer = character.peer if failure.reached > 1 else None
        result = ProbeResult(
            0, Outcome.FAILED, dns_us=dns_us, connect_us=connect_us, tls_us=tls_us, total_us=total_us, peer=peer, size=0
        )
    result.started_at, result.error_kind, result.error = started_at, failure.kind, error
    return result


def lateness(chance: random.Random) -> int:
    """How late a check begins, in microseconds."""
    return min(150 + round(chance.expovariate(1 / 600)), 20_000)


def sample_of(result: ProbeResult, kind: CheckKind, late_us: int, render: Render) -> Sample:
    """A check in the form that is summed up and written; the columns of the row after its slot."""
    row = (
        int(kind), int(result.outcome), int(result.error_kind), result.status_code, late_us, result.dns_us,
        result.connect_us, result.tls_us, result.wait_us, result.transfer_us, result.total_us, result.size, result.peer,
    )  # fmt: skip
    bucket = FAILED if result.outcome is Outcome.FAILED else bucket_of(result.total_us)
    return Sample(render(row), result.total_us, bucket)


def _rendered(result: ProbeResult, chance: random.Random, render: Render) -> Sample:
    return sample_of(result, CheckKind.SCHEDULED, lateness(chance), render)


def _good(median_us: float, character: Character, chance: random.Random) -> ProbeResult:
    """One good answer; now and then a spike, but nothing that counts as slow."""
    total = median_us * chance.lognormvariate(0, character.spread)
    if chance.random() < SPIKES:
        total *= chance.uniform(2, 3.5)
    total_us = round(min(max(total, LEAST_US), character.slow_us * 0.95))
    return _answered(total_us, character, chance, Outcome.OK)


def _answered(total_us: int, character: Character, chance: random.Random, outcome: Outcome) -> ProbeResult:
    """An answer whose phases make up its time."""
    dns_us = round(total_us * chance.uniform(0.01, 0.06))
    connect_us = round(total_us * chance.uniform(0.08, 0.16))
    tls_us = round(total_us * chance.uniform(0.16, 0.28))
    transfer_us = round(total_us * chance.uniform(0.01, 0.05))
    return ProbeResult(
        0,
        outcome,
        status_code=200,
        dns_us=dns_us,
        connect_us=connect_us,
        tls_us=tls_us,
        wait_us=total_us - dns_us - connect_us - tls_us - transfer_us,
        transfer_us=transfer_us,
        total_us=total_us,
        size=character.size,
        peer=character.peer,
    )
