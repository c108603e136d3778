"""Stage verify: size, load, template and smoke checks on the shipped GGUF; a gate."""

from __future__ import annotations

from fgbuild.stages.spec import Manifest, StageSpec


def probe(manifest: Manifest) -> tuple[str, ...]:
    """What the worker runs as a process of its own, which no import of it shows."""
    return ("fgbuild.workers.verifying.probe",)


def cost(manifest: Manifest) -> float:
    return 2.0 + 0.8 * len(manifest["verify"]["smoke"])


SPEC = StageSpec(
    kind="verify",
    version=1,
    worker="fgbuild.workers.verify",
    inputs=("base", "export"),
    fields=("name", "tool", "verify", "quant.min_mb", "quant.max_mb", "quant.type"),
    libraries=("jinja2", "jsonschema", "llama-cpp-python", "numpy", "tokenizers"),
    cores=2,
    memory_mb=2048,
    cost=cost,
    gate=True,
    report="report.json",
    modules=probe,
)
