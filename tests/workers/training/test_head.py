"""The head at supervised positions: loss and gradients are those of a dense cross-entropy."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fgbuild.workers.training import head
from fgbuild.workers.training.head import SupervisedCrossEntropy


def dense(hidden, weight, rows, row_ids, targets, counts, compute=None):
    table = weight.to(hidden.dtype).index_copy(0, row_ids, rows)
    return (nn.functional.cross_entropy(hidden @ table.T, targets, reduction="none") * counts).sum()


def problem(seed: int, *, positions: int, vocabulary: int, trained: int, scale: float, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(vocabulary, 12, generator=generator, dtype=dtype)
    row_ids = torch.randperm(vocabulary, generator=generator)[:trained]
    rows = torch.randn(trained, 12, generator=generator, dtype=torch.promote_types(dtype, torch.float32))
    targets = torch.randint(vocabulary, (positions,), generator=generator)
    if trained and positions > 1:
        targets[0] = row_ids[0]
    # States that point at their targets: confident predictions, as late in a training.
    hidden = scale * weight[targets] + torch.randn(positions, 12, generator=generator, dtype=dtype)
    counts = torch.randint(1, 4, (positions,), generator=generator).to(rows.dtype)
    return hidden.to(rows.dtype), weight, rows, row_ids, targets, counts


def both(problem, compute, *, table=False):
    """(loss, gradients by states, by trained rows, and by the table where that is trained) by the book, and ours."""
    found = []
    for loss_of in (dense, SupervisedCrossEntropy.apply):
        hidden, weight, rows, row_ids, targets, counts = problem
        leaves = [tensor.clone().requires_grad_() for tensor in (hidden, rows)]
        leaves += [weight.clone().requires_grad_()] if table else []
        hidden, rows, weight = leaves if table else [*leaves, weight]
        loss = loss_of(hidden, weight, rows, row_ids, targets, counts, compute)
        loss.backward()
        found.append((loss.detach(), *(leaf.grad for leaf in leaves)))
    return found


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    positions=st.integers(1, 70),
    vocabulary=st.integers(8, 300),
    trained=st.integers(0, 5),
    scale=st.sampled_from([0.0, 1.0, 30.0]),
)
def test_equal_to_a_dense_cross_entropy(seed, positions, vocabulary, trained, scale):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "CHUNK", 32)
        patch.setattr(head, "BLOCK", 20)
        patch.setattr(head, "GROUP", 60)
        given = problem(seed, positions=positions, vocabulary=vocabulary, trained=trained, scale=scale)
        want, got = both(given, torch.float64, table=not trained)
    for expected, actual in zip(want, got, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_in_bf16_only_rounding_differs(scale):
    want, got = both(
        problem(1, positions=90, vocabulary=3000, trained=4, scale=scale, dtype=torch.bfloat16), torch.bfloat16
    )
    assert got[0].item() == pytest.approx(want[0].item(), rel=5e-3, abs=1e-3)
    for expected, actual in zip(want[1:], got[1:], strict=True):
        assert actual.dtype == torch.float32
        assert (actual - expected).norm() <= 0.03 * expected.norm() + 1e-4


def test_a_trained_table_in_fp32_with_logits_in_bf16():
    given = problem(3, positions=90, vocabulary=3000, trained=0, scale=1.0, dtype=torch.float32)
    want, got = both(given, torch.bfloat16, table=True)
    assert got[0].item() == pytest.approx(want[0].item(), rel=5e-3)
    for expected, actual in zip(want[1:], got[1:], strict=True):
        assert actual.dtype == torch.float32
        assert (actual - expected).norm() <= 0.03 * expected.norm()


def test_without_a_gradient_only_the_loss_is_computed():
    given = problem(2, positions=9, vocabulary=40, trained=2, scale=1.0)
    with torch.no_grad():
        loss = SupervisedCrossEntropy.apply(*given, torch.float64)
    torch.testing.assert_close(loss, dense(*given))
