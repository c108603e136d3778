"""Stage generate: scenarios and own files → trajectories for training and evaluation."""

from __future__ import annotations

from pathlib import Path

from fgbuild.stages.spec import Manifest, StageSpec


def generator_module(manifest: Manifest) -> tuple[str, ...]:
    """The domain module that the worker imports by name; no static import leads to it."""
    generator = manifest.get("dataset", {}).get("generator", "none")
    return () if generator == "none" else (f"fgbuild.domains.{generator}",)


def own_files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    return tuple(root / name for name in manifest.get("dataset", {}).get("files", ()))


def cost(manifest: Manifest) -> float:
    return 0.2 + 0.0002 * manifest["dataset"]["count"]


SPEC = StageSpec(
    kind="generate",
    version=1,
    worker="fgbuild.workers.generate",
    fields=("name", "dataset", "tool"),
    excluded=("dataset.max_length",),
    cores=4,
    memory_mb=512,
    cost=cost,
    modules=generator_module,
    files=own_files,
)
