"""Cross-entropy at the supervised positions alone, the vocabulary head in chunks.

The head is 168 M of FunctionGemma's 268 M parameters. Its weights are frozen (tied to the
embedding), so the loss and the gradient of the hidden states come out of one pass over a chunk
of positions, and no logits are kept for the backward pass.
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


class SupervisedCrossEntropy(torch.autograd.Function):
    """Sum of cross-entropies over S targets, differentiable in `hidden` and in `rows`.

    hidden [S, d] in fp32 or fp64; weight [V, d], frozen, in that precision or in bf16; rows [k, d],
    trained replacements of the vocabulary rows `row_ids` [k] (both may be empty); targets [S].
    Returns a scalar.

    With a weight in bf16 the logits are in bf16, which rounds one of 20 to steps of 0.125. Those of the
    targets and of the trained rows are computed apart in fp32: on them alone hangs the loss of a confident
    prediction, and most of its gradient.

    Of the gradient, vocabulary rows are left out that no position of the chunk gives a probability of eps / V, with
    eps the rounding step of the weight's format: all of them together weigh less than one rounding.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, rows: Tensor, row_ids: Tensor, targets: Tensor) -> Tensor:
        total = hidden.new_zeros(())
        grad_hidden = torch.empty_like(hidden)
        grad_rows = torch.zeros_like(rows)
        for start in range(0, len(targets), CHUNK):
            goal = targets[start : start + CHUNK]
            part = hidden[start : start + CHUNK]
            chunk = _Chunk(nn.functional.pad(part, (0, 0, 0, -len(goal) % ALIGNED)), weight, rows, row_ids, goal)
            total += (chunk.norm - chunk.target_logits)[: len(goal)].sum()
            if ctx.needs_input_grad[0]:
                of_hidden, of_rows = chunk.gradients()
                grad_hidden[start : start + CHUNK] = of_hidden[: len(goal)]
                grad_rows += of_rows
        ctx.save_for_backward(grad_hidden, grad_rows)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        grad_hidden, grad_rows = ctx.saved_tensors
        return grad_hidden * grads[0], None, grad_rows * grads[0], None, None


class _Chunk:
    """Logits and their normaliser for n positions; those past the targets are padding, with states of zero.

    logits [V, n] hold −inf where a logit stands elsewhere: trained [k, n], target_logits [n].
    """

    def __init__(self, states: Tensor, weight: Tensor, rows: Tensor, row_ids: Tensor, goal: Tensor) -> None:
        self._states, self._weight, self._rows = states, weight, rows
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

    def _blocks(self) -> Iterator[tuple[int, Tensor]]:
        for start in range(0, len(self._logits), BLOCK):
            yield start, self._logits[start : start + BLOCK].to(self._states.dtype, copy=True)

    def _normaliser(self) -> Tensor:
        """log Σ exp over the vocabulary, [n]: the largest logit so far and the sum relative to it."""
        apart = nn.functional.pad(self._apart, (0, len(self._states) - len(self._apart)), value=-torch.inf)
        known = torch.cat([self._trained, apart[None]])
        top = known.amax(0).clamp_min_(torch.finfo(known.dtype).min)  # −inf − −inf is no number
        total = (known - top).exp_().sum(0)
        for _, logits in self._blocks():
            higher = torch.maximum(top, logits.amax(0))
            total.mul_((top - higher).exp_()).add_(logits.sub_(higher).exp_().sum(0))
            top = higher
        return top + total.log_()

    def gradients(self) -> tuple[Tensor, Tensor]:
        """Of the loss's sum, by states [n, d] and by rows [k, d]."""
        count = self._goal_rows.shape[0]
        ids, shares = self._probable()
        weight = self._weight.index_select(0, ids)
        by_states = (weight.T @ shares.to(weight.dtype)).T.to(self._states.dtype, copy=True)
        of_goals = (self._apart - self.norm[:count]).exp_()
        of_goals -= torch.isfinite(self._apart).to(of_goals.dtype)
        by_states[:count].addcmul_(self._goal_rows, of_goals[:, None])
        of_rows = (self._trained - self.norm).exp_()
        of_rows[:, :count] -= self._goal_in_rows.to(of_rows.dtype)
        by_states.addmm_(of_rows.T, self._rows)
        return by_states, of_rows @ self._states  # the padding's states are zeros

    def _probable(self) -> tuple[Tensor, Tensor]:
        """Vocabulary rows [m] that some position gives a probability that counts, and the probabilities [m, n]."""
        least = torch.finfo(self._weight.dtype).eps / len(self._weight)
        bound = torch.tensor(least, dtype=self._states.dtype).log().item()
        ids, shares = [], []
        for start, logits in self._blocks():
            found = (logits.sub_(self.norm).amax(1) > bound).nonzero().squeeze(1)
            ids.append(found + start)
            shares.append(logits.index_select(0, found).exp_())
        return torch.cat(ids), torch.cat(shares)
