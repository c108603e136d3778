"""Stage generate: scenarios and own files → trajectories for training and evaluation."""

from __future__ import annotations

from pathlib import Path

from fgbuild.stages.spec import Manifest, StageSpec

TOOL_LIBRARIES = {
    "docstring": ("libcst", "pydoclint", "docstring-parser-fork"),
    "lint": ("ruff",),
    "sample_data": ("faker", "pyarrow", "pydantic-core"),
    "test": ("coverage", "pytest"),
}
"""What a built-in domain's tools answer by: another version may answer otherwise."""


def generator_modules(manifest: Manifest) -> tuple[str, ...]:
    """The domain's modules that worker and sandbox import by name; no static import leads there."""
    generator = manifest.get("dataset", {}).get("generator", "none")
    if generator not in TOOL_LIBRARIES:
        return () if generator == "none" else (f"fgbuild.domains.{generator}",)
    return (f"fgbuild.domains.{generator}", f"fgbuild.domains.{generator}.tools", "fgbuild.sandbox.server")


def tool_libraries(manifest: Manifest) -> tuple[str, ...]:
    return TOOL_LIBRARIES.get(manifest.get("dataset", {}).get("generator", "none"), ())


def own_files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    return tuple(root / name for name in manifest.get("dataset", {}).get("files", ()))


def cost(manifest: Manifest) -> float:
    return 1.0 + 0.03 * manifest["dataset"]["count"]


SPEC = StageSpec(
    kind="generate",
    version=1,
    worker="fgbuild.workers.generate",
    fields=("name", "dataset", "tool"),
    excluded=("dataset.max_length",),
    cores=4,
    memory_mb=1024,
    cost=cost,
    modules=generator_modules,
    further_libraries=tool_libraries,
    files=own_files,
)
