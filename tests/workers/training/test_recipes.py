"""Recipes of `[trainer]` and `[lora]`: each trains, and ends with the same bytes when it was cut off on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load, load_file
from train_sample import Jobs, run, run_killed
from transformers import AutoModelForCausalLM, TrainerState

from fgbuild.errors import DataError
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.training import batch_size
from fgbuild.workers.training.recipes import Measured, best_measured, gave_up
from fgbuild.workers.training.trainer import PrefixSharedTrainer

SEVERAL = {"eval_every": 1, "max_steps": 12}


def measured(*losses: float) -> TrainerState:
    return TrainerState(log_history=[{"step": step, "eval_loss": loss} for step, loss in enumerate(losses, 1)])


def test_the_best_is_the_first_of_the_lowest() -> None:
    assert best_measured(measured(3.0, 1.0, 2.0, 1.0)) == Measured(2, 1.0)
    assert best_measured(TrainerState(log_history=[{"step": 1, "loss": 1.0}])) is None


@pytest.mark.parametrize(
    ("losses", "patience", "over"),
    [
        ((), 1, False),
        ((1.0, 2.0), 0, False),
        ((1.0, 2.0), 1, True),
        ((1.0, 2.0), 2, False),
        ((1.0, 1.0, 1.0), 2, True),
        ((1.0, 2.0, 0.5), 1, False),
    ],
)
def test_giving_up_counts_measurements_since_the_lowest(losses: tuple[float, ...], patience: int, over: bool) -> None:
    assert gave_up(measured(*losses), patience) is over


@pytest.fixture
def uneven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eval losses that fall until step 4, and then rise; the measurement as such is real."""
    real = PrefixSharedTrainer.prediction_step

    def prediction_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        return real(self, *args, **kwargs)[0] * 0 + abs(self.state.global_step - 4) + 1.0, None, None

    monkeypatch.setattr(PrefixSharedTrainer, "prediction_step", prediction_step)


@pytest.mark.usefixtures("uneven")
def test_a_training_stops_when_nothing_gets_better(make_job: Jobs) -> None:
    settings = {**SEVERAL, "early_stopping": 3}
    straight = run(make_job("straight", **settings))
    summary = json.loads(straight["train.json"])
    assert (summary["steps"], summary["stopped_early"]) == (7, True)
    for step in (2, 5, 7):
        run_killed(make_job(f"killed{step}", **settings), step)
        assert run(make_job(f"killed{step}", **settings)) == straight


@pytest.mark.usefixtures("uneven")
def test_a_training_that_stopped_early_is_not_trained_further(make_job: Jobs) -> None:
    settings = {**SEVERAL, "early_stopping": 3}
    straight = run(make_job("straight", **settings))
    assert run(make_job("straight", **settings)) == straight


@pytest.mark.usefixtures("uneven")
def test_the_weights_of_the_lowest_loss_go_on(make_job: Jobs) -> None:
    settings = {**SEVERAL, "keep": "best"}
    straight = run(make_job("straight", **settings))
    summary = json.loads(straight["train.json"])
    assert (summary["steps"], summary["best_step"], summary["eval_loss"], summary["best_eval_loss"]) == (
        12,
        4,
        1.0,
        1.0,
    )
    # With a constant learning rate a training of four steps has the same weights as a longer one after four.
    short = run(make_job("short", eval_every=1, max_steps=4))
    assert straight["adapter_model.safetensors"] == short["adapter_model.safetensors"]
    for step in (3, 5, 12):
        run_killed(make_job(f"killed{step}", **settings), step)
        assert run(make_job(f"killed{step}", **settings)) == straight
    assert run(make_job("straight", **settings)) == straight


@pytest.mark.usefixtures("uneven")
def test_stopping_early_and_keeping_the_best_go_together(make_job: Jobs) -> None:
    settings = {**SEVERAL, "keep": "best", "early_stopping": 2}
    straight = run(make_job("straight", **settings))
    summary = json.loads(straight["train.json"])
    assert (summary["steps"], summary["best_step"], summary["stopped_early"]) == (6, 4, True)
    run_killed(make_job("killed", **settings), 6)
    assert run(make_job("killed", **settings)) == straight


