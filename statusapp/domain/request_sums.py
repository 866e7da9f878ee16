"""Requests summed up: how many, how many went wrong in which way, and how long they took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from statusapp.domain.blocks import DAY_S, HOUR_S
from statusapp.domain.histogram import LARGEST, bucket_of
from statusapp.domain.latency import LatencySums

FIVE_MINUTES_S = 300
REQUEST_STEPS_S = (DAY_S, HOUR_S, FIVE_MINUTES_S)  # The longest first.
FAILED_FROM = 500
REFUSED_FROM = 400


@dataclass(slots=True)
class RequestSums(LatencySums):
    """Sums of requests. `failures` had a status of 500 and above or none, `client_errors` one of 400 to 499.

    Other than of checks, the response times are those of all requests, the failed ones included.
    """

    client_errors: int = 0
    slow: int = 0
    went_away: int = 0

    def add_request(self, status: int, duration_us: int, weight: float, *, is_slow: bool, went_away: bool) -> None:
        """Count in a request that stands for `weight` of them, in whole numbers."""
        count, duration_us = max(round(weight), 1), min(duration_us, LARGEST)
        self.add_requests(
            RequestSums(
                count,
                count * is_failure(status),
                count * duration_us,
                duration_us,
                duration_us,
                {bucket_of(duration_us): count},
                count * (REFUSED_FROM <= status < FAILED_FROM),
                count * is_slow,
                count * went_away,
            )
        )

    def add_requests(self, other: RequestSums) -> None:
        """Count in other sums."""
        self.add(other.count, other.failures, other.sum_us, other.min_us, other.max_us, other.histogram)
        self.client_errors += other.client_errors
        self.slow += other.slow
        self.went_away += other.went_away

    @property
    def mean_us(self) -> float | None:
        """The mean response time."""
        return self.sum_us / self.count if self.count else None

    @property
    def client_error_percent(self) -> float | None:
        """The share of requests that were refused; None when there were none."""
        return 100.0 * self.client_errors / self.count if self.count else None


def added_up(parts: Iterable[RequestSums]) -> RequestSums:
    """The sums of all of them together."""
    total = RequestSums()
    for part in parts:
        total.add_requests(part)
    return total


def is_failure(status: int) -> bool:
    """Whether an answer was the application's fault; so is none at all."""
    return status >= FAILED_FROM or status == 0
