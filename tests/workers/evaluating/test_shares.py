"""Shares and Wilson's interval."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.workers.evaluating.shares import Shares, Z, wilson
from fgbuild.workers.evaluating.speed import percentile

COUNTS = st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_values_of_the_literature(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5.1e-5)


@given(COUNTS)
def test_its_ends_are_where_the_score_test_just_rejects(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson(successes, trials)
    share = successes / trials
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) / math.sqrt(end * (1 - end) / trials) == pytest.approx(Z, rel=1e-6)


@given(COUNTS)
def test_it_is_the_mirror_of_the_failures_and_narrows_with_more(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson(successes, trials)
    mirrored = wilson(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)
    more_low, more_high = wilson(4 * successes, 4 * trials)
    assert more_high - more_low < high - low


def test_a_share_over_nothing_has_no_interval() -> None:
    shares = Shares()
    shares.add("a", [])
    shares.add("b", [], due=True)
    shares.add("c", [True, False])
    assert shares.values == {"a": None, "b": 0.0, "c": 0.5}
    assert set(shares.intervals) == {"c"}


@given(st.lists(st.floats(0, 9), min_size=1, max_size=50), st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= round(share * 100) * len(values)
    smaller = [value for value in values if value < found]
    assert len(smaller) * 100 < round(share * 100) * len(values)
