"""Wake-ups: what may confirm an outage or its end is applied at once, and steady results wait for the second."""

from __future__ import annotations

from statusapp.domain.enums import Outcome
from statusapp.services.wake_ups import WakeUps


def test_a_steady_healthy_service_wakes_nobody() -> None:
    wake_ups = WakeUps()
    outcomes = (Outcome.OK, Outcome.SLOW, Outcome.INTERNAL_ERROR, Outcome.WAITING)
    assert not any(wake_ups.matters(1, outcome, 2) for outcome in outcomes)


def test_every_failure_matters_and_as_many_good_ones_as_confirm_the_recovery() -> None:
    wake_ups = WakeUps()
    assert wake_ups.matters(1, Outcome.FAILED, 2)
    assert wake_ups.matters(1, Outcome.FAILED, 2)
    assert [wake_ups.matters(1, Outcome.OK, 2) for _ in range(3)] == [True, True, False]


def test_our_own_trouble_is_no_good_result_and_services_are_apart() -> None:
    wake_ups = WakeUps()
    wake_ups.matters(1, Outcome.FAILED, 1)
    assert not wake_ups.matters(1, Outcome.INTERNAL_ERROR, 1)
    assert not wake_ups.matters(2, Outcome.OK, 1)
    assert wake_ups.matters(1, Outcome.OK, 1)
