"""Histograms: small, exact in their sums, and within five per cent in their percentiles."""

from __future__ import annotations

import math
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.histogram import (
    LARGEST,
    bucket_middle,
    bucket_of,
    bucket_sql,
    decode,
    encode,
    merged,
    merged_packed,
    percentile,
)

durations = st.one_of(
    st.integers(0, LARGEST), st.integers(0, 31).flatmap(lambda bits: st.integers(0, min(2**bits, LARGEST)))
)


def histogram_of(values: list[int]) -> dict[int, int]:
    return merged({bucket_of(value): 1} for value in values)


def exact_percentile(values: list[int], share: float) -> int:
    return sorted(values)[max(math.ceil(share * len(values) - 1e-9), 1) - 1]


@given(durations)
def test_the_middle_of_a_bucket_is_within_a_thirty_second_of_its_values(value: int) -> None:
    assert abs(bucket_middle(bucket_of(value)) - value) <= value / 32


@given(durations, durations)
def test_buckets_are_in_the_order_of_their_values(one: int, other: int) -> None:
    assert (bucket_of(one) <= bucket_of(other)) == (one <= other) or bucket_of(one) == bucket_of(other)


def test_the_database_finds_the_same_bucket() -> None:
    values = sorted({max(2**bits + offset, 0) for bits in range(31) for offset in (-1, 0, 1, 7)} | {LARGEST})
    database = sqlite3.connect(":memory:")
    for value in values:
        (found,) = database.execute(f"SELECT {bucket_sql('v')} FROM (SELECT ? AS v)", (value,)).fetchone()
        assert found == bucket_of(value), value
    database.close()


@given(st.lists(durations, min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentiles_are_within_five_per_cent_of_the_exact_ones(values: list[int], share: float) -> None:
    found = percentile(histogram_of(values), share, min(values), max(values))
    assert found == pytest.approx(exact_percentile(values, share), rel=0.05)


@given(st.lists(st.lists(durations, max_size=50), max_size=5))
def test_a_sum_of_histograms_is_the_histogram_of_all(parts: list[list[int]]) -> None:
    together = [value for part in parts for value in part]
    assert merged(histogram_of(part) for part in parts) == histogram_of(together)
    assert merged_packed(encode(histogram_of(part)) for part in parts) == histogram_of(together)


@given(st.dictionaries(st.integers(0, 500), st.integers(1, 10**9)))
def test_what_was_packed_comes_back(histogram: dict[int, int]) -> None:
    assert decode(encode(histogram)) == histogram


def test_an_hour_of_checks_every_minute_takes_some_tens_of_bytes() -> None:
    values = [20_000 + 700 * number for number in range(60)]
    assert len(encode(histogram_of(values))) <= 60


def test_what_is_cut_off_is_refused() -> None:
    packed = encode({3: 5, 400: 1000})
    for length in range(1, len(packed)):
        if length == 2:
            continue  # The first bucket alone is a histogram too.
        with pytest.raises(ValueError, match="cut off"):
            merged_packed([packed, packed[:length]])
        with pytest.raises(ValueError, match="cut off"):
            decode(packed[:length])
