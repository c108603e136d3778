"""Calls that mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.functiongemma import Call
from fgbuild.workers.evaluating.syntax import same_syntax
from fgbuild.workers.inference.tool_calls import same_calls

PARAMETERS = {
    "find": {"properties": {"path": {"type": "string"}, "limit": {"type": "integer", "default": 10}}},
    "undo": {},
}


def find(**arguments: Any) -> Call:
    return Call("find", arguments)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([find(path="a")], [find(path="a", limit=10)], True),
        ([find(path="a", limit=10.0)], [find(path="a")], True),
        ([find(path="a", limit=11)], [find(path="a")], False),
        ([find(path="A")], [find(path="a")], False),  # BFCL takes these two
        ([find(path="src/a.py")], [find(path="src a.py")], False),  # and these for the same
        ([find(path="a"), find(path="b")], [find(path="b"), find(path="a")], True),
        ([find(path="a"), find(path="a")], [find(path="a"), find(path="b")], False),
        ([find(path="a")], [find(path="a"), find(path="a")], False),
        ([Call("undo", {})], [find()], False),
        ([Call("jump", {"n": 1})], [Call("jump", {"n": 1})], True),  # not declared, and yet the same
        ([find(path="a", limit=True)], [find(path="a", limit=1)], False),
        ([], [], True),
    ],
)
def test_what_means_the_same(left: list[Call], right: list[Call], same: bool) -> None:
    assert same_syntax(left, right, PARAMETERS) is same
    assert same_syntax(right, left, PARAMETERS) is same


CALLS = st.lists(
    st.one_of(
        st.builds(find, path=st.sampled_from("ab"), limit=st.sampled_from([10, 11])),
        st.builds(find, path=st.sampled_from("ab")),
        st.just(Call("undo", {})),
    ),
    max_size=4,
)


@given(CALLS, CALLS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_what_is_equal_stays_so(left: list[Call], right: list[Call], rng: Any) -> None:
    shuffled = rng.sample(left, len(left))
    assert same_syntax(left, shuffled, PARAMETERS)
    assert same_syntax(left, right, PARAMETERS) == same_syntax(shuffled, right, PARAMETERS)
    if same_calls(left, right):
        assert same_syntax(left, right, PARAMETERS)
