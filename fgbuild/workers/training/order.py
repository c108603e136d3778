"""The order in which a training sees its rows: batches of rows that begin alike, shuffled by seed and epoch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

from fgbuild.functiongemma.tokens import END_OF_TURN_ID


def developer_turn(ids: Sequence[int]) -> tuple[int, ...]:
    """The first turn of a prompt, in which FunctionGemma declares its tools."""
    return tuple(ids[: ids.index(END_OF_TURN_ID) + 1]) if END_OF_TURN_ID in ids else ()


class SharedPromptSampler(Sampler[int]):
    """Row numbers in an order in which each `batch` consecutive ones have the same tools, as far as that goes.

    Rows are shuffled within their tools, batches among each other; what fills no batch of one kind comes last.
    Another epoch gives another order, the same seed and epoch the same one.
    """

    def __init__(self, prompts: Sequence[tuple[int, ...]], batch: int, seed: int) -> None:
        self._groups: dict[tuple[int, ...], list[int]] = {}
        for number, prompt in enumerate(prompts):
            self._groups.setdefault(prompt, []).append(number)
        self._count = len(prompts)
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        rng = random.Random(f"{self._seed}/{self._epoch}")
        batches, rest = [], []
        for group in self._groups.values():
            rows = rng.sample(group, len(group))
            whole = len(rows) - len(rows) % self._batch
            batches += [rows[start : start + self._batch] for start in range(0, whole, self._batch)]
            rest += rows[whole:]
        rng.shuffle(batches)
        rng.shuffle(rest)
        return iter([number for batch in batches for number in batch] + rest)
