"""Prefix-shared batches: `[prefix | row 1 | row 2 | …]`, the shared part once.

All rows of a domain begin with the same developer turn (its tool declarations), which is most
of their tokens. Positions restart at the prefix's length in every row, and `attention` lets a
row see the prefix and itself, so that the loss and its gradient equal those of padded rows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

Batch = dict[str, torch.Tensor]


def supervised(row: dict[str, Any]) -> list[int]:
    """Labels of a tokenized row: the token itself inside its supervised spans, −100 elsewhere."""
    labels = [-100] * len(row["input_ids"])
    for start, end in row["spans"]:
        labels[start:end] = row["input_ids"][start:end]
    return labels


def shared_prefix(rows: Sequence[dict[str, Any]]) -> int:
    """Tokens that all rows begin with, at most up to the first supervised token of any row.

    Every row keeps at least one token of its own, so that no row is empty.
    """
    ids = [row["input_ids"] for row in rows]
    common = len(os.path.commonprefix([min(ids), max(ids)]))
    first = min(
        next((at for at, label in enumerate(row["labels"]) if label != -100), len(row["labels"])) for row in rows
    )
    return max(0, min(common, first, min(map(len, ids)) - 1))


class PrefixCollator:
    """Rows of {"input_ids", "labels"} → one packed batch of size 1.

    The batch holds, with L packed tokens, n rows and S supervised targets:
    input_ids, position_ids [1, L]; prefix [] (its length); lengths [n] (each row's own tokens);
    target_index [S], the packed position that predicts; shift_labels [S], the id it should
    predict; represented [], the tokens that padded-free rows would have had.
    `labels` repeats shift_labels under the name by which transformers' Trainer recognises
    a batch whose loss it should normalise by the number of targets.
    """

    def __init__(self, *, sharing: bool) -> None:
        self.sharing = sharing

    def __call__(self, rows: Sequence[dict[str, Any]]) -> Batch:
        prefix = shared_prefix(rows) if self.sharing else 0
        ids = list(rows[0]["input_ids"][:prefix])
        positions = list(range(prefix))
        lengths, targets, labels = [], [], []
        for row in rows:
            offset = len(ids) - prefix
            for at in range(1, len(row["input_ids"])):
                if row["labels"][at] != -100:
                    targets.append(at - 1 if at - 1 < prefix else offset + at - 1)
                    labels.append(row["labels"][at])
            own = row["input_ids"][prefix:]
            ids += own
            positions += range(prefix, prefix + len(own))
            lengths.append(len(own))
        return {
            "input_ids": torch.tensor([ids]),
            "position_ids": torch.tensor([positions]),
            "prefix": torch.tensor(prefix),
            "lengths": torch.tensor(lengths),
            "target_index": torch.tensor(targets),
            "shift_labels": torch.tensor(labels),
            "labels": torch.tensor(labels),
            "represented": torch.tensor(sum(len(row["input_ids"]) for row in rows)),
        }
