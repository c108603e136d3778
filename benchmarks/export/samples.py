"""Adapters of random factors on a base: the time of an export does not depend on what the values are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fgbuild.workers.bases import gemma, tensors_file
from fgbuild.workers.bases.tensors_file import Output, SafetensorsFile
from fgbuild.workers.exporting.adapter import PREFIX, TOKEN_ROWS

RANK = 16
TOKENS = [46, 47, 48, 49, 50, 51, 52]
TARGETS = {
    "q/v": ("q_proj", "v_proj"),
    "all-linear": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}


def write_adapter(base: Path, directory: Path, modules: tuple[str, ...]) -> Path:
    """An adapter as peft saves it, with rows of the seven tokens of the call format."""
    weights = SafetensorsFile(base / "model.safetensors")
    layers = json.loads((base / "config.json").read_text("utf-8"))["num_hidden_layers"]
    random = np.random.default_rng(1)
    tensors: list[Output] = []

    def add(name: str, rows: int, columns: int) -> None:
        values = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02)
        tensors.append(Output(name, "F32", (rows, columns), lambda: [values]))

    for name in gemma.tensor_names(layers):
        if name.split(".")[-2] in modules:
            rows, columns = weights.entry(name).shape
            module = PREFIX + name.removesuffix(".weight")
            add(f"{module}.lora_A.weight", RANK, columns)
            add(f"{module}.lora_B.weight", rows, RANK)
    add(PREFIX + TOKEN_ROWS, len(TOKENS), weights.entry("model.embed_tokens.weight").shape[1])
    directory.mkdir(parents=True, exist_ok=True)
    tensors_file.write(directory / "adapter_model.safetensors", tensors)
    config = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "target_modules": list(modules),
        "trainable_token_indices": TOKENS,
    }
    (directory / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    return directory
