"""Checks summed up: how many, how many failed, and the response times of those that did not."""

from __future__ import annotations

from dataclasses import dataclass, field

from statusapp.domain.enums import Outcome
from statusapp.domain.histogram import Histogram, bucket_of, percentile

# The outcomes that say something about the target; our own trouble and waiting do not.
COUNTED = (Outcome.OK, Outcome.SLOW, Outcome.FAILED)


@dataclass(slots=True)
class LatencySums:
    """Sums of checks over some time. Durations are microseconds; None where no check was answered well."""

    count: int = 0
    failures: int = 0
    sum_us: int = 0
    min_us: int | None = None
    max_us: int | None = None
    histogram: Histogram = field(default_factory=dict)

    def add_check(self, outcome: Outcome, total_us: int) -> None:
        """Count in one check with an outcome that is among `COUNTED`."""
        if outcome is Outcome.FAILED:
            self.add(1, 1, 0, None, None, {})
        else:
            self.add(1, 0, total_us, total_us, total_us, {bucket_of(total_us): 1})

    def add(
        self, count: int, failures: int, sum_us: int, min_us: int | None, max_us: int | None, histogram: Histogram
    ) -> None:
        """Count in other sums. All are of the same checks; the extremes are None where none was answered well."""
        self.count += count
        self.failures += failures
        self.sum_us += sum_us
        if min_us is not None and max_us is not None:
            self.min_us = min_us if self.min_us is None else min(self.min_us, min_us)
            self.max_us = max_us if self.max_us is None else max(self.max_us, max_us)
        mine = self.histogram
        before = mine.get
        for bucket, number in histogram.items():
            mine[bucket] = before(bucket, 0) + number

    @property
    def mean_us(self) -> float | None:
        """The mean response time."""
        answered = self.count - self.failures
        return self.sum_us / answered if answered else None

    @property
    def error_percent(self) -> float | None:
        """The share of checks that failed; None when there were none."""
        return 100.0 * self.failures / self.count if self.count else None

    def percentile(self, share: float) -> int | None:
        """The response time that `share` (over 0, up to 1) of the answers did not exceed, within 5 %."""
        if not self.histogram or self.min_us is None or self.max_us is None:
            return None
        return percentile(self.histogram, share, self.min_us, self.max_us)
