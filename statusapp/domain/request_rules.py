"""What is worth a word about requests: pure rules, values in and findings out, ready to become alerts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from statusapp.domain.request_sums import RequestSums


class RequestRule(StrEnum):
    """The rule that a finding comes from."""

    SLOW = "requests_slow"
    ERROR_RATE = "requests_failing"
    NEW_ERROR = "new_error"


@dataclass(frozen=True, slots=True)
class RequestFinding:
    """Something that is wrong: by which rule, of what, what was found and what would have been right."""

    rule: RequestRule
    subject: str
    found: float
    limit: float
    count: int

    def __str__(self) -> str:
        return {
            RequestRule.SLOW: f"{self.subject} takes {self.found:.2f} s for one request in twenty "
            f"(slow from {self.limit:.2f} s), of {self.count} requests",
            RequestRule.ERROR_RATE: f"{self.found:.1f} % of {self.count} requests to {self.subject} fail "
            f"(more than {self.limit:.1f} %)",
            RequestRule.NEW_ERROR: f"New error: {self.subject}, {self.count} times",
        }[self.rule]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """From where on something is worth a word.

    Attributes:
        slow_us: the p95 of a route without a threshold of its own.
        error_percent: the share of requests that fail.
        least: with fewer requests than this in the window, neither rule says anything.
    """

    slow_us: int = 1_000_000
    error_percent: float = 5.0
    least: int = 20


@dataclass(frozen=True, slots=True)
class RouteWindow:
    """The requests of one route, or of all, in the window that is looked at. `slow_us` is its own threshold."""

    name: str
    sums: RequestSums
    slow_us: int | None = None


def find_slow(windows: Iterable[RouteWindow], limits: RequestLimits) -> list[RequestFinding]:
    """Routes of which more than one request in twenty is slow, the slowest first."""
    found = []
    for window in windows:
        p95 = window.sums.percentile(0.95)
        limit = limits.slow_us if window.slow_us is None else window.slow_us
        if p95 is not None and p95 > limit and window.sums.count >= limits.least:
            found.append(RequestFinding(RequestRule.SLOW, window.name, p95 / 1e6, limit / 1e6, window.sums.count))
    return sorted(found, key=lambda finding: -finding.found)


def find_failing(windows: Iterable[RouteWindow], limits: RequestLimits) -> list[RequestFinding]:
    """Routes of which too many requests fail, those that fail most first."""
    found = []
    for window in windows:
        share = window.sums.error_percent
        if share is not None and share > limits.error_percent and window.sums.count >= limits.least:
            found.append(
                RequestFinding(RequestRule.ERROR_RATE, window.name, share, limits.error_percent, window.sums.count)
            )
    return sorted(found, key=lambda finding: -finding.found)


@dataclass(frozen=True, slots=True)
class SeenError:
    """A group of errors: how often it was met, and when first, in microseconds."""

    name: str
    first_at: int
    count: int


def find_new_errors(errors: Iterable[SeenError], since: int) -> list[RequestFinding]:
    """Errors that were never met before `since`."""
    return [
        RequestFinding(RequestRule.NEW_ERROR, error.name, error.count, 0, error.count)
        for error in errors
        if error.first_at >= since
    ]
