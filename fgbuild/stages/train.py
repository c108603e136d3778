"""Stage train: tokenized trajectories → a LoRA adapter, or all weights anew."""

from __future__ import annotations

from collections.abc import Callable

from fgbuild.recipes import beyond_unsloth
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
    return (TRL, UNSLOTH) if _may_be_unsloth(manifest) else (TRL,)


def further_libraries(manifest: Manifest) -> tuple[str, ...]:
    """What decides the bytes where unsloth may train; it makes its own kernels with triton."""
    return ("triton", "unsloth", "unsloth-zoo") if _may_be_unsloth(manifest) else ()


def environment(manifest: Manifest, has_gpu: Callable[[], bool]) -> str:
    """unsloth where it is to train: `auto` takes it on a GPU, for an adapter that it can train."""
    trainer = manifest["trainer"]
    backend = trainer.get("backend", "trl")
    if backend != "auto":
        return "unsloth" if backend == "unsloth" else ""
    return "unsloth" if beyond_unsloth(trainer, manifest["lora"]) is None and has_gpu() else ""


def _may_be_unsloth(manifest: Manifest) -> bool:
    return manifest["trainer"].get("backend", "trl") != "trl"


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
    memory_mb=4608,
    gpu_memory_mb=6144,
    cost=cost,
    modules=backends,
    further_libraries=further_libraries,
    environment=environment,
    report="train.json",
)
