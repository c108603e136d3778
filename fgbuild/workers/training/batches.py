"""Prefix-shared batches: a prefix tree of rows, packed into one.

All rows of a domain begin with the same developer turn (its tool declarations), which is most
of their tokens, and rows made from one conversation share their past. Each shared part is in the
batch once; `attention` lets a token see its ancestors and nothing else, so that the loss and its
gradient equal those of padded rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from fgbuild.workers.training.tree import Node, grow, pack, separate

Batch = dict[str, torch.Tensor]

IGNORED = -100
"""The label of a token that is not supervised, as everywhere in transformers."""


def supervised(row: dict[str, Any]) -> list[int]:
    """Labels of a tokenized row: the token itself inside its supervised spans, −100 elsewhere."""
    labels = [IGNORED] * len(row["input_ids"])
    for start, end in row["spans"]:
        labels[start:end] = row["input_ids"][start:end]
    return labels


class PrefixCollator:
    """Rows of {"input_ids", "labels"} → one packed batch of size 1.

    The batch holds, with L packed tokens, N nodes, depth D and S different targets:
    input_ids, position_ids [1, L]; paths [N, D], the packed starts of a node's ancestors and of itself,
    −1 after it; ends [N], where its tokens end; target_index [S], the packed position that
    predicts; shift_labels [S], the id it should predict; target_weights [S], how many rows ask
    for that; represented [], the tokens of all rows without sharing; labels [T], the ids that the rows
    ask for, one by one: by that name and by its length transformers' Trainer normalises a loss.
    """

    def __init__(self, *, sharing: bool) -> None:
        self.sharing = sharing

    def __call__(self, rows: Sequence[dict[str, Any]]) -> Batch:
        ids = [row["input_ids"] for row in rows]
        root = grow(ids) if self.sharing else separate(ids)
        paths = pack(root)
        tokens = [token for path in paths for token in path[-1].tokens]
        positions = [
            position
            for path in paths
            for position in range(path[-1].position, path[-1].position + len(path[-1].tokens))
        ]
        targets: Counter[tuple[int, int]] = Counter()
        for path in root.walk():
            for number in path[-1].rows:
                targets.update(_targets(path, rows[number]["labels"]))
        ordered = sorted(targets.items())
        depth = max(map(len, paths))
        starts = [[node.start for node in path] + [-1] * (depth - len(path)) for path in paths]
        return {
            "input_ids": torch.tensor([tokens]),
            "position_ids": torch.tensor([positions]),
            "paths": torch.tensor(starts),
            "ends": torch.tensor([path[-1].end for path in paths]),
            "target_index": torch.tensor([at for (at, _), _ in ordered], dtype=torch.long),
            "shift_labels": torch.tensor([label for (_, label), _ in ordered], dtype=torch.long),
            "target_weights": torch.tensor([count for _, count in ordered], dtype=torch.float32),
            "labels": torch.tensor([label for (_, label), count in ordered for _ in range(count)], dtype=torch.long),
            "represented": torch.tensor(sum(map(len, ids))),
        }


def _targets(path: tuple[Node, ...], labels: Sequence[int]) -> list[tuple[int, int]]:
    """(packed position that predicts, id to predict) for each supervised token of the row that ends `path`."""
    places = [place for node in path for place in range(node.start, node.end)]
    return [(places[at - 1], label) for at, label in enumerate(labels) if label != IGNORED and at > 0]
