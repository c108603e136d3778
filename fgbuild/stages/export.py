"""Stage export: adapter merged into the base → the domain's GGUF, agent.json, model card and Modelfile.

`agent.json` and the model card are shipped without scores at first; stage eval finishes them (decision 012).
"""

from __future__ import annotations

from pathlib import Path

from fgbuild.naming import gguf_name
from fgbuild.stages.spec import Manifest, Placed, StageSpec


def placed(manifest: Manifest) -> tuple[Placed, ...]:
    domain, quant = manifest["name"], manifest.get("quant", {})
    model = gguf_name(domain, quant.get("type", "q8_0"))
    return (
        Placed(model, f"agents/{domain}/models/{model}", quant.get("min_mb"), quant.get("max_mb")),
        Placed("agent.json", f"agents/{domain}/agent.json", finished_by="eval"),
        Placed("README.md", f"agents/{domain}/README.md", finished_by="eval"),
        Placed("Modelfile", f"agents/{domain}/Modelfile"),
    )


def converter(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    """The user's own converter, where the manifest names one: another version gives other bytes."""
    quant = manifest.get("quant", {})
    return (root / quant["converter_path"],) if quant.get("converter") == "llama.cpp" else ()


def cost(manifest: Manifest) -> float:
    return 1.5


SPEC = StageSpec(
    kind="export",
    version=2,
    worker="fgbuild.workers.export",
    inputs=("base", "generate", "train"),
    fields=("name", "summary", "tool", "dataset.generator", "quant"),
    # The size window is what `verify` checks; the bytes do not depend on it.
    excluded=("quant.min_mb", "quant.max_mb"),
    libraries=("gguf", "huggingface_hub", "jinja2", "numpy", "sentencepiece"),
    cores=2,
    memory_mb=3072,
    cost=cost,
    files=converter,
    placed=placed,
)
