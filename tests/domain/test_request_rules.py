"""Rules about requests: when something is said, and when not."""

from __future__ import annotations

import pytest

from statusapp.domain.request_rules import (
    RequestLimits,
    RouteWindow,
    SeenError,
    find_failing,
    find_new_errors,
    find_slow,
)
from statusapp.domain.request_sums import RequestSums

LIMITS = RequestLimits(slow_us=1_000_000, error_percent=5, least=20)


def window(name: str, durations_ms: list[int], failing: int = 0, slow_us: int | None = None) -> RouteWindow:
    sums = RequestSums()
    for number, duration in enumerate(durations_ms):
        status = 500 if number < failing else 200
        sums.add_request(status, duration * 1000, 1, is_slow=False, went_away=False)
    return RouteWindow(name, sums, slow_us)


def test_one_slow_request_in_twenty_is_said_and_fewer_are_not() -> None:
    slow, fast = window("GET /slow", [10] * 90 + [3000] * 10), window("GET /fast", [10] * 97 + [3000] * 3)
    (finding,) = find_slow([fast, slow], LIMITS)
    assert str(finding).startswith("GET /slow takes ")
    assert finding.found == pytest.approx(3, rel=0.05)
    assert (finding.limit, finding.count) == (1.0, 100)


def test_a_routes_own_threshold_stands_above_the_setting() -> None:
    report = [2000] * 50
    assert find_slow([window("GET /report", report, slow_us=5_000_000)], LIMITS) == []
    assert len(find_slow([window("GET /ping", [200] * 50, slow_us=100_000)], LIMITS)) == 1


def test_few_requests_say_nothing() -> None:
    assert find_slow([window("GET /", [5000] * 19)], LIMITS) == []
    assert find_failing([window("GET /", [5] * 19, failing=19)], LIMITS) == []


def test_the_share_of_failures_counts_and_not_their_number() -> None:
    bad, big = window("POST /pay", [5] * 100, failing=6), window("GET /", [5] * 1000, failing=50)
    (finding,) = find_failing([big, bad], LIMITS)
    assert str(finding) == "6.0 % of 100 requests to POST /pay fail (more than 5.0 %)"


def test_refused_requests_are_the_clients_fault() -> None:
    sums = RequestSums()
    for status in [404] * 50 + [200] * 50:
        sums.add_request(status, 1000, 1, is_slow=False, went_away=False)
    assert find_failing([RouteWindow("GET /", sums)], LIMITS) == []
    assert sums.client_error_percent == 50


def test_a_sample_counts_for_what_it_stands_for() -> None:
    sums = RequestSums()
    sums.add_request(200, 1000, 10.0, is_slow=False, went_away=False)
    sums.add_request(500, 2000, 1.0, is_slow=True, went_away=True)
    assert (sums.count, sums.failures, sums.slow, sums.went_away, sums.sum_us) == (11, 1, 1, 1, 12_000)


def test_only_errors_never_met_before_are_new() -> None:
    errors = [SeenError("KeyError in POST /pay", 100, 3), SeenError("OSError in GET /", 5, 900)]
    assert [str(finding) for finding in find_new_errors(errors, 50)] == ["New error: KeyError in POST /pay, 3 times"]
