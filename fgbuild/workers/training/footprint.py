"""What memory a training will take, known before its first step."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from fgbuild.workers.training.batches import IGNORED

WASTE = 1.15
"""What the heap grows by over a training, whose blocks have another size in each batch, and what one layer's backward
pass takes beside all that is kept."""

BATCHES = 500
"""Batches of the training's order that are looked at for the largest: 1 ms each."""

_CGROUP = Path("/sys/fs/cgroup")

Trained = Any
"""A transformers Trainer of ours: it may have `head_bytes`, what its loss takes for a number of targets."""


@dataclass(frozen=True)
class Footprint:
    """Memory in bytes, of the process, or of the GPU where one trains.

    resident: libraries and weights. optimizer: gradients and AdamW's two moments, in fp32. per_token: what is kept of a
    packed token for the backward pass. head: targets of a batch → what the vocabulary head takes for them.
    """

    resident: int
    optimizer: int
    per_token: float
    head: Callable[[int], int]

    def step(self, tokens: int, targets: int) -> int:
        """What an optimizer step over batches of so many packed tokens and targets takes beyond `resident`."""
        return self.optimizer + round(WASTE * (tokens * self.per_token + self.head(targets)))

    def largest_step(self, sizes: Sequence[tuple[int, int]]) -> int:
        """The same for the batch that takes most; sizes: (packed tokens, targets) of each."""
        return max((self.step(*size) for size in sizes), default=self.optimizer)


def measure(trainer: Trained, rows: Sequence[dict[str, Any]]) -> Footprint:
    """The footprint by two forward passes, over the longest of `rows` and over it and the next.

    What is kept grows by the same with each token. One target each: the head has a formula of its own. Random numbers
    and weights stay as they were.
    """
    longest = sorted(rows, key=lambda row: len(row["input_ids"]), reverse=True)[:2]
    short = [_with_one_target(row) for row in longest]
    with torch.random.fork_rng():
        (first, tokens, resident), (second, more, _) = (_kept(trainer, short[:count]) for count in (1, len(short)))
    each = (second - first) / (more - tokens) if more > tokens else first / tokens
    return Footprint(
        resident=resident,
        optimizer=12 * sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        per_token=each,
        head=getattr(trainer, "head_bytes", lambda targets: 0),
    )


def batch_sizes(trainer: Trained) -> list[tuple[int, int]]:
    """(packed tokens, targets) of the batches of the first epoch, in the order in which they will come.

    Only of those that `max_steps` reaches: an epoch ends with rows that share no prompt, in its largest batches.
    """
    order = trainer._get_train_sampler(trainer.train_dataset)
    rows, size = trainer.train_dataset, trainer.args.train_batch_size
    reached = trainer.args.max_steps * trainer.args.gradient_accumulation_steps
    count = min(BATCHES, reached) if reached > 0 else BATCHES
    found: list[tuple[int, int]] = []
    numbers = iter(order)
    while len(found) < count and (chosen := list(islice(numbers, size))):
        found.append(size_of(trainer, [rows[number] for number in chosen]))
    return found


def size_of(trainer: Trained, rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """(packed tokens, targets) of one batch."""
    batch = trainer.data_collator(list(rows))
    labels = batch["labels"]
    return batch["input_ids"].numel(), int((labels != IGNORED).sum())


def free_bytes() -> int:
    """Memory that is free now on the device that trains."""
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return free + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    free = psutil.virtual_memory().available
    with contextlib.suppress(OSError, ValueError):  # no control group, or one without a limit
        limit, used = (int((_CGROUP / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        free = min(free, limit - used)
    return free


def _with_one_target(row: dict[str, Any]) -> dict[str, Any]:
    labels = [IGNORED] * len(row["labels"])
    labels[-1] = row["input_ids"][-1]
    return {"input_ids": row["input_ids"], "labels": labels}


def _kept(trainer: Trained, rows: Sequence[dict[str, Any]]) -> tuple[int, int, int]:
    """A forward pass over these rows: bytes kept for a backward pass, packed tokens, bytes in use beside the former."""
    batch = trainer._prepare_inputs(trainer.data_collator(list(rows)))
    trainer.model.train()
    with _saved(trainer.model) as saved:
        loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=len(rows))
        total = saved()
    in_use = torch.cuda.memory_allocated() if torch.cuda.is_available() else psutil.Process().memory_info().rss
    del loss  # what it kept is in use until here
    return total, batch["input_ids"].numel(), in_use - total


class _Saved:
    """A tensor for as long as the graph that saved it."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


@contextlib.contextmanager
def _saved(model: nn.Module) -> Iterator[Callable[[], int]]:
    """How many bytes the graphs that were made here and are still there keep for the backward pass, weights apart.

    Not all that was ever saved: DoRA's norms, say, come from a graph that is gone before the forward pass is.
    """
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved: weakref.WeakSet[_Saved] = weakref.WeakSet()

    def note(tensor: Tensor) -> _Saved:
        saved.add(one := _Saved(tensor))
        return one

    def count() -> int:
        storages = [one.tensor.untyped_storage() for one in saved]
        return sum({s.data_ptr(): s.nbytes() for s in storages if s.data_ptr() not in weights}.values())

    with torch.autograd.graph.saved_tensors_hooks(note, lambda one: one.tensor):
        yield count
