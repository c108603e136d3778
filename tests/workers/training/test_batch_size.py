"""A training's memory is known before its first step, and a batch that does not fit is refused with one that does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from train_sample import LORA, TRAINER, rows
from transformers import enable_full_determinism

from fgbuild.errors import DataError
from fgbuild.workers.training import footprint
from fgbuild.workers.training.backends import trl
from fgbuild.workers.training.batch_size import Batch, largest, predicted_peak, remembered_batch
from fgbuild.workers.training.batches import supervised
from fgbuild.workers.training.footprint import batch_sizes, measure, size_of
from fgbuild.workers.training.run import arguments
from fgbuild.workers.training.task import Training

ROWS = [{"input_ids": row["input_ids"], "labels": supervised(row)} for row in rows(20)]


@pytest.fixture
def make_trainer(tiny_base: Path, tmp_path: Path) -> Any:
    def make(batch: Batch, lora: dict[str, Any] | None = None, **trainer: Any) -> Any:
        training = Training(
            tiny_base, "tiny", LORA | (lora or {}), TRAINER | trainer, ROWS, [], tmp_path / "state", tmp_path / "out"
        )
        enable_full_determinism(1)
        return trl.build(training, "fp32", arguments(training, batch), [])

    return make


@pytest.mark.parametrize(
    ("lora", "trainer"),
    [({}, {}), ({"dropout": 0.2}, {}), ({"use_dora": True}, {}), ({}, {"method": "full"}), ({}, {"sharing": "off"})],
)
def test_what_a_larger_batch_keeps_is_foretold(
    make_trainer: Any, lora: dict[str, Any], trainer: dict[str, Any]
) -> None:
    made = make_trainer(Batch(4, 1), lora, **trainer)
    found = measure(made, ROWS)
    short = [footprint._with_one_target(row) for row in ROWS[:12]]
    kept, tokens, _ = footprint._kept(made, short)
    assert found.per_token * tokens == pytest.approx(kept, rel=0.2)
    trained = sum(p.numel() for p in made.model.parameters() if p.requires_grad)
    assert found.optimizer == 12 * trained


def test_what_a_graph_kept_that_is_gone_is_not_counted() -> None:
    layer = torch.nn.Linear(64, 64)
    with footprint._saved(layer) as saved:
        norm = layer(torch.ones(1000, 64)).square().sum().detach()
        assert saved() == 0
        loss = layer(torch.ones(500, 64)).square().sum() * norm
        assert saved() == pytest.approx(500 * 64 * 4 * 2, rel=0.01)
    del loss


def test_measuring_changes_neither_weights_nor_random_numbers(make_trainer: Any) -> None:
    made = make_trainer(Batch(4, 1), {"dropout": 0.2})
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    drawn = torch.get_rng_state()
    predicted_peak(made, ROWS, Batch(4, 1))
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in made.model.state_dict().items())
    assert all(parameter.grad is None for parameter in made.model.parameters())


def test_the_batches_looked_at_are_those_that_come(make_trainer: Any) -> None:
    made = make_trainer(Batch(4, 1))
    coming = [(batch["input_ids"].numel(), len(batch["labels"])) for batch in made.get_train_dataloader()]
    assert batch_sizes(made) == coming


def test_batches_that_no_step_reaches_are_not_looked_at(make_trainer: Any) -> None:
    every = batch_sizes(make_trainer(Batch(2, 2)))
    assert batch_sizes(make_trainer(Batch(2, 2), max_steps=2)) == every[:4]


def test_a_batch_that_does_not_fit_is_refused_with_one_that_does(make_trainer: Any) -> None:
    batch = Batch(8, 2)
    made = make_trainer(batch)
    found = measure(made, ROWS)
    enough = found.largest_step(batch_sizes(made))
    assert predicted_peak(made, ROWS, batch, free=enough) > enough
    longest = sorted(ROWS, key=lambda row: -len(row["input_ids"]))
    for_two = found.step(*size_of(made, longest[:2]))
    message = (
        r"trainer\.batch_size: 8 rows at once take .* set batch_size = 2 and gradient_accumulation = 8, which train"
    )
    with pytest.raises(DataError, match=message):
        predicted_peak(made, ROWS, batch, free=for_two * 1.001)
    with pytest.raises(DataError, match=r"and 0\.0 GB are free; free memory, or train on another machine"):
        predicted_peak(made, ROWS, batch, free=1000.0)


def test_auto_takes_the_largest_divisor_that_fits(make_trainer: Any) -> None:
    made = make_trainer(Batch(1, 1))
    found = measure(made, ROWS)
    longest = sorted(ROWS, key=lambda row: -len(row["input_ids"]))
    for size in (1, 2, 3, 6, 12):
        free = found.step(*size_of(made, longest[:size]))
        assert largest(made, found, ROWS, 12, free) == size
    assert largest(made, found, ROWS, 12, 0) == 0


def test_auto_keeps_the_effective_batch_and_is_remembered(make_trainer: Any, tmp_path: Path) -> None:
    settings = TRAINER | {"batch_size": "auto", "effective_batch": 6}

    def trial() -> Any:
        return make_trainer(Batch(1, 1))

    assert remembered_batch(settings, tmp_path / "size", trial, ROWS, resumed=False) == Batch(6, 1)
    (tmp_path / "size").write_text("3")
    assert remembered_batch(settings, tmp_path / "size", trial, ROWS, resumed=True) == Batch(3, 2)
    (tmp_path / "size").write_text("4")  # of another effective batch
    assert remembered_batch(settings, tmp_path / "size", trial, ROWS, resumed=True) == Batch(6, 1)
    assert remembered_batch(TRAINER, tmp_path / "none", trial, ROWS, resumed=True) == Batch(4, 1)
