"""Stage train: tokenized trajectories → a LoRA adapter."""

from __future__ import annotations

from fgbuild.stages.spec import StageSpec

SPEC = StageSpec(
    kind="train",
    version=1,
    worker="fgbuild.workers.train",
    inputs=("base", "tokenize"),
    fields=("lora", "trainer"),
    libraries=("accelerate", "datasets", "peft", "safetensors", "tokenizers", "torch", "transformers", "trl"),
    preload=("torch", "transformers", "trl", "peft", "datasets", "transformers.models.gemma3.modeling_gemma3"),
    # Beyond eight cores a step of a 270M model gains little; two domains side by side gain more.
    cores=8,
    memory_mb=7168,
    report="train.json",
)
