"""Rows of token ids as a prefix tree: what several rows begin with is there once.

The tree is packed depth first, so that a node and all below it are one range of the packed
batch: a token sees the tokens of its node's ancestors and, of its own node, those before it.
Positions count from the start of the row, whichever node a token stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

LEAST_SAVED = 8
"""Tokens that a shared node must save: each node costs a few matrix products of its own in every layer."""


@dataclass(slots=True)
class Node:
    """Tokens that the rows below it have in common, after what their ancestors hold.

    rows: numbers of the rows that end in this node. start: where its tokens begin in the packed
    batch, set by `packed`. position: that of its first token in every row.
    """

    tokens: list[int]
    position: int
    rows: list[int] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    start: int = -1

    @property
    def end(self) -> int:
        """One past its last token in the packed batch."""
        return self.start + len(self.tokens)

    def walk(self, path: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
        """Paths from the root to every node, depth first."""
        path = (*path, self)
        yield path
        for child in self.children:
            yield from child.walk(path)


def grow(rows: Sequence[list[int]]) -> Node:
    """The prefix tree of `rows`; its root may hold no tokens. Children stand in the order of their first rows."""
    root = _grow(rows, list(range(len(rows))), 0)
    _prune(root)
    return root


def separate(rows: Sequence[list[int]]) -> Node:
    """The tree in which no row shares anything."""
    return Node([], 0, [], [Node(ids, 0, [number]) for number, ids in enumerate(rows)])


def pack(root: Node) -> list[tuple[Node, ...]]:
    """Give every node its place in the packed batch; the paths to all nodes that hold tokens, in that order."""
    paths, start = [], 0
    for path in root.walk():
        path[-1].start = start
        start = path[-1].end
        if path[-1].tokens:
            paths.append(tuple(node for node in path if node.tokens))
    return paths


def _grow(rows: Sequence[list[int]], numbers: list[int], depth: int) -> Node:
    first = rows[numbers[0]]
    if len(numbers) == 1:
        return Node(first[depth:], depth, numbers)
    rest = [rows[number][depth:] for number in numbers]
    common = _common(min(rest), max(rest))
    below = depth + common
    node = Node(first[depth:below], depth)
    groups: dict[int, list[int]] = {}
    for number in numbers:
        if len(rows[number]) == below:
            node.rows.append(number)
        else:
            groups.setdefault(rows[number][below], []).append(number)
    node.children = [_grow(rows, group, below) for group in groups.values()]
    return node


def _common(first: list[int], second: list[int]) -> int:
    """How many ids both begin with: of the smallest and the largest row, as many as of all between them."""
    return next((at for at, pair in enumerate(zip(first, second)) if pair[0] != pair[1]), min(len(first), len(second)))


def _prune(node: Node) -> None:
    """Undo the sharing of nodes that save too little: their tokens go into each of their children."""
    kept: list[Node] = []
    for child in node.children:
        _prune(child)
        heirs = len(child.children) + len(child.rows)
        if not child.children or len(child.tokens) * (heirs - 1) >= LEAST_SAVED:
            kept.append(child)
            continue
        kept += [Node(list(child.tokens), child.position, [row]) for row in child.rows]
        for grandchild in child.children:
            grandchild.tokens = child.tokens + grandchild.tokens
            grandchild.position = child.position
            kept.append(grandchild)
    node.children = kept
