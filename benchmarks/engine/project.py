"""A project of many domains, and its first build: `python benchmarks/engine/project.py ROOT COUNT`.

Prints the seconds that the build took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from unittest import mock

MANIFEST = """schema = 1
name = "{name}"
summary = "Answer questions about {name}"

[dataset]
files = ["data/{name}.jsonl"]

[[tool]]
name = "look_up"
description = "Look something up."

[tool.parameters]
type = "object"
required = ["what"]
properties.what = {{ type = "string", description = "Its name." }}

[lora]
r = {rank}
"""
PROJECT = 'schema = 1\ndefault_base = "tiny"\n\n[base.tiny]\nkind = "tiny"\n'


def make_project(root: Path, count: int) -> float:
    """The seconds that its first build takes, without waiting for the disk."""
    from at_once import instant

    from fgbuild.engine.build import BuildRequest, build, locked
    from fgbuild.engine.graph import build_graph
    from fgbuild.engine.paths import Paths
    from fgbuild.engine.workspace import Workspace
    from fgbuild.manifest import resolve_project
    from fgbuild.stages import PIPELINE

    (root / "manifests").mkdir()
    (root / "data").mkdir()
    (root / "fgbuild.toml").write_text(PROJECT)
    for name in names(count):
        (root / "manifests" / f"{name}.toml").write_text(MANIFEST.format(name=name, rank=16))
        (root / "data" / f"{name}.jsonl").write_text("{}\n")
    started = time.perf_counter()
    graph = build_graph(resolve_project(root), PIPELINE)
    # What is measured comes later: here nothing has to survive a power cut.
    with mock.patch("os.fsync"), locked(Paths(root)), Workspace(root) as workspace:
        result = build(workspace, graph, BuildRequest("scale", jobs=1), instant())
    if result.exit_code:
        raise SystemExit(f"the project could not be built: {result.failed[:3]}")
    return time.perf_counter() - started


def names(count: int) -> list[str]:
    return [f"d{number:05d}" for number in range(count)]


def edit(root: Path, number: int) -> None:
    name = names(1)[0]
    (root / "manifests" / f"{name}.toml").write_text(MANIFEST.format(name=name, rank=17 + number))


if __name__ == "__main__":
    print(make_project(Path(sys.argv[1]), int(sys.argv[2])))
