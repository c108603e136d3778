"""Stage train: tokenized trajectories → a LoRA adapter, or all weights anew."""

from __future__ import annotations

from fgbuild.stages.spec import Manifest, StageSpec

TRL = "fgbuild.workers.training.backends.trl"
UNSLOTH = "fgbuild.workers.training.backends.unsloth"


def cost(manifest: Manifest) -> float:
    """Libraries to import, and a third of a second a row: what a row of its own costs beside the shared prompt."""
    trainer, dataset = manifest["trainer"], manifest["dataset"]
    rows = dataset["count"] * (1 - dataset["eval_fraction"]) * trainer["epochs"]
    if trainer["max_steps"] > 0:
        batch = trainer["batch_size"]
        passes = trainer["gradient_accumulation"]
        rows = trainer["max_steps"] * (trainer["effective_batch"] if batch == "auto" else batch * passes)
    return 10.0 + 0.35 * float(rows)


def backends(manifest: Manifest) -> tuple[str, ...]:
    """The modules that the worker may load by the manifest's backend."""
    backend = manifest["trainer"].get("backend", "trl")
    return (TRL,) if backend == "trl" else (TRL, UNSLOTH)


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
    gpu_memory_mb=6144,
    cost=cost,
    modules=backends,
    report="train.json",
)
