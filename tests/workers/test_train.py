"""Stage train on the tiny base: the same bytes however it was interrupted, and a clear stop where it cannot go well."""

from __future__ import annotations

import json
import random
import shutil

import pytest
import torch

from fgbuild.errors import DataError, StageError
from fgbuild.workers import train
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training import precision
from fgbuild.workers.training import run as training_run
from fgbuild.workers.training.callbacks import ReportingCallback
from fgbuild.workers.training.checkpoints import keep_metrics, last_complete
from fgbuild.workers.training.trainer import PrefixSharedTrainer

STEPS = 7
LORA = {
    "r": 4,
    "alpha": 8,
    "dropout": 0.0,
    "target_modules": ["q_proj", "v_proj"],
    "bias": "none",
    "trainable_tokens": [48, 49],
}
TRAINER = {
    "epochs": 3,
    "max_steps": STEPS,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "learning_rate": 1e-2,
    "schedule": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "precision": "fp32",
    "seed": 42,
    "backend": "trl",
    "sharing": "auto",
    "eval_every": 0,
}


def rows(count: int, *, supervised: bool = True) -> list[dict]:
    rng = random.Random(1)
    prefix = [2, *(rng.randrange(300, 2000) for _ in range(20))]
    made = []
    for number in range(count):
        own = [rng.randrange(300, 2000) for _ in range(rng.randrange(6, 12))]
        made.append(
            {
                "id": str(number),
                "input_ids": [*prefix, *own, 48, 49, 50],
                "spans": [[len(prefix) + len(own), len(prefix) + len(own) + 3]] if supervised else [],
            }
        )
    return made


@pytest.fixture
def make_job(tmp_path, tiny_base):
    tokenized = tmp_path / "tokenized"
    tokenized.mkdir()
    write_jsonl(tokenized / "train.jsonl", rows(20))
    write_jsonl(tokenized / "eval.jsonl", rows(4))

    def make(name: str, **settings) -> Job:
        output = tmp_path / f"{name}-out"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        (tmp_path / name).mkdir(exist_ok=True)
        manifest = {"name": "toy", "base": "tiny", "lora": LORA, "trainer": TRAINER | settings}
        inputs = {"base": tiny_base, "tokenize": tokenized}
        return Job("toy:train", "train", "toy", manifest, inputs, output, tmp_path / name, tmp_path, {})

    return make


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(training_run, "CHECKPOINT_EVERY", 3)


def run(job: Job) -> dict[str, bytes]:
    train.work(job, Reporter(job.stage))
    return {path.name: path.read_bytes() for path in sorted(job.output.iterdir())}


class Killed(Exception):
    pass


def killed_at(monkeypatch, step: int) -> None:
    def on_step_end(self, args, state, control, **_):
        if state.global_step == step:
            raise Killed

    monkeypatch.setattr(ReportingCallback, "on_step_end", on_step_end)


def test_the_artifact_holds_adapter_metrics_and_summary_and_no_times(make_job):
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


@pytest.mark.parametrize("step", [1, 4, 5, 6])
def test_a_killed_training_ends_with_the_same_bytes(make_job, monkeypatch, step):
    straight = run(make_job("straight"))
    with monkeypatch.context() as patch:
        killed_at(patch, step)
        with pytest.raises(Killed):
            run(make_job("killed"))
    assert run(make_job("killed")) == straight


def test_a_checkpoint_that_was_being_written_is_passed_over(make_job, monkeypatch):
    straight = run(make_job("straight"))
    job = make_job("torn")
    with monkeypatch.context() as patch:
        killed_at(patch, 6)
        with pytest.raises(Killed):
            run(job)
    torn = job.state / "checkpoints" / "checkpoint-6"
    torn.mkdir(exist_ok=True)
    (torn / "adapter_model.safetensors").write_bytes(b"abc")
    (torn / "trainer_state.json").unlink(missing_ok=True)
    with (job.state / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 6, "lo')
    assert run(make_job("torn")) == straight


def test_a_training_killed_after_its_last_step_is_not_trained_further(make_job, monkeypatch):
    straight = run(make_job("straight"))
    with monkeypatch.context() as patch:

        def evaluate(self, *_, **__):
            raise Killed

        patch.setattr(PrefixSharedTrainer, "evaluate", evaluate)
        with pytest.raises(Killed):
            run(make_job("late"))
    assert run(make_job("late")) == straight


def test_a_loss_that_is_not_a_number_stops_the_training(make_job, monkeypatch):
    real = PrefixSharedTrainer.compute_loss

    def broken(self, *args, **kwargs):
        return real(self, *args, **kwargs) * (float("nan") if self.state.global_step == 2 else 1)

    monkeypatch.setattr(PrefixSharedTrainer, "compute_loss", broken)
    with pytest.raises(StageError, match=r"loss is nan at step 3; lower trainer\.learning_rate"):
        run(make_job("nan"))


def test_rows_without_a_supervised_token_are_refused_before_the_model_is_loaded(make_job):
    job = make_job("blank")
    write_jsonl(job.inputs["tokenize"] / "train.jsonl", rows(4, supervised=False))
    with pytest.raises(DataError, match="no supervised token"):
        run(job)


def test_mixed_precision_trains_and_resumes_with_the_same_bytes(make_job, monkeypatch):
    straight = run(make_job("straight", precision="bf16"))
    summary = json.loads(straight["train.json"])
    assert summary["precision"] == "bf16"
    assert summary["loss"] < summary["loss_first"]
    with monkeypatch.context() as patch:
        killed_at(patch, 5)
        with pytest.raises(Killed):
            run(make_job("killed", precision="bf16"))
    assert run(make_job("killed", precision="bf16")) == straight


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_resumed_training_keeps_its_precision_whatever_the_probe_says_then(make_job, monkeypatch):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: 2.0)
    with monkeypatch.context() as patch:
        killed_at(patch, 4)
        with pytest.raises(Killed):
            run(make_job("killed", precision="auto"))
    monkeypatch.setattr(precision, "bf16_speedup", lambda: 0.5)
    assert json.loads(run(make_job("killed", precision="auto"))["train.json"])["precision"] == "bf16"
    assert json.loads(run(make_job("fresh", precision="auto"))["train.json"])["precision"] == "fp32"


def test_metrics_keep_what_the_checkpoint_knows(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st', "utf-8")
    keep_metrics(path, 2)
    assert path.read_text("utf-8") == '{"step": 1}\n{"step": 2}\n'
    keep_metrics(path, -1)
    assert path.read_text("utf-8") == ""


def test_no_checkpoint_is_none(tmp_path):
    assert last_complete(tmp_path / "none") is None
