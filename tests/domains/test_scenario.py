"""Draws keep to their split's part of a pool, and say so where it cannot be done."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.scenario import Draw, Split, belongs_to_eval

POOL = [f"src/module_{number}.py" for number in range(40)]
TRAIN = [value for value in POOL if not belongs_to_eval(value)]
EVAL = [value for value in POOL if belongs_to_eval(value)]


@given(st.integers(0, 2**32), st.sampled_from(["train", "eval"]))
def test_values_come_from_the_split_s_part(seed: int, split: Split) -> None:
    draw = Draw(random.Random(seed), split)
    part = EVAL if split == "eval" else TRAIN
    assert draw.pick(POOL) in part
    values = draw.sample(POOL, 3)
    assert set(values) <= set(part)
    assert len(set(values)) == 3
    assert belongs_to_eval(draw.number(1, 200)) == (split == "eval")


def test_a_pool_without_a_value_of_the_split_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of 5 values none is the eval split's; .* twenty"):
        Draw(random.Random(1), "eval").pick(TRAIN[:5])
    with pytest.raises(ValueError, match=r"of 3 values none is the train split's"):
        Draw(random.Random(1), "train").pick(EVAL[:3])


def test_more_values_than_the_split_has_are_refused() -> None:
    pool = [*EVAL[:2], *TRAIN[:6]]
    assert sorted(Draw(random.Random(1), "eval").sample(pool, 2)) == sorted(EVAL[:2])
    with pytest.raises(ValueError, match=r"of 8 values 2 are the eval split's, too few for a sample of 3"):
        Draw(random.Random(1), "eval").sample(pool, 3)


def test_a_range_without_a_number_of_the_split_is_refused() -> None:
    start = next(n for n in range(10_000) if not any(belongs_to_eval(n + step) for step in range(12)))
    with pytest.raises(ValueError, match="of 12 values none is the eval split's"):
        Draw(random.Random(1), "eval").number(start, start + 11)
