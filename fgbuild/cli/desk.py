"""What the dashboard may ask for, answered by the engine, the manifests and the workers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbuild.engine.paths import Paths

if TYPE_CHECKING:
    from fgbuild.engine.made import Made
    from fgbuild.views.tui.desk import Effect, Field, Problem, Variant


class ProjectDesk:
    """Of the project at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._paths = Paths(root)

    def build(self, domains: Sequence[str], variant: Variant, *, until: str | None = None) -> subprocess.Popen[bytes]:
        """A build that outlives the dashboard and finds the fgbuild that started it."""
        from fgbuild.executors.processes import import_path
        from fgbuild.views.tui import launch

        arguments = [*(domains or ["--all"]), *_options(variant), *(["--until", until] if until else [])]
        return launch.start_build(self.root, arguments, {**os.environ, "PYTHONPATH": import_path()})

    def cancel(self, run: str, stage: str | None) -> None:
        raise NotImplementedError

    @contextmanager
    def made(self, run: str) -> Iterator[Made]:
        from fgbuild.engine.made import Made
        from fgbuild.engine.workspace import Workspace
        from fgbuild.events import read_events
        from fgbuild.views.report.log import RunLog

        log = RunLog(read_events(self._paths.events(run)))
        with Workspace(self.root) as workspace:
            yield Made(workspace, run, log.outputs, log.untouched(), log.ended_at)

    def report(self, run: str) -> Path:
        from fgbuild.cli.report import PAGE, page_of

        target = self._paths.run(run) / PAGE
        target.write_text(page_of(self._paths, run), "utf-8")
        return target

    def call(self, domain: str, prompt: str, variant: Variant) -> Mapping[str, Any]:
        raise NotImplementedError

    def manifest(self, domain: str) -> Path:
        from fgbuild.cli import desk_manifest

        return desk_manifest.manifest_path(self.root, domain)

    def problems(self, path: Path, text: str, variant: Variant) -> Sequence[Problem]:
        from fgbuild.cli import desk_manifest

        return desk_manifest.problems(self.root, path, text, variant)

    def effect(self, path: Path, text: str, variant: Variant) -> Effect:
        from fgbuild.cli import desk_manifest

        return desk_manifest.effect(self.root, path, text, variant)

    def fields(self, path: Path) -> Mapping[str, Field]:
        from fgbuild.cli import desk_fields

        return desk_fields.fields(self.root, path)


def _options(variant: Variant) -> list[str]:
    return [
        *(["--base", variant.base] if variant.base else []),
        *(["--profile", variant.profile] if variant.profile else []),
    ]
