"""The Nagios formula, by its check values."""

from __future__ import annotations

import pytest

from statusapp.domain.flapping import flapping_percent, is_flapping


@pytest.mark.parametrize(
    ("history", "percent"),
    [
        (0, 0.0),
        ((1 << 21) - 1, 0.0),
        (0b010101010101010101010, 100.0),
        (0b1, 6.25),
        (1 << 20, 3.75),
        (0b10101, 29.93),
        (0b101010, 35.53),
    ],
)
def test_the_percentage_is_that_of_nagios(history: int, percent: float) -> None:
    assert flapping_percent(history) == pytest.approx(percent, abs=0.005)


def test_flapping_starts_at_30_and_ends_at_20_percent() -> None:
    assert not is_flapping(0b10101, was_flapping=False)
    assert is_flapping(0b10101, was_flapping=True)
    assert is_flapping(0b101010, was_flapping=False)
    assert not is_flapping(0b1, was_flapping=True)
