"""Stage generate: scenarios and own files → trajectories for training and evaluation."""

from __future__ import annotations

import shutil
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
    if generator == "none":
        return ()
    sandboxed = "confined" if generator == "templates" else "tools"
    return (f"fgbuild.domains.{generator}", f"fgbuild.domains.{generator}.{sandboxed}", "fgbuild.sandbox.server")


def tool_libraries(manifest: Manifest) -> tuple[str, ...]:
    return TOOL_LIBRARIES.get(manifest.get("dataset", {}).get("generator", "none"), ())


def input_files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    """Own rows, the values of slots, what is copied into the workspace, and the programs that are run there."""
    own = manifest.get("dataset", {}).get("files", ())
    values = [slot["file"] for slot in manifest.get("slots", {}).values() if slot["file"]]
    copied = manifest.get("workspace", {}).get("files", ())
    return (*(root / name for name in (*own, *values, *copied)), *map(Path, programs(manifest)))


def programs(manifest: Manifest) -> list[str]:
    """The programs that a domain's commands run and that are installed: another version may print other text."""
    commands = [*manifest.get("workspace", {}).get("setup", ())]
    commands += [entry["command"] for entry in manifest.get("command", {}).values()]
    path = manifest.get("workspace", {}).get("env", {}).get("PATH")
    found = {shutil.which(command[0], path=path) for command in commands}
    return sorted(path for path in found if path)


def cost(manifest: Manifest) -> float:
    """Where tools are commands, about one row in two runs one, twice; else what one call on two cores takes."""
    return 1.0 + (0.01 if manifest.get("command") else 0.03) * float(manifest["dataset"]["count"])


SPEC = StageSpec(
    kind="generate",
    version=1,
    worker="fgbuild.workers.generate",
    fields=("name", "dataset", "tool", "command", "workspace", "slots", "scenario"),
    # What the files of dataset.templates hold is in slots and scenario.
    excluded=("dataset.max_length", "dataset.templates"),
    cores=4,
    memory_mb=1024,
    cost=cost,
    modules=generator_modules,
    further_libraries=tool_libraries,
    files=input_files,
)
