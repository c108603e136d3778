"""What there is to train, on what, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
"""{"input_ids", "labels"} each: whole numbers only, so nothing is null-filled."""


@dataclass(frozen=True)
class Training:
    """What to train on what. base: its checkpoint; base_name: for the adapter's configuration.

    lora, trainer: the sections of a manifest. state: directory kept between attempts. output: gets
    adapter_model.safetensors and adapter_config.json (peft's; for `method = "full"` model.safetensors in their place),
    metrics.jsonl (loss, learning rate, gradient norm by step) and train.json (summary).
    """

    base: Path
    base_name: str
    lora: dict[str, Any]
    trainer: dict[str, Any]
    train: Rows
    eval: Rows
    state: Path
    output: Path

    @property
    def full(self) -> bool:
        """Whether all weights are trained, and not an adapter."""
        return bool(self.trainer["method"] == "full")
