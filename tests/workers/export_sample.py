"""Adapters made by peft itself, and export jobs for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from fgbuild.workers.protocol import Job

TOKENS = [46, 48, 50]
TOOL = {"name": "get_time", "description": "Tells the time.", "parameters": {"type": "object", "properties": {}}}
MANIFEST: dict[str, Any] = {
    "name": "clock",
    "summary": "Tells the time",
    "tool": [{"type": "function", "function": TOOL}],
    "lora": {"r": 4, "alpha": 8, "target_modules": ["q_proj"]},
    "dataset": {"generator": "clock", "count": 10, "seed": 7},
    "quant": {"type": "q8_0", "min_mb": 1, "max_mb": 3, "converter": "builtin", "converter_path": ""},
}


def peft_model(base: Path, *, zero: bool = False, **config: Any) -> PeftModel:
    """The base with a LoRA adapter of random factors; `zero` leaves peft's initial B = 0."""
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "r": 4, "lora_alpha": 8, "task_type": "CAUSAL_LM", "target_modules": "all-linear",
    }  # fmt: skip
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), LoraConfig(**{**settings, **config})
    )
    if not zero:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name or "trainable_tokens_delta" in name:
                    parameter.normal_(std=0.05)
                elif "lora_magnitude_vector" in name:
                    parameter.mul_(torch.rand_like(parameter) + 0.5)
    return model


def export_job(base: Path, train: Path, root: Path, **quant: Any) -> Job:
    manifest = {**MANIFEST, "quant": {**MANIFEST["quant"], **quant}}
    output = root / "out"
    output.mkdir()
    inputs = {"base": base, "train": train}
    return Job("clock:export", "export", "clock", manifest, inputs, output, root / "state", root, {})
