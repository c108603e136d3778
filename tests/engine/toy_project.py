"""A project whose workers are small scripts, so that the engine is tested without models.

The pipeline is base → make → join → check (a gate) → last (only after check). Workers speak the
job protocol with the standard library alone. Each notes in `ran.log` that it ran; what it does is
in its manifest: `fail` (kind → exit code), `sleep` (kind → seconds).

`python toy_project.py ROOT` builds once with the manifests of `ROOT/manifests.json`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from fgbuild.engine.build import BuildRequest, BuildResult, build, locked
from fgbuild.engine.executor import Executor, WorkerExit, WorkerRequest
from fgbuild.engine.graph import Graph, build_graph, select
from fgbuild.engine.libraries import Libraries
from fgbuild.engine.plan import Decision, Planner
from fgbuild.engine.workspace import Workspace
from fgbuild.events import Event, read_events
from fgbuild.executors.local import LocalExecutor
from fgbuild.manifest import Domain, Project
from fgbuild.stages.spec import Manifest, Placed, StageSpec

COMMON = '''
"""Shared by the toy workers."""
import json, os, sys, time
from pathlib import Path

job = json.loads(Path(sys.argv[1]).read_text())
manifest, kind = job["manifest"], job["kind"]
output, state = Path(job["output"]), Path(job["state"])
inputs = {name: Path(path) for name, path in job["inputs"].items()}

def emit(kind, **fields):
    os.write(int(os.environ["FGBUILD_EVENTS_FD"]), json.dumps({"kind": kind, **fields}).encode() + b"\\n")

def finish(name, text):
    """Note the run, write half the output, do what the manifest asks for, write the other half."""
    with open(Path(job["root"]) / "ran.log", "a") as log:
        log.write(job["stage"] + "\\n")
    path = output / name
    path.write_text(text[: len(text) // 2])
    emit("stage.progress", stage=job["stage"], done=1, total=2, unit="halves")
    print("working on", job["stage"], flush=True)
    time.sleep(manifest.get("sleep", {}).get(kind, 0))
    path.write_text(text)
    code = manifest.get("fail", {}).get(kind, 0)
    if code:
        emit("stage.failed", message=f"{kind} was told to fail")
    sys.exit(code)
'''

WORKERS = {
    "base": 'finish("base.txt", manifest["text"])',
    "make": 'finish("made.txt", (manifest["make"]["word"] * manifest["make"]["count"]).lower())',
    "join": (
        "from toy.glue import GLUE\n"
        'finish("joined.txt", (inputs["base"] / "base.txt").read_text() + GLUE'
        ' + (inputs["make"] / "made.txt").read_text() + str(manifest["join"]["r"]))'
    ),
    "check": 'finish("report.json", json.dumps({"passed": not manifest.get("fail", {}).get("check")}))',
    "last": 'finish("last.txt", (inputs["join"] / "joined.txt").read_text().upper())',
}


def _placed(manifest: Manifest) -> tuple[Placed, ...]:
    return (Placed("joined.txt", f"agents/{manifest['name']}/joined.txt"),)


def _files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    return tuple(root / name for name in manifest["make"].get("files", ()))


PIPELINE = (
    StageSpec("base", 1, "toy.base", fields=("",), per_domain=False),
    StageSpec("make", 1, "toy.make", fields=("make",), files=_files),
    StageSpec("join", 1, "toy.join", inputs=("base", "make"), fields=("join", "name"), placed=_placed),
    StageSpec("check", 1, "toy.check", inputs=("join",), fields=("check",), gate=True),
    StageSpec("last", 1, "toy.last", inputs=("join",), after=("check",)),
)


def manifest(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "make": {"word": name, "count": 2}, "join": {"r": 16}, "check": {}, **changes}


class FinishedWorker:
    """A worker that ran to its end when it was started."""

    def __init__(self, events: int, code: int) -> None:
        self.events = events
        self._exit = WorkerExit(code, 0.25, 50.0)

    def poll(self) -> WorkerExit:
        return self._exit

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None:
        os.close(self.events)


class InProcessExecutor:
    """Runs toy workers inside the test: a hundred times faster than a process for each."""

    def prepare(self, modules: Iterable[str]) -> None: ...

    def close(self) -> None: ...

    def start(self, request: WorkerRequest) -> FinishedWorker:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        request.log.parent.mkdir(parents=True, exist_ok=True)
        for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        with (
            request.log.open("w") as log,
            contextlib.redirect_stdout(log),
            mock.patch.object(sys, "argv", ["toy", str(request.job)]),
            mock.patch.object(sys, "path", [str(request.directory), *sys.path]),
            mock.patch.object(sys, "dont_write_bytecode", True),
            mock.patch.dict(os.environ, {"FGBUILD_EVENTS_FD": str(write_end)}),
        ):
            try:
                runpy.run_module(request.module, run_name="__main__")
                code = 0
            except SystemExit as error:
                code = int(error.code or 0)
        os.close(write_end)
        return FinishedWorker(read_end, code)


class ToyProject:
    def __init__(self, root: Path, *domains: str) -> None:
        self.root = root
        self.base: dict[str, Any] = {"name": "toy", "kind": "toy", "text": "base-"}
        self.manifests = {name: manifest(name) for name in domains or ("red",)}
        self.pipeline = PIPELINE
        package = root / "toy"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "common.py").write_text(COMMON)
        (package / "glue.py").write_text('GLUE = "+"\n')
        for name, body in WORKERS.items():
            self.write_worker(name, body)

    def write_worker(self, name: str, body: str) -> None:
        (self.root / "toy" / f"{name}.py").write_text(f"from toy.common import *\n{body}\n")

    def graph(self, *domains: str, until: str | None = None) -> Graph:
        resolved = {
            name: Domain(name, Path(f"manifests/{name}.toml"), data, {}) for name, data in self.manifests.items()
        }
        project = Project(self.root, self.base, self.base["name"], None, resolved)
        return select(build_graph(project, self.pipeline), domains, until)

    def open(self) -> Workspace:
        return Workspace(self.root, {"toy": self.root / "toy"}, libraries=Libraries([]))

    def build(
        self,
        *domains: str,
        until: str | None = None,
        listeners: tuple[Callable[[Event], None], ...] = (),
        executor: Callable[[], Executor] = InProcessExecutor,
        **options: Any,
    ) -> BuildResult:
        request = BuildRequest(command="toy", **options)
        graph = self.graph(*domains, until=until)
        with self.open() as workspace, locked(workspace.paths):
            return build(workspace, graph, request, executor, lambda: list(listeners))

    def plan(self, *domains: str, until: str | None = None, force: bool = False) -> dict[str, Decision]:
        with self.open() as workspace:
            return Planner(workspace, force=force).plan(self.graph(*domains, until=until))

    def taken(self) -> list[str]:
        """Stages whose workers ran since the last call, in order of name."""
        log = self.root / "ran.log"
        found = sorted(log.read_text().split()) if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    def joined(self, domain: str = "red") -> str:
        return (self.root / "agents" / domain / "joined.txt").read_text()

    def events(self, run: str | None) -> list[Event]:
        assert run is not None
        return list(read_events(self.root / "cache" / "runs" / run / "events.jsonl"))

    def stored(self) -> list[Path]:
        """Directories of the store."""
        return sorted((self.root / "cache" / "store").iterdir())


def main() -> int:
    root = Path(sys.argv[1])
    project = ToyProject.__new__(ToyProject)
    project.root, project.pipeline = root, PIPELINE
    project.base = {"name": "toy", "kind": "toy", "text": "base-"}
    project.manifests = json.loads((root / "manifests.json").read_text())
    os.environ["PYTHONPATH"] = str(root)
    return project.build(executor=LocalExecutor).exit_code


if __name__ == "__main__":
    sys.exit(main())
