"""What the engine itself costs: no-op and one-edit builds of N domains, beside other build tools on the same graph.

    python benchmarks/engine/scale.py --domains 4 100 1000      # pip install ninja doit scons for the comparison

A project of N domains on the real pipeline is made in a temporary directory and "built" by an executor whose
workers write a line in place of a model. What is measured afterwards is the real command in a process of its own:
`fgbuild build --all --headless` with nothing to do, and `fgbuild plan --all` after one manifest was edited. The peers
get one rule a stage over the same files (`peers`). Times are the best of several, wall clock, process start included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from unittest import mock

import peers

from fgbuild.engine.build import BuildRequest, build, locked
from fgbuild.engine.executor import WorkerExit, WorkerRequest
from fgbuild.engine.graph import build_graph
from fgbuild.engine.paths import Paths
from fgbuild.engine.workspace import Workspace
from fgbuild.manifest import resolve_project
from fgbuild.stages import PIPELINE

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
TRIES = 7


class WrittenAtOnce:
    """An executor whose workers have written their files when they are started."""

    def prepare(self, modules: Iterable[str]) -> None: ...

    def close(self) -> None: ...

    def start(self, request: WorkerRequest) -> _Done:
        job = json.loads(request.job.read_text())
        output = Path(job["output"])
        (output / "result.json").write_text(json.dumps({"stage": job["stage"], "manifest": job["manifest"]}))
        for spec in PIPELINE:
            if spec.kind == job["kind"]:
                for item in spec.placed(job["manifest"]):
                    (output / item.source).write_text(f"{item.target} {job['manifest'].get('lora')}")
        request.log.parent.mkdir(parents=True, exist_ok=True)
        request.log.touch()
        return _Done()


class _Done:
    def __init__(self) -> None:
        self.events, write_end = os.pipe()
        os.set_blocking(self.events, False)
        os.close(write_end)

    def poll(self) -> WorkerExit:
        return WorkerExit(0, 0.0, 1.0)

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None:
        os.close(self.events)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--domains", type=int, nargs="+", default=[4, 100, 1000])
    parser.add_argument("--peers", nargs="*", choices=sorted(peers.WRITERS), default=sorted(peers.WRITERS))
    arguments = parser.parse_args()
    compared = {name: path for name in arguments.peers if (path := peers.find(name))}
    heads = ["domains", "stages", "python -c pass", "no-op", "its memory", "plan after one edit"]
    heads += [f"{name} no-op" for name in compared]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for count in arguments.domains:
        with tempfile.TemporaryDirectory(prefix="fgbuild-scale-") as name:
            print("| " + " | ".join(row(Path(name), count, compared)) + " |", flush=True)


def row(root: Path, count: int, compared: dict[str, str]) -> list[str]:
    """The project is made once; every tool is then measured on it, one after the other."""
    make_project(root, count)
    build = [sys.executable, "-m", "fgbuild", "build", "--all", "--headless"]
    start = best([sys.executable, "-c", "pass"], root)
    for _ in range(3):  # the first ones learn how the files look
        best(build, root, tries=1)
    noop, memory = measured(build, root)
    edited = best([sys.executable, "-m", "fgbuild", "plan", "--all"], root, before=lambda number: edit(root, number))
    cells = [
        f"{count:,}",
        f"{6 * count + 1:,}",
        f"{start:.3f} s",
        f"{noop:.3f} s",
        f"{memory:.0f} MB",
        f"{edited:.3f} s",
    ]
    for name, path in compared.items():
        command = peers.prepare(name, path, root, names(count))
        best(command, root, tries=1)  # its first build
        cells.append(f"{best(command, root):.3f} s")
    return cells


def make_project(root: Path, count: int) -> None:
    (root / "manifests").mkdir()
    (root / "data").mkdir()
    (root / "fgbuild.toml").write_text(PROJECT)
    for name in names(count):
        (root / "manifests" / f"{name}.toml").write_text(MANIFEST.format(name=name, rank=16))
        (root / "data" / f"{name}.jsonl").write_text("{}\n")
    graph = build_graph(resolve_project(root), PIPELINE)
    # What is measured comes later: here nothing has to survive a power cut.
    with mock.patch("os.fsync"), locked(Paths(root)), Workspace(root) as workspace:
        result = build(workspace, graph, BuildRequest("scale", jobs=1), WrittenAtOnce)
    if result.exit_code:
        raise SystemExit(f"the project could not be built: {result.failed[:3]}")


def names(count: int) -> list[str]:
    return [f"d{number:05d}" for number in range(count)]


def edit(root: Path, number: int) -> None:
    name = names(1)[0]
    (root / "manifests" / f"{name}.toml").write_text(MANIFEST.format(name=name, rank=17 + number))


def best(
    command: list[str], root: Path, before: Callable[[int], None] = lambda number: None, tries: int = TRIES
) -> float:
    found = float("inf")
    for number in range(tries):
        before(number)
        started = time.perf_counter()
        subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL, env=environment())
        found = min(found, time.perf_counter() - started)
    return found


def measured(command: list[str], root: Path) -> tuple[float, float]:
    """Seconds, and the largest peak memory of a child so far in MB."""
    seconds = best(command, root)
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}


if __name__ == "__main__":
    main()
