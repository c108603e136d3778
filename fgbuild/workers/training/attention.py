"""Attention over a prefix-shared batch: rows see the prefix and themselves.

Registered with transformers as the attention implementation `fgbuild_prefix`; the plan travels
as the forward's keyword argument `prefix_plan`. Scores against the prefix are one matrix
product for all rows of the batch; scores within rows are one batched product over rows padded
to the longest. Nothing is quadratic in the packed length, and the prefix's keys and values are
never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "fgbuild_prefix"


@dataclass(frozen=True)
class PrefixPlan:
    """Index tensors and masks of one packed batch, shared by all layers.

    With P prefix tokens, n rows, M tokens in the longest row and T tokens in all rows:
    rows [n, M] positions among the T row tokens (padding points at the first), flat [T] where
    each row token stands in the padded [n · M]. Masks are additive (0 or the dtype's minimum), by layer kind
    ("full", "sliding"): own [T, P + M] and prefix [P, P].
    """

    prefix: int
    rows: Tensor
    flat: Tensor
    own_masks: dict[str, Tensor]
    prefix_masks: dict[str, Tensor]

    @classmethod
    def of(cls, prefix: int, lengths: Tensor, window: int, dtype: torch.dtype) -> PrefixPlan:
        """The plan for rows of `lengths` [n] after `prefix` tokens; `window` is the sliding window."""
        device = lengths.device
        longest = int(lengths.max())
        within = torch.arange(longest, device=device)
        starts = torch.cumsum(lengths, 0) - lengths
        real = within[None, :] < lengths[:, None]
        rows = torch.where(real, starts[:, None] + within[None, :], 0)
        past = torch.arange(prefix, device=device)
        # Distance by position from query to key: a row's token m stands at position P + m.
        to_prefix = (prefix + within)[:, None] - past[None, :]
        to_row = within[:, None] - within[None, :]
        within_prefix = past[:, None] - past[None, :]
        lowest = torch.finfo(dtype).min

        def additive(seen: Tensor) -> Tensor:
            return torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill(~seen, lowest)

        own_masks, prefix_masks = {}, {}
        for kind, limit in (("full", prefix + longest + 1), ("sliding", window)):
            distance = torch.cat([to_prefix, to_row], 1)
            seen = (distance >= 0) & (distance < limit)
            # A row's padding keys stand behind all of its real queries, so causality hides them.
            own_masks[kind] = additive(seen)[real.nonzero()[:, 1]]
            prefix_masks[kind] = additive((within_prefix >= 0) & (within_prefix < limit))
        return cls(prefix, rows, real.flatten().nonzero().squeeze(1), own_masks, prefix_masks)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over keys, in fp32 at the least."""
    return torch.softmax(scores, -1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(scores.dtype)


def prefix_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    sliding_window: int | None = None,
    prefix_plan: PrefixPlan,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of one layer: query [1, H, L, D], key and value [1, G, L, D] → [1, L, H, D].

    Computed in the value's precision: norms and rotations leave queries and keys in fp32.
    """
    plan = prefix_plan
    query, key = query.to(value.dtype), key.to(value.dtype)
    kind = "full" if sliding_window is None else "sliding"
    heads, groups, dim = query.shape[1], key.shape[1], query.shape[3]
    shared, count, longest = heads // groups, *plan.rows.shape
    grouped = (groups, count, shared, longest, -1)
    parts = [plan.prefix, query.shape[2] - plan.prefix]
    past_queries, queries = (query[0].view(groups, shared, -1, dim) * scaling).split(parts, 2)
    past_keys, keys = key[0].split(parts, 1)
    past_values, values = value[0].split(parts, 1)

    padded = plan.rows.flatten()
    row_queries = queries.index_select(2, padded).view(groups, shared, count, longest, dim).transpose(1, 2)
    keys = keys.index_select(1, padded).view(groups, count, longest, dim)
    values = values.index_select(1, padded).view(groups, count, longest, dim)
    scores = row_queries.reshape(groups, count, shared * longest, dim) @ keys.transpose(2, 3)
    # Padding ends here: [G, n, R · M, M] → real tokens only, [G, R, T, M]
    scores = scores.view(grouped).transpose(1, 2).reshape(groups, shared, count * longest, longest)
    scores = scores.index_select(2, plan.flat)
    if plan.prefix:
        to_prefix = queries.reshape(groups, -1, dim) @ past_keys.transpose(1, 2)
        scores = torch.cat([to_prefix.view(groups, shared, -1, plan.prefix), scores], -1)
    weights = _softmax(scores + plan.own_masks[kind])
    of_prefix, of_row = weights.split([plan.prefix, longest], -1)
    of_row = of_row.index_select(2, padded).view(groups, shared, count, longest, longest).transpose(1, 2)
    mixed = (of_row.reshape(groups, count, shared * longest, longest) @ values).view(grouped).transpose(1, 2)
    mixed = mixed.reshape(groups, shared, count * longest, dim).index_select(2, plan.flat)
    if plan.prefix:
        of_past = of_prefix.reshape(groups, -1, plan.prefix) @ past_values
        mixed = mixed + of_past.view(groups, shared, -1, dim)
    output = mixed.permute(2, 0, 1, 3).reshape(-1, heads, dim)  # [T, H, D]
    if plan.prefix:
        scores = past_queries @ past_keys.transpose(1, 2)[:, None] + plan.prefix_masks[kind]
        before = (_softmax(scores) @ past_values[:, None]).permute(2, 0, 1, 3).reshape(plan.prefix, heads, dim)
        output = torch.cat([before, output])
    return output[None], None


AttentionInterface.register(NAME, prefix_attention)
