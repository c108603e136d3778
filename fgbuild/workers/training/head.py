"""Cross-entropy at the supervised positions alone, the vocabulary head in chunks.

The head is 168 M of FunctionGemma's 268 M parameters. The loss and its gradients come out of one
pass over a chunk of positions, and no logits are kept for the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

CHUNK = 256
"""Positions a chunk: 256 × 262,144 logits are 134 MB in bf16, 268 MB in fp32."""

ALIGNED = 16
"""A chunk is padded to a multiple of this: 242 positions take half as long again as 256."""

BLOCK = 4096
"""Vocabulary rows that the softmax takes at a time, so that what it computes in between stays in the CPU's cache."""

GROUP = 8 * BLOCK
"""Vocabulary rows of a product in the backward pass: more is no faster, and the table is never copied whole."""


def head_bytes(targets: int, table: Tensor, compute: torch.dtype) -> int:
    """Most bytes that the loss over so many targets takes: logits of a chunk, and a group of the backward pass."""
    vocabulary, width = table.shape
    positions, size, group = min(CHUNK, targets + -targets % ALIGNED), compute.itemsize, min(GROUP, vocabulary)
    copied = vocabulary * width * size if table.dtype != compute else 0
    gradient = table.nbytes if table.requires_grad else 0
    return vocabulary * positions * size + group * (positions * (2 * 4 + size) + width * size) + copied + gradient


