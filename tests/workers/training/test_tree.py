"""The prefix tree of a batch: every row can be read off its path, and what rows share is there once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from train_sample import branching

from fgbuild.workers.training.tree import LEAST_SAVED, Node, grow, pack, separate

TREES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=8)
"""Few ids, so that rows share prefixes, are prefixes of each other, and are equal."""

LONG = branching(most=8, ends=5)
"""Rows that share enough for nodes to stay."""


def read(root: Node) -> dict[int, list[int]]:
    """Row number → the tokens on the path to the node that it ends in."""
    found: dict[int, list[int]] = {}
    for path in root.walk():
        for number in path[-1].rows:
            assert number not in found
            found[number] = [token for node in path for token in node.tokens]
    return found


@settings(deadline=None, max_examples=300)
@given(rows=st.one_of(TREES, LONG))
def test_every_row_stands_on_its_path(rows: list[list[int]]) -> None:
    for tree in (grow(rows), separate(rows)):
        assert read(tree) == dict(enumerate(rows))


@settings(deadline=None, max_examples=300)
@given(rows=st.one_of(TREES, LONG))
def test_shared_nodes_save_enough_and_siblings_nothing_more(rows: list[list[int]]) -> None:
    root = grow(rows)
    packed = sum(len(path[-1].tokens) for path in root.walk())
    assert packed <= sum(map(len, rows))
    for *above, node in root.walk():
        assert node.position == sum(len(ancestor.tokens) for ancestor in above)
        if above and node.children:
            assert len(node.tokens) * (len(node.children) + len(node.rows) - 1) >= LEAST_SAVED
    # What all rows begin with is in the root, and so once.
    common = 0
    while all(len(row) > common and row[common] == rows[0][common] for row in rows):
        common += 1
    assert len(root.tokens) == common


@settings(deadline=None, max_examples=300)
@given(rows=st.one_of(TREES, LONG))
def test_a_node_and_all_below_it_are_one_range(rows: list[list[int]]) -> None:
    root = grow(rows)
    paths = pack(root)
    at = 0
    for path in paths:
        assert path[-1].start == at
        at = path[-1].end
    for path in paths:
        below = [other[-1] for other in paths if path[-1] in other]
        assert max(node.end for node in below) - path[-1].start == sum(len(node.tokens) for node in below)


def test_turns_of_a_conversation_are_several_levels() -> None:
    tools, ask, answer = list(range(100, 130)), list(range(200, 220)), list(range(300, 320))
    rows = [[*tools, *ask, *answer], [*tools, *ask, *answer, 7, 8], [*tools, *ask, 9], [*tools, 5]]
    root = grow(rows)
    assert root.tokens == tools
    (first, last) = root.children
    assert (first.tokens, last.tokens, last.rows) == (ask, [5], [3])
    (second, third) = first.children
    assert (second.tokens, second.rows) == (answer, [0])
    assert (second.children[0].tokens, second.children[0].rows, third.rows) == ([7, 8], [1], [2])


def test_what_saves_too_little_is_not_shared() -> None:
    rows = [[1] * 50 + [2] * (LEAST_SAVED - 1) + [3], [1] * 50 + [2] * (LEAST_SAVED - 1) + [4], [1] * 50 + [5]]
    assert [len(path[-1].tokens) for path in grow(rows).walk()] == [50, LEAST_SAVED, LEAST_SAVED, 1]


def test_equal_rows_are_one_node() -> None:
    assert [(path[-1].tokens, path[-1].rows) for path in grow([[1, 2], [1, 2]]).walk()] == [([1, 2], [0, 1])]
