"""Stage export: adapter merged into the base → the domain's GGUF, agent.json, model card and Modelfile.

`agent.json` and the model card are shipped without scores at first; stage eval finishes them (decision 012).
"""

from __future__ import annotations

from pathlib import Path

from fgbuild.naming import gguf_name
from fgbuild.stages.spec import Manifest, Placed, StageSpec

SECONDS = {"q8_0": 1.5, "f16": 3.0, "bf16": 3.0}
"""quant.type → cost; the others are k-quants."""


def placed(manifest: Manifest) -> tuple[Placed, ...]:
    domain, quant = manifest["name"], manifest.get("quant", {})
    model = gguf_name(domain, quant.get("type", "q8_0"))
    return (
        Placed(model, f"agents/{domain}/models/{model}", quant.get("min_mb"), quant.get("max_mb")),
        Placed("agent.json", f"agents/{domain}/agent.json", finished_by="eval"),
        Placed("README.md", f"agents/{domain}/README.md", finished_by="eval"),
        Placed("Modelfile", f"agents/{domain}/Modelfile"),
    )


def named_files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    """The user's own converter and importance matrix, where the manifest names them."""
    quant = manifest.get("quant", {})
    named = [quant["converter_path"]] if quant.get("converter") == "llama.cpp" else []
    named += [quant["imatrix"]] if quant.get("imatrix") else []
    return tuple(root / path for path in named)


def quantizer(manifest: Manifest) -> tuple[str, ...]:
    """What writes a k-quant."""
    return ("llama-cpp-python",) if "_k" in manifest.get("quant", {}).get("type", "") else ()


def cost(manifest: Manifest) -> float:
    return SECONDS.get(manifest.get("quant", {}).get("type", ""), 6.0)


SPEC = StageSpec(
    kind="export",
    version=2,
    worker="fgbuild.workers.export",
    inputs=("base", "generate", "train"),
    fields=("name", "summary", "tool", "dataset.generator", "quant"),
    # The size window is what `verify` checks; the bytes do not depend on it.
    excluded=("quant.min_mb", "quant.max_mb"),
    libraries=("gguf", "huggingface_hub", "jinja2", "numpy", "sentencepiece"),
    further_libraries=quantizer,
    # Merging is done in pieces too small for BLAS to split among threads, which then only wait for each other.
    cores=1,
    memory_mb=3072,
    cost=cost,
    files=named_files,
    placed=placed,
)
