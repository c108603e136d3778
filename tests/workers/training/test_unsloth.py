"""Training by unsloth itself, in an interpreter that has it: this one's, or that of FGBUILD_UNSLOTH_PYTHON.

Without a GPU unsloth refuses to start. Its own switch for tests lets it run on a CPU, where what it asks of the GPU
alone is answered here: the device's name and memory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from train_sample import Jobs
from transformers import AutoModelForCausalLM

from fgbuild.executors import guest
from fgbuild.executors.processes import environment
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting import adapter
from fgbuild.workers.protocol import Job
from fgbuild.workers.train import load_rows

PYTHON = os.environ.get("FGBUILD_UNSLOTH_PYTHON") or (sys.executable if importlib.util.find_spec("unsloth") else "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="unsloth is not installed; FGBUILD_UNSLOTH_PYTHON may name a Python")

ON_CPU = """
import runpy, sys, types
import torch
gpu = types.SimpleNamespace(name="none", total_memory=2**33, major=0, minor=0, multi_processor_count=1)
torch.cuda.get_device_properties = lambda *device: gpu
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
CPU_SETTINGS = {"UNSLOTH_ALLOW_CPU": "1", "UNSLOTH_ENABLE_FLEX_ATTENTION": "0", "OMP_NUM_THREADS": "1"}
HAS_GPU = torch.cuda.is_available()


def trained(job: Job, *, on_gpu: bool = False) -> dict[str, Any]:
    """Run the job as a build would; its summary."""
    file = job.output.parent / f"{job.output.name}.json"
    fields = {name: str(getattr(job, name)) for name in ("output", "state", "root")}
    inputs = {name: str(path) for name, path in job.inputs.items()}
    file.write_text(json.dumps({**vars(job), **fields, "inputs": inputs}), "utf-8")
    start = ["-P"] if on_gpu else ["-P", "-c", ON_CPU]
    done = subprocess.run(
        [PYTHON, *start, guest.__file__, "fgbuild.workers.train", str(file)],
        env=environment(foreign=True) | ({} if on_gpu else CPU_SETTINGS),
        cwd=job.root,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    summary: dict[str, Any] = json.loads((job.output / "train.json").read_text("utf-8"))
    return summary


def merged_loss(job: Job) -> float:
    """The loss on the held-out rows of the base with the adapter merged as export does it, by plain transformers."""
    base = job.inputs["base"]
    found, source = adapter.load(job.output), SafetensorsFile(base / "model.safetensors")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    weights = model.state_dict()
    for name in found.factors:
        weights[name].copy_(torch.from_numpy(found.merged(source, name)))
    for token, row in found.token_rows.items():
        weights["model.embed_tokens.weight"][token] = torch.from_numpy(row)
    losses = []
    for row in load_rows(job.inputs["tokenize"] / "eval.jsonl"):
        ids, labels = torch.tensor(row["input_ids"]), torch.tensor(row["labels"])
        with torch.no_grad():
            scores = model(ids[None]).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(scores, labels[1:], reduction="none")[labels[1:] != -100])
    return torch.cat(losses).mean().item()


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
@pytest.mark.parametrize("lora", [{}, {"use_dora": True, "use_rslora": True, "trainable_tokens": []}])
def test_export_merges_what_was_trained(make_job: Jobs, lora: dict[str, Any]) -> None:
    job = make_job("straight", lora=lora, backend="unsloth")
    before = set(job.root.iterdir())
    summary = trained(job)
    assert (summary["backend"], summary["steps"]) == ("unsloth", 7)
    assert summary["loss"] < summary["loss_first"] / 10
    assert {path.name for path in job.output.iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "metrics.jsonl",
        "train.json",
    }
    assert merged_loss(job) == pytest.approx(summary["eval_loss"], rel=0.02)
    assert {path.name for path in set(job.root.iterdir()) - before} == {"straight-out.json"}


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_GPU, reason="this machine has no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_trains_on_a_gpu(make_job: Jobs, precision: str) -> None:
    job = make_job("gpu", backend="unsloth", precision=precision)
    summary = trained(job, on_gpu=True)
    assert summary["loss"] < summary["loss_first"] / 10
    assert merged_loss(job) == pytest.approx(summary["eval_loss"], rel=0.05)


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_without_a_gpu_the_error_is_one_sentence(make_job: Jobs) -> None:
    with pytest.raises(AssertionError, match=r"error: trainer\.backend: unsloth cannot be loaded here \(.*\); set"):
        trained(make_job("none", backend="unsloth"), on_gpu=True)
