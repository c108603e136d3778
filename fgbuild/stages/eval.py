"""Stage eval: accuracy of the shipped GGUF on the held-out split, against the thresholds; a gate."""

from __future__ import annotations

from pathlib import Path

from fgbuild.stages.generate import generator_modules, tool_libraries
from fgbuild.stages.spec import Manifest, Placed, StageSpec


def cost(manifest: Manifest) -> float:
    return 16.0 + 0.8 * manifest["eval"]["examples"]


def prompts(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    name = manifest["eval"].get("prompts")
    return (root / name,) if name else ()


def placed(manifest: Manifest) -> tuple[Placed, ...]:
    """Export's own files, with the scores."""
    return tuple(Placed(name, f"agents/{manifest['name']}/{name}") for name in ("agent.json", "README.md"))


SPEC = StageSpec(
    kind="eval",
    version=2,
    worker="fgbuild.workers.eval",
    inputs=("base", "generate", "export"),
    after=("verify",),
    fields=("name", "tool", "eval"),
    libraries=("huggingface_hub", "jsonschema", "llama-cpp-python", "numpy", "tokenizers"),
    cores=2,
    memory_mb=2048,
    cost=cost,
    gate=True,
    # The model's calls are made by the tools that made the examples.
    modules=generator_modules,
    further_libraries=tool_libraries,
    files=prompts,
    placed=placed,
    report="report.json",
)
