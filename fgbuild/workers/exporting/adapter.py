"""Reads a LoRA adapter that peft saved, and merges it as peft's `merge_and_unload` would.

peft names the tensors of a module `base_model.model.<module>.lora_A.weight` (r, in) and
`lora_B.weight` (out, r); rows of trainable tokens are `<module>.token_adapter.trainable_tokens_delta`
(tokens, hidden), in the order of `trainable_token_indices`. Despite the name these rows replace the
base's; they are not added to them. DoRA adds `lora_magnitude_vector` (out), the lengths of the merged rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fgbuild.errors import StageError
from fgbuild.gguf_io.quant import Float32
from fgbuild.workers.bases.tensors_file import SafetensorsFile

PREFIX = "base_model.model."
TOKEN_ROWS = "model.embed_tokens.token_adapter.trainable_tokens_delta"
LENGTHS = ".lora_magnitude_vector"
UNSUPPORTED = (
    "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern", "modules_to_save",
    "layer_replication", "target_parameters",
)  # fmt: skip
"""Settings of peft that change how an adapter is merged, beyond what this module does."""


@dataclass(frozen=True)
class Adapter:
    """An adapter, checked to be complete and of a kind that can be merged.

    factors: weight name in the base → (A, B). scaling: what B·A is multiplied by.
    token_rows: token id → its new embedding row. lengths: weight name → the lengths (out,) that DoRA gives its rows.
    """

    factors: dict[str, tuple[Float32, Float32]]
    scaling: float
    token_rows: dict[int, Float32]
    lengths: dict[str, Float32] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str]:
        """The weights that are other than the base's, token rows apart."""
        return self.factors.keys()

    def merged(self, base: SafetensorsFile, name: str, rows: slice = slice(None)) -> Float32:
        """W + scaling·B·A in float32, or some of its rows, with DoRA each row in the length it has learnt.

        Raises StageError where the shapes do not fit together.
        """
        shape = base.entry(name).shape
        down, up = self.factors[name]
        if (up.shape[0], down.shape[1]) != shape or up.shape[1] != down.shape[0]:
            raise StageError(f"the adapter of {name} does not fit the base's {shape}; train it again")
        delta = up[rows] @ down
        delta *= np.float32(self.scaling)
        delta += base.float32(name, rows)
        if name in self.lengths:
            if self.lengths[name].shape != shape[:1]:
                raise StageError(f"the row lengths of {name} do not fit the base's {shape}; train it again")
            delta *= (self.lengths[name][rows] / np.linalg.norm(delta, axis=1))[:, None]
        return delta


def load(directory: Path) -> Adapter:
    """The adapter in `directory`. Raises StageError where it cannot be merged."""
    config = _config(directory / "adapter_config.json")
    tensors = SafetensorsFile(directory / "adapter_model.safetensors")
    factors: dict[str, tuple[Float32, Float32]] = {}
    rows: dict[int, Float32] = {}
    lengths: dict[str, Float32] = {}
    for stored in tensors.entries:
        name = stored.removeprefix(PREFIX)
        if name == TOKEN_ROWS:
            rows = _token_rows(tensors, stored, config)
        elif name.endswith(".lora_A.weight"):
            module = name.removesuffix(".lora_A.weight")
            up = tensors.float32(f"{PREFIX}{module}.lora_B.weight")
            factors[f"{module}.weight"] = (tensors.float32(stored), up)
        elif name.endswith(LENGTHS):
            lengths[f"{name.removesuffix(LENGTHS)}.weight"] = tensors.float32(stored)
        elif not name.endswith(".lora_B.weight"):
            raise StageError(f"{tensors.path}: tensor {stored!r} is no LoRA factor and no token row; train it again")
    if not factors and not rows:
        raise StageError(f"{tensors.path}: the adapter is empty; check lora.target_modules and train it again")
    if lengths.keys() != (factors.keys() if config.get("use_dora") else set()):
        raise StageError(f"{tensors.path}: use_dora and the row lengths do not go together; train it again")
    rank = config["r"]
    scaling = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return Adapter(factors, scaling, rows, lengths)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{path}: not an adapter configuration ({error}); train it again") from None
    if config.get("peft_type") != "LORA" or not rank > 0 or not math.isfinite(alpha):
        raise StageError(f"{path}: not a LoRA adapter; train it again")
    for setting in UNSUPPORTED:
        if config.get(setting):
            raise StageError(f"{path}: {setting} is set, which export cannot merge; train without it")
    return dict(config)


def _token_rows(tensors: SafetensorsFile, stored: str, config: dict[str, Any]) -> dict[int, Float32]:
    indices = config.get("trainable_token_indices") or []
    if isinstance(indices, dict):
        indices = indices.get("embed_tokens", [])
    values = tensors.float32(stored)
    if len(indices) != len(values):
        raise StageError(f"{tensors.path}: {len(values)} token rows for {len(indices)} token ids; train it again")
    return {int(index): row for index, row in zip(indices, values, strict=True)}
