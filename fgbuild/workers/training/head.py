"""Cross-entropy at the supervised positions alone, the vocabulary head in chunks.

The head is 168 M of FunctionGemma's 268 M parameters. Its weights are frozen (tied to the
embedding), so the loss and the gradient of the hidden states come out of one pass over a chunk
of positions, and no logits are kept for the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK = 128
"""Positions a chunk: 128 × 262,144 logits in fp32 are 134 MB."""


class SupervisedCrossEntropy(torch.autograd.Function):
    """Sum of cross-entropies over S targets, differentiable in `hidden` and in `rows`.

    hidden [S, d]; weight [V, d], frozen; rows [k, d], trained replacements of the vocabulary
    rows `row_ids` [k] (both may be empty); targets [S]. Returns a scalar.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, rows: Tensor, row_ids: Tensor, targets: Tensor) -> Tensor:
        precise = torch.promote_types(hidden.dtype, torch.float32)
        total = hidden.new_zeros((), dtype=precise)
        grad_hidden = torch.empty_like(hidden)
        grad_rows = torch.zeros_like(rows)
        for start in range(0, len(targets), CHUNK):
            part, goal = hidden[start : start + CHUNK], targets[start : start + CHUNK]
            logits = (part @ weight.T).to(precise)
            if len(row_ids):
                logits[:, row_ids] = (part @ rows.T).to(precise)
            norm = torch.logsumexp(logits, -1)
            at = torch.arange(len(goal), device=goal.device)
            total += (norm - logits[at, goal]).sum()
            share = logits.sub_(norm[:, None]).exp_()
            share[at, goal] -= 1
            share = share.to(hidden.dtype)
            if len(row_ids):
                of_rows = share[:, row_ids]
                share[:, row_ids] = 0
                grad_hidden[start : start + CHUNK] = share @ weight + of_rows @ rows
                grad_rows += of_rows.T @ part
            else:
                grad_hidden[start : start + CHUNK] = share @ weight
        ctx.save_for_backward(grad_hidden, grad_rows)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        grad_hidden, grad_rows = ctx.saved_tensors
        return grad_hidden * grads[0], None, grad_rows * grads[0], None, None
