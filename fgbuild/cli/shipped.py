"""What `verify`, `eval` and `call` share: the shipped models, and workers run outside a build."""

from __future__ import annotations

import argparse
import json
import os
import select
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fgbuild.cli.selection import add_variant
from fgbuild.engine.artifacts import current_artifact as artifact
from fgbuild.errors import FgbuildError, StageError
from fgbuild.events import Event, decode
from fgbuild.manifest import Domain, Project
from fgbuild.naming import gguf_name

GATE_FAILED = 3
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Shipped:
    """A domain and its placed GGUF. path: absolute; display: below the project's root."""

    domain: Domain
    path: Path
    display: str

    @property
    def agent(self) -> Path:
        """The agent.json beside it, which may be missing."""
        return self.path.parent.parent / "agent.json"


def add_domains(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="domains by name (default: all)")
    parser.add_argument("--all", action="store_true", help="all domains")
    add_variant(parser)


def shipped_models(project: Project, names: Sequence[str], everything: bool) -> list[Shipped]:
    """The named domains' models (none named: all). Raises FgbuildError that lists every missing file."""
    if everything and names:
        raise FgbuildError("--all and names of domains exclude each other; leave one of them out")
    if not project.domains:
        raise FgbuildError("the project has no domain; `fgbuild new NAME` makes one")
    models = [shipped_model(project, name) for name in dict.fromkeys(names or project.domains)]
    missing = [model for model in models if not model.path.is_file()]
    if missing:
        what = ", ".join(f"{model.domain.name} has no GGUF at {model.display}" for model in missing)
        raise FgbuildError(f"{what}; run `fgbuild build {' '.join(model.domain.name for model in missing)}`")
    return models


def shipped_model(project: Project, name: str) -> Shipped:
    """Where a domain's GGUF belongs. Raises FgbuildError for an unknown domain."""
    if name not in project.domains:
        raise FgbuildError(f"there is no domain {name!r}; choose from {', '.join(project.domains)}")
    domain = project.domains[name]
    display = f"agents/{name}/models/{gguf_name(name, domain.resolved['quant']['type'])}"
    return Shipped(domain, project.root / display, display)


def required_base(project: Project) -> Path:
    """The base artifact. Raises FgbuildError where it has not been built."""
    base = artifact(project, "base")
    if base is None:
        raise FgbuildError(f"the base model {project.base_name} has not been built; run `fgbuild build --until base`")
    return base


def run_worker(
    module: str,
    job: dict[str, Any],
    result: str,
    *,
    on_event: Callable[[Event], None] = lambda event: None,
    unwanted: Callable[[], bool] = lambda: False,
) -> tuple[int, dict[str, Any]]:
    """Run a worker on a job in a temporary directory; its exit code (0 or 3) and its JSON file `result`.

    job: without `output` and `state`. unwanted: asked ten times a second; once it says yes the worker is stopped.
    Raises FgbuildError with the worker's own message where the input is at fault (exit 2), or where the answer became
    unwanted, StageError where it failed. The worker dies with this process.
    """
    from fgbuild.engine.executor import WorkerRequest
    from fgbuild.executors.local import LocalExecutor

    with tempfile.TemporaryDirectory(prefix="fgbuild-") as name:
        directory = Path(name)
        output, log = directory / "output", directory / "worker.log"
        output.mkdir()
        job_file = directory / "job.json"
        job_file.write_text(json.dumps({**job, "output": str(output), "state": str(directory)}), "utf-8")
        worker = LocalExecutor().start(WorkerRequest(module, job_file, log, Path(job["root"]), os.cpu_count() or 1))
        failures: list[str] = []

        def handle(event: Event) -> None:
            if event["kind"] == "stage.failed":
                failures.append(str(event.get("message", "")))
            on_event(event)

        try:
            code = _follow(worker, handle, unwanted)
        finally:
            worker.kill()
            worker.close()
        if code not in (0, GATE_FAILED):
            raise_failed(code, failures, log)
        return code, json.loads((output / result).read_text("utf-8"))


def job_for(model: Shipped, root: Path, kind: str, inputs: dict[str, Path], options: dict[str, Any]) -> dict[str, Any]:
    """A job on a shipped model, for `run_worker`."""
    return {
        "stage": f"{model.domain.name}:{kind}",
        "kind": kind,
        "domain": model.domain.name,
        "manifest": model.domain.resolved,
        "inputs": {name: str(path) for name, path in inputs.items()},
        "root": str(root),
        "options": {"gguf": str(model.path), **options},
    }


def _follow(worker: Any, handle: Callable[[Event], None], unwanted: Callable[[], bool]) -> int:
    """Hand on the worker's events until it has ended; its exit code."""
    pending = b""
    while True:
        ended = worker.poll()
        # Once more after its end: what it wrote last is still in the pipe.
        while select.select([worker.events], [], [], 0 if ended else _POLL_SECONDS)[0]:
            data = os.read(worker.events, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                if (event := decode(line)) is not None:
                    handle(event)
        if ended:
            return int(ended.code)
        if unwanted():
            raise FgbuildError("stopped before it had an answer; ask again")


def raise_failed(code: int, failures: list[str], log: Path) -> NoReturn:
    """Raise what a worker said before it failed, or else the last line of its log."""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    message = failures[-1] if failures else (lines[-1] if lines else f"the worker ended with exit code {code}")
    raise FgbuildError(message) if code == FgbuildError.exit_code else StageError(message)
