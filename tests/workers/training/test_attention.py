"""Attention over a packed tree is attention under the mask that the tree means."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from train_sample import branching

from fgbuild.workers.training import attention
from fgbuild.workers.training.attention import TreeAttention, TreePlan
from fgbuild.workers.training.batches import PrefixCollator

ROWS = branching(most=6, ends=9)


def visible(batch: dict[str, Tensor], window: int | None) -> Tensor:
    """[L, L]: whether token i sees token j, one pair at a time."""
    node_of = torch.empty(batch["input_ids"].shape[1], dtype=torch.long)
    lines = [[start for start in path if start >= 0] for path in batch["paths"].tolist()]
    for number, (line, end) in enumerate(zip(lines, batch["ends"].tolist(), strict=True)):
        node_of[line[-1] : end] = number
    positions = batch["position_ids"][0]
    mask = torch.zeros(len(node_of), len(node_of), dtype=torch.bool)
    for i, own in enumerate(node_of.tolist()):
        for j, other in enumerate(node_of.tolist()):
            distance = int(positions[i] - positions[j])
            mask[i, j] = lines[other][-1] in lines[own] and distance >= 0 and (window is None or distance < window)
    return mask


def dense(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    heads = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(heads, 1), value.repeat_interleave(heads, 1)
    scores = torch.einsum("nhd,lhd->hnl", query, key).masked_fill(~mask, -torch.inf)
    return torch.einsum("hnl,lhd->nhd", scores.softmax(-1), value)


def with_gradients(function, query: Tensor, key: Tensor, value: Tensor, upstream: Tensor) -> list[Tensor]:
    leaves = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    output = function(*leaves)
    output.backward(upstream)
    return [output.detach(), *(leaf.grad for leaf in leaves)]


@settings(deadline=None, max_examples=80)
@given(
    rows=ROWS,
    window=st.sampled_from([None, 1, 4, 17]),
    groups=st.sampled_from([1, 2]),
    tile=st.sampled_from([1, 5, 256]),
    sharing=st.booleans(),
    some=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equal_to_masked_attention(rows, window, groups, tile, sharing, some, seed) -> None:
    batch = PrefixCollator(sharing=sharing)([{"input_ids": ids, "labels": ids} for ids in rows])
    length = batch["input_ids"].shape[1]
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(length, 4, 6, generator=generator, dtype=torch.float64)
    key, value = torch.randn(2, length, groups, 6, generator=generator, dtype=torch.float64)
    wanted = torch.randint(length, (5,), generator=generator) if some else torch.arange(length)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "TILE", tile)
        plan = TreePlan.of(batch["paths"], batch["ends"], wanted, {window})
    assert plan.targets.tolist() == sorted(set(wanted.tolist()))
    tiles = plan.last[window] if some else plan.tiles[window]
    upstream = torch.randn(len(plan.targets), 4, 6, generator=generator, dtype=torch.float64)
    mask = visible(batch, window)

    def ours(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return TreeAttention.apply(query[plan.targets], key, value, tiles)

    def reference(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return dense(query, key, value, mask)[plan.targets]

    for got, expected in zip(
        with_gradients(ours, query, key, value, upstream),
        with_gradients(reference, query, key, value, upstream),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-10)


def test_tiles_do_no_work_outside_the_window_and_the_path() -> None:
    """Pairs that are multiplied: those that see each other, and less than a tile's own triangle more."""
    rows = [[1] * 600 + [2] * 40 + [number] * 30 for number in range(10, 14)]
    batch = PrefixCollator(sharing=True)([{"input_ids": ids, "labels": ids} for ids in rows])
    for window in (None, 64):
        plan = TreePlan.of(batch["paths"], batch["ends"], torch.arange(5), {window})
        made = sum(tile.hidden.numel() for tile in plan.tiles[window])
        needed = sum(int((~tile.hidden).sum()) for tile in plan.tiles[window])
        assert needed == int(visible(batch, window).sum())
        triangles = sum(tile.hidden.shape[0] ** 2 for tile in plan.tiles[window])
        assert made - needed <= triangles
