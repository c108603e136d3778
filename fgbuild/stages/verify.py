"""Stage verify: size, load, template and smoke checks on the shipped GGUF; a gate."""

from __future__ import annotations

from fgbuild.stages.spec import StageSpec

SPEC = StageSpec(
    kind="verify",
    version=1,
    worker="fgbuild.workers.verify",
    inputs=("base", "generate", "export"),
    fields=("name", "tool", "verify", "quant.min_mb", "quant.max_mb", "quant.type"),
    libraries=("jinja2", "jsonschema", "llama-cpp-python", "tokenizers", "transformers"),
    cores=2,
    memory_mb=2048,
    gate=True,
)