class SupervisedCrossEntropy(torch.autograd.Function):
    """Weighted sum of cross-entropies over S targets, differentiable in `hidden`, `weight` and `rows`.

    hidden [S, d] in fp32 or fp64; weight [V, d], in that precision or in bf16; rows [k, d],
    trained replacements of the vocabulary rows `row_ids` [k] (both may be empty); targets [S]; counts [S], the
    weight of each target; compute: the format of logits. Returns a scalar.

    With logits in bf16 one of 20 is rounded to steps of 0.125. Those of the targets and of the trained
    rows are computed apart in fp32: on them alone hangs the loss of a confident prediction, and most of its
    gradient.

    Of the gradient, vocabulary rows are left out that no position of the chunk gives a probability of eps / V, with
    eps the rounding step of `compute`: all of them together weigh less than one rounding.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        rows: Tensor,
        row_ids: Tensor,
        targets: Tensor,
        counts: Tensor,
        compute: torch.dtype,
    ) -> Tensor:
        total = hidden.new_zeros(())
        grad_hidden = torch.empty_like(hidden)
        grad_rows = torch.zeros_like(rows)
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        counts, table = counts.to(hidden.dtype), weight.to(compute)
        for start in range(0, len(targets), CHUNK):
            goal, count = targets[start : start + CHUNK], counts[start : start + CHUNK]
            part = nn.functional.pad(hidden[start : start + CHUNK], (0, 0, 0, -len(goal) % ALIGNED))
            chunk = _Chunk(part, table, rows, row_ids, goal, count)
            total += ((chunk.norm - chunk.target_logits)[: len(goal)] * count).sum()
            if any(ctx.needs_input_grad):
                of_hidden, of_rows = chunk.gradients(grad_weight)
                grad_hidden[start : start + CHUNK] = of_hidden[: len(goal)]
                grad_rows += of_rows
        ctx.save_for_backward(grad_hidden, grad_rows, *([] if grad_weight is None else [grad_weight]))
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden, grad_rows, *grad_weight = ctx.saved_tensors
        of_weight = grad_weight[0].mul_(grads[0]) if grad_weight else None
        return grad_hidden * grads[0], of_weight, grad_rows * grads[0], None, None, None, None


class _Chunk:
    """Logits and their normaliser for n positions; those past the targets are padding, with states of zero.

    logits [V, n] hold −inf where a logit stands elsewhere: trained [k, n], target_logits [n].
    """

    def __init__(
        self, states: Tensor, weight: Tensor, rows: Tensor, row_ids: Tensor, goal: Tensor, counts: Tensor
    ) -> None:
        self._states, self._weight, self._rows = states, weight, rows
        self._goal = goal
        self._counts = nn.functional.pad(counts, (0, len(states) - len(counts)))
        at = torch.arange(len(goal), device=goal.device)
        # With the large dimension first, the product takes half the time on a CPU.
        self._logits = weight @ states.to(weight.dtype).T
        self._trained = rows @ states.T
        self._goal_rows = weight[goal].to(states.dtype)
        self.target_logits = states.new_zeros(len(states))
        self.target_logits[: len(goal)] = (states[: len(goal)] * self._goal_rows).sum(1)
        self._logits[goal, at] = -torch.inf
        self._goal_in_rows = goal[None, :] == row_ids[:, None]  # [k, targets]
        if len(row_ids):
            self._logits[row_ids] = -torch.inf
            of_trained = self._goal_in_rows.any(0)
            in_rows = self._trained[:, : len(goal)].masked_fill(~self._goal_in_rows, 0).sum(0)
            self.target_logits[: len(goal)] = torch.where(of_trained, in_rows, self.target_logits[: len(goal)])
            self._apart = torch.where(of_trained, -torch.inf, self.target_logits[: len(goal)])
        else:
            self._apart = self.target_logits[: len(goal)]
        self.norm = self._normaliser()
        self.norm[len(goal) :] = torch.inf  # padding gives nothing a probability

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, Tensor]]:
        """(number of the first row, logits in the states' precision) of the vocabulary rows first to last."""
        for start in range(first, last, BLOCK):
            yield start, self._logits[start : min(start + BLOCK, last)].to(self._states.dtype, copy=True)

    def _normaliser(self) -> Tensor:
        """log Σ exp over the vocabulary, [n]: the largest logit so far and the sum relative to it."""
        apart = nn.functional.pad(self._apart, (0, len(self._states) - len(self._apart)), value=-torch.inf)
        known = torch.cat([self._trained, apart[None]])
        top = known.amax(0).clamp_min_(torch.finfo(known.dtype).min)  # −inf − −inf is no number
        total = (known - top).exp_().sum(0)
        for _, logits in self._blocks(0, len(self._logits)):
            higher = torch.maximum(top, logits.amax(0))
            total.mul_((top - higher).exp_()).add_(logits.sub_(higher).exp_().sum(0))
            top = higher
        return top + total.log_()

    def gradients(self, of_weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Of the weighted sum of losses, by states [n, d] and rows [k, d]; that by the table goes into `of_weight`."""
        count = len(self._goal)
        by_states = torch.zeros_like(self._states)
        for start in range(0, len(self._logits), GROUP):
            ids, shares = self._probable(start, min(start + GROUP, len(self._logits)))
            shares.mul_(self._counts)
            by_states += (self._weight.index_select(0, ids).T @ shares.to(self._weight.dtype)).T
            if of_weight is not None:
                of_weight.index_add_(0, ids, (shares @ self._states).to(of_weight.dtype))
        of_goals = (self._apart - self.norm[:count]).exp_()
        of_goals -= torch.isfinite(self._apart).to(of_goals.dtype)
        of_goals.mul_(self._counts[:count])
        by_states[:count].addcmul_(self._goal_rows, of_goals[:, None])
        of_rows = (self._trained - self.norm).exp_()
        of_rows[:, :count] -= self._goal_in_rows.to(of_rows.dtype)
        of_rows.mul_(self._counts)
        by_states.addmm_(of_rows.T, self._rows)
        if of_weight is not None:
            of_weight.index_add_(0, self._goal, (of_goals[:, None] * self._states[:count]).to(of_weight.dtype))
        return by_states, of_rows @ self._states  # the padding's states are zeros

    def _probable(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Of the vocabulary rows first to last, those [m] that some position gives a probability that counts, and the
        probabilities [m, n]."""
        least = torch.finfo(self._weight.dtype).eps / len(self._weight)
        bound = torch.tensor(least, dtype=self._states.dtype).log().item()
        ids, shares = [], []
        for start, logits in self._blocks(first, last):
            found = (logits.sub_(self.norm).amax(1) > bound).nonzero().squeeze(1)
            ids.append(found + start)
            shares.append(logits.index_select(0, found).exp_())
        return torch.cat(ids), torch.cat(shares)
