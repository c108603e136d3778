"""One training in two processes, on CPU: the same rows a step, the same adapter, one voice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load, load_file
from train_sample import Jobs, rows, run

from fgbuild.errors import DataError
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.protocol import Job
from fgbuild.workers.training import distributed
from fgbuild.workers.training.checkpoints import newest_step

ROOT = Path(__file__).parents[3]
PROBE = """
import torch.distributed as dist
from fgbuild.workers.training.distributed import leave, processes
state = processes()
found = [state.num_processes]
dist.broadcast_object_list(found)
assert found == [2]
leave()
"""


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """By torchrun, as `accelerate launch` itself does on GPUs: on CPU that starts no more than one process."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    settings = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'workers'}",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        **environment,
    }
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=180, env={**os.environ, **settings}
    )


@pytest.fixture(scope="module", autouse=True)
def _two_processes(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("probe") / "probe.py"
    script.write_text(PROBE)
    found = launch(str(script))
    if found.returncode:
        pytest.skip(f"torchrun cannot start two processes here: {found.stderr[-500:]}")


def launched(job: Job, path: Path, *program: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, events and all of stderr."""
    path.write_text(json.dumps(asdict(job), default=str))
    ended = launch(*(program or ("-m", "fgbuild.workers.train")), str(path))
    lines = [line for line in ended.stderr.splitlines() if line.startswith('{"')]
    return ended.returncode, [json.loads(line) for line in lines], ended.stderr


def notes(events: list[dict[str, Any]]) -> list[str]:
    return [event["text"] for event in events if event["kind"] == "stage.note"]


def close(first: Path, second: bytes) -> bool:
    mine, theirs = load_file(first / "adapter_model.safetensors"), load(second)
    return mine.keys() == theirs.keys() and all((mine[name] - theirs[name]).abs().max() < 1e-5 for name in mine)


SETTINGS: dict[str, Any] = {"max_steps": 3, "batch_size": 2, "gradient_accumulation": 2, "learning_rate": 1e-3}


def test_two_processes_make_the_adapter_that_one_makes(make_job: Jobs, tmp_path: Path) -> None:
    alone = run(make_job("alone", **SETTINGS, eval_every=2))
    job = make_job("shared", **SETTINGS, eval_every=2)
    code, events, log = launched(job, tmp_path / "job.json")
    assert code == 0, log
    assert {path.name for path in job.output.iterdir()} == set(alone)
    assert close(job.output, alone["adapter_model.safetensors"])
    mine, theirs = (json.loads(text) for text in ((job.output / "train.json").read_text(), alone["train.json"]))
    for name in ("steps", "loss_first", "loss", "eval_loss"):
        assert mine[name] == pytest.approx(theirs[name], abs=1e-4), name
    assert mine["trainable_parameters"] == theirs["trainable_parameters"]
    assert [event["kind"] for event in events].count("stage.result") == 1
    assert notes(events).count("training in fp32 on cpu") == 1
    assert [event["step"] for event in events if event["kind"] == "stage.metric" and "loss" in event] == [1, 2, 3]
    [checkpoint] = (job.state / "checkpoints").glob("checkpoint-*")
    assert {path.name for path in checkpoint.glob("rng_state*")} == {"rng_state_0.pth", "rng_state_1.pth"}


KILLED = """
import pytest
from train_sample import killed_at
from fgbuild.workers import train
from fgbuild.workers.protocol import main
from fgbuild.workers.training import run
run.CHECKPOINT_EVERY = 3
killed_at(pytest.MonkeyPatch(), 8)
main(train.work)
"""


def test_two_processes_go_on_from_a_checkpoint(make_job: Jobs, tmp_path: Path) -> None:
    settings, lora = SETTINGS | {"max_steps": 9}, {"dropout": 0.2}  # five steps an epoch
    job = make_job("straight", lora=lora, **settings)
    write_jsonl(job.inputs["tokenize"] / "train.jsonl", rows(20, toolsets=2))
    code, _, log = launched(job, tmp_path / "straight.json")
    assert code == 0, log
    again = make_job("killed", lora=lora, **settings)
    (tmp_path / "killed.py").write_text(KILLED)
    assert launched(again, tmp_path / "killed.json", str(tmp_path / "killed.py"))[0] != 0
    assert newest_step(again.state / "checkpoints") == 6
    code, events, log = launched(again, tmp_path / "again.json")
    assert code == 0, log
    assert notes(events).count("resumed from the checkpoint at step 6") == 1
    for name in ("adapter_model.safetensors", "metrics.jsonl", "train.json"):
        assert (again.output / name).read_bytes() == (job.output / name).read_bytes(), name


@pytest.mark.parametrize(
    ("settings", "backend", "words"),
    [
        ({"batch_size": "auto"}, "trl", r'trainer\.batch_size: "auto" works for one process, and here are 2'),
        (
            {"batch_size": 4, "gradient_accumulation": 3},
            "trl",
            r"trainer\.gradient_accumulation: 3 passes cannot be shared",
        ),
        ({"batch_size": 4}, "unsloth", r'trainer\.backend: "unsloth" trains in one process, and here are 2'),
    ],
)
def test_what_several_processes_cannot_share_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], backend: str, words: str
) -> None:
    monkeypatch.setattr(distributed.processes(), "num_processes", 2)
    with pytest.raises(DataError, match=words):
        distributed.part_of({"gradient_accumulation": 2, **settings}, backend)
