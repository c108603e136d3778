"""Stage generate: scenarios and own files → trajectories for training and evaluation."""

from __future__ import annotations

import shutil
from pathlib import Path

from fgbuild.stages.spec import Manifest, StageSpec


def generator_module(manifest: Manifest) -> tuple[str, ...]:
    """The domain module that the worker imports by name; no static import leads to it."""
    generator = manifest.get("dataset", {}).get("generator", "none")
    return () if generator == "none" else (f"fgbuild.domains.{generator}",)


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
    found = {shutil.which(command[0]) for command in commands}
    return sorted(path for path in found if path)


def cost(manifest: Manifest) -> float:
    """Rows are drawn in no time; where tools are commands, about one in two rows runs one, twice."""
    return 0.2 + (0.01 if manifest.get("command") else 0.0002) * manifest["dataset"]["count"]


SPEC = StageSpec(
    kind="generate",
    version=1,
    worker="fgbuild.workers.generate",
    fields=("name", "dataset", "tool", "command", "workspace", "slots", "scenario"),
    # What the files of dataset.templates hold is in slots and scenario.
    excluded=("dataset.max_length", "dataset.templates"),
    cores=1,
    memory_mb=512,
    cost=cost,
    modules=generator_module,
    files=input_files,
)
