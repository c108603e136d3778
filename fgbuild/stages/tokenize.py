"""Stage tokenize: trajectories → token ids and the spans the model must produce."""

from __future__ import annotations

from fgbuild.stages.spec import Manifest, StageSpec


def cost(manifest: Manifest) -> float:
    return 0.6 + 0.0016 * manifest["dataset"]["count"]


SPEC = StageSpec(
    kind="tokenize",
    version=1,
    worker="fgbuild.workers.tokenize",
    inputs=("base", "generate"),
    fields=("tool", "dataset.max_length"),
    libraries=("jinja2", "tokenizers"),
    cores=1,
    memory_mb=1024,
    cost=cost,
)
