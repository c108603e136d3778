"""Writes what a training made; no times in it, so that equal training gives equal bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import PreTrainedModel

from fgbuild.workers.training.adapters import save_adapter
from fgbuild.workers.training.task import Training

WEIGHTS = "model.safetensors"


def save(
    training: Training,
    model: PeftModel | PreTrainedModel,
    metrics: Iterable[dict[str, Any]],
    summary: dict[str, Any],
) -> None:
    """Write weights, metrics.jsonl and train.json into `training.output`."""
    if isinstance(model, PeftModel):
        save_adapter(model, training.output, training.base_name)
    else:
        save_weights(model, training.base / WEIGHTS, training.output / WEIGHTS)
    lines = "".join(json.dumps(record) + "\n" for record in metrics)
    (training.output / "metrics.jsonl").write_text(lines, "utf-8")
    (training.output / "train.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")


def save_weights(model: PreTrainedModel, base: Path, path: Path) -> None:
    """Write the weights that `base` has, by their names there, in bfloat16."""
    with safe_open(base, framework="pt") as stored:
        names = list(stored.keys())
    weights = model.state_dict()
    save_file({name: weights[name].to("cpu", torch.bfloat16) for name in names}, path, metadata={"format": "pt"})
