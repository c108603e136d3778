"""Stage train on the tiny base: the same bytes however it was interrupted, and a clear stop where it cannot go well."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import torch
from train_sample import STEPS, Jobs, Killed, rows, run, run_killed

from fgbuild.errors import DataError, StageError
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.training import checkpoints, precision
from fgbuild.workers.training import run as training_run
from fgbuild.workers.training.checkpoints import last_complete, newest_step
from fgbuild.workers.training.trainer import PrefixSharedTrainer


def test_the_artifact_holds_adapter_metrics_and_summary_and_no_times(make_job: Jobs) -> None:
    made = run(make_job("straight"))
    assert set(made) == {"adapter_model.safetensors", "adapter_config.json", "metrics.jsonl", "train.json"}
    summary = json.loads(made["train.json"])
    assert summary["steps"] == STEPS
    assert summary["loss"] < summary["loss_first"]
    assert summary["eval_loss"] > 0
    config = json.loads(made["adapter_config.json"])
    assert config["base_model_name_or_path"] == "tiny"
    steps = [json.loads(line)["step"] for line in made["metrics.jsonl"].decode().splitlines()]
    assert steps == list(range(1, STEPS + 1))
    assert run(make_job("again")) == made


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_killed_training_ends_with_the_same_bytes(make_job: Jobs, step: int) -> None:
    straight = run(make_job("straight"))
    run_killed(make_job("killed"), step)
    assert run(make_job("killed")) == straight


def test_batches_of_one_toolset_come_in_the_same_order_after_a_resume(make_job: Jobs) -> None:
    straight = make_job("straight", max_steps=12)  # five steps an epoch
    write_jsonl(straight.inputs["tokenize"] / "train.jsonl", rows(20, toolsets=2))
    wanted = run(straight)
    run_killed(make_job("killed", max_steps=12), 9)
    assert run(make_job("killed", max_steps=12)) == wanted


def killed_at_call(patch: pytest.MonkeyPatch, number: int) -> None:
    """Cut off at the n-th time that a file or folder of a checkpoint is brought to the disk, renamed or removed."""
    calls = itertools.count(1)

    def counted(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(calls) == number:
                raise Killed
            return real(*args, **kwargs)

        return call

    for module, name in ((checkpoints.os, "fsync"), (checkpoints.os, "replace"), (checkpoints.shutil, "rmtree")):
        patch.setattr(module, name, counted(getattr(module, name)))


@pytest.mark.parametrize("apart", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_training_killed_anywhere_in_a_checkpoint_ends_with_the_same_bytes(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    """At every call of the file system that counts, or at each that is so many `apart`."""
    monkeypatch.setattr(training_run, "CHECKPOINT_EVERY", 1)
    monkeypatch.setattr(checkpoints, "KEPT", 1)
    straight = run(make_job("straight", max_steps=2))
    for number in itertools.count(1, apart):
        with monkeypatch.context() as patch:
            killed_at_call(patch, number)
            try:
                run(make_job(f"killed{number}", max_steps=2))
            except Killed:
                pass
            else:
                break
        assert run(make_job(f"killed{number}", max_steps=2)) == straight, number
    assert number > 20, "two checkpoints of about ten files each"


def test_a_checkpoint_that_was_being_written_is_passed_over(make_job: Jobs) -> None:
    straight = run(make_job("straight"))
    job = make_job("torn")
    run_killed(job, 6)
    for torn in (job.state / "checkpoints" / "checkpoint-6", job.state / "checkpoints/unfinished/checkpoint-6"):
        torn.mkdir(parents=True)
        (torn / "adapter_model.safetensors").write_bytes(b"abc")
    assert run(make_job("torn")) == straight
    assert not (job.state / "checkpoints" / "unfinished" / "checkpoint-6").exists()


def test_only_the_newest_checkpoints_stay(make_job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "CHECKPOINT_EVERY", 2)
    job = make_job("straight")
    run(job)
    assert {path.name for path in (job.state / "checkpoints").glob("checkpoint-*")} == {"checkpoint-6", "checkpoint-7"}


def test_a_training_killed_after_its_last_step_is_not_trained_further(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = run(make_job("straight"))
    with monkeypatch.context() as patch:

        def evaluate(self: Any, *_: Any, **__: Any) -> None:
            raise Killed

        patch.setattr(PrefixSharedTrainer, "evaluate", evaluate)
        with pytest.raises(Killed):
            run(make_job("late"))
    assert run(make_job("late")) == straight


@pytest.mark.parametrize(("bad", "kept"), [(2, "no checkpoint was made yet"), (6, "the checkpoint of step 3 is kept")])
def test_a_loss_that_is_not_a_number_stops_the_training(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch, bad: int, kept: str
) -> None:
    real = PrefixSharedTrainer.compute_loss

    def broken(self: Any, *args: Any, **kwargs: Any) -> Any:
        return real(self, *args, **kwargs) * (float("nan") if self.state.global_step == bad - 1 else 1)

    monkeypatch.setattr(PrefixSharedTrainer, "compute_loss", broken)
    job = make_job("nan")
    with pytest.raises(StageError, match=rf"loss is nan at step {bad}; lower trainer\.learning_rate.*{kept}"):
        run(job)
    assert newest_step(job.state / "checkpoints") == (None if bad == 2 else 3)


def test_a_gradient_that_is_infinite_stops_the_training(make_job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    real = PrefixSharedTrainer.training_step

    def broken(self: Any, model: Any, *args: Any) -> Any:
        loss = real(self, model, *args)
        if self.state.global_step == 5:
            next(weight for weight in model.parameters() if weight.requires_grad).grad[0] = torch.inf
        return loss

    monkeypatch.setattr(PrefixSharedTrainer, "training_step", broken)
    job = make_job("infinite")
    with pytest.raises(StageError, match=r"grad_norm is inf at step 6; .*the checkpoint of step 3 is kept"):
        run(job)
    assert newest_step(job.state / "checkpoints") == 3


def test_rows_without_a_supervised_token_are_refused_before_the_model_is_loaded(make_job: Jobs) -> None:
    job = make_job("blank")
    write_jsonl(job.inputs["tokenize"] / "train.jsonl", rows(4, supervised=False))
    with pytest.raises(DataError, match="no supervised token"):
        run(job)


def test_mixed_precision_trains_and_resumes_with_the_same_bytes(make_job: Jobs) -> None:
    straight = run(make_job("straight", precision="bf16"))
    summary = json.loads(straight["train.json"])
    assert summary["precision"] == "bf16"
    assert summary["loss"] < summary["loss_first"]
    run_killed(make_job("killed", precision="bf16"), 5)
    assert run(make_job("killed", precision="bf16")) == straight


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_resumed_training_keeps_its_precision_whatever_the_probe_says_then(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "bf16_speedup", lambda: 2.0)
    run_killed(make_job("killed", precision="auto"), 4)
    monkeypatch.setattr(precision, "bf16_speedup", lambda: 0.5)
    assert json.loads(run(make_job("killed", precision="auto"))["train.json"])["precision"] == "bf16"
    assert json.loads(run(make_job("fresh", precision="auto"))["train.json"])["precision"] == "fp32"


def test_no_checkpoint_is_none(tmp_path: Any) -> None:
    assert last_complete(tmp_path / "none") is None