@pytest.mark.parametrize("settings", [{"early_stopping": 2}, {"keep": "best"}])
def test_measuring_needs_held_out_examples(make_job: Jobs, settings: dict[str, Any]) -> None:
    job = make_job("blind", **SEVERAL, **settings)
    write_jsonl(job.inputs["tokenize"] / "eval.jsonl", [])
    with pytest.raises(DataError, match=r"trainer\.eval_every: there is no held-out example"):
        run(job)


VARIANTS: dict[str, dict[str, Any]] = {
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "gaussian": {"init_lora_weights": "gaussian"},
    "orthogonal": {"init_lora_weights": "orthogonal"},
    "pissa": {"init_lora_weights": "pissa"},
    "olora": {"init_lora_weights": "olora"},
    "dropout": {"dropout": 0.3},
    "all": {"use_rslora": True, "use_dora": True, "init_lora_weights": "pissa", "dropout": 0.1},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_the_adapter_trains_and_resumes_with_the_same_bytes(make_job: Jobs, variant: str) -> None:
    lora = VARIANTS[variant]
    straight = run(make_job("straight", lora=lora))
    summary = json.loads(straight["train.json"])
    assert summary["loss"] < summary["loss_first"]
    assert straight["adapter_model.safetensors"] != run(make_job("plain"))["adapter_model.safetensors"]
    run_killed(make_job("killed", lora=lora), 5)
    assert run(make_job("killed", lora=lora)) == straight


@pytest.mark.parametrize("variant", ["default", "rslora", "dora", "pissa", "olora", "all"])
def test_a_saved_adapter_makes_the_trained_model_of_the_plain_base(
    make_job: Jobs, tiny_base: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    seen: list[torch.Tensor] = []
    ids = torch.tensor([[2, 500, 900, 48, 1300, 49]])
    real = PrefixSharedTrainer.evaluate

    def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.model.eval()
        with torch.no_grad():
            seen.append(self.model(input_ids=ids).logits)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(PrefixSharedTrainer, "evaluate", evaluate)
    job = make_job("straight", lora=VARIANTS.get(variant, {}))
    run(job)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    with torch.no_grad():
        found = PeftModel.from_pretrained(plain, job.output).eval()(input_ids=ids).logits
    assert torch.allclose(found, seen[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("initial", ["pissa", "olora"])
def test_a_rank_above_what_a_weight_has_is_refused(make_job: Jobs, initial: str) -> None:
    with pytest.raises(DataError, match=rf'lora\.r: 1000 is more than the \d+ that init_lora_weights = "{initial}"'):
        run(make_job("wide", lora={"r": 1000, "init_lora_weights": initial}))


def test_all_weights_are_trained_and_resume_with_the_same_bytes(make_job: Jobs, tiny_base: Path) -> None:
    settings = {"method": "full", "learning_rate": 1e-3}
    straight = run(make_job("straight", **settings))
    assert set(straight) == {"model.safetensors", "metrics.jsonl", "train.json"}
    summary = json.loads(straight["train.json"])
    assert summary["method"] == "full"
    assert summary["loss"] < summary["loss_first"]
    before, after = load_file(tiny_base / "model.safetensors"), load(straight["model.safetensors"])
    assert {name: (value.dtype, value.shape) for name, value in before.items()} == {
        name: (value.dtype, value.shape) for name, value in after.items()
    }
    assert all(not torch.equal(before[name], after[name]) for name in before if "proj" in name)
    run_killed(make_job("killed", **settings), 5)
    assert run(make_job("killed", **settings)) == straight


def test_all_weights_train_in_bf16_products_too(make_job: Jobs) -> None:
    summary = json.loads(run(make_job("full", method="full", learning_rate=1e-3, precision="bf16"))["train.json"])
    assert summary["loss"] < summary["loss_first"]


def test_a_measured_batch_is_kept_by_a_resumed_training(make_job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"batch_size": "auto", "effective_batch": 4}
    straight = run(make_job("straight", **settings))
    assert json.loads(straight["train.json"])["batch_size"] == 4
    assert straight["adapter_model.safetensors"] == run(make_job("set"))["adapter_model.safetensors"]
    run_killed(make_job("killed", **settings), 5)
    monkeypatch.setattr(batch_size, "largest", lambda *_: 1)
    assert run(make_job("killed", **settings)) == straight
    scarce = json.loads(run(make_job("scarce", **settings))["train.json"])
    assert (scarce["batch_size"], scarce["steps"]) == (1, 7)
