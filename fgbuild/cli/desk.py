"""What the dashboard may ask for, answered by the engine, the manifests and the workers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError

if TYPE_CHECKING:
    from fgbuild.engine.made import Made
    from fgbuild.engine.workspace import Workspace
    from fgbuild.manifest import Project
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
        from fgbuild.cli.cancel import cancel

        cancel(self._paths, run, stage)

    @contextmanager
    def made(self, run: str) -> Iterator[Made]:
        from fgbuild.engine.workspace import Workspace

        with Workspace(self.root) as workspace:
            yield self._made(workspace, run)

    def _made(self, workspace: Workspace, run: str) -> Made:
        from fgbuild.engine.made import Made
        from fgbuild.views.bulk import read_events
        from fgbuild.views.report.log import RunLog

        log = RunLog(read_events(self._paths.events(run)))
        return Made(workspace, run, log.outputs, log.untouched(), log.ended_at)

    def _project(self, variant: Variant) -> Project:
        from fgbuild.manifest import resolve_project

        return resolve_project(self.root, base=variant.base or None, profile=variant.profile or None)

    def plan(self, variant: Variant) -> Sequence[Mapping[str, Any]]:
        from fgbuild.engine.build import SHOWN_WHOLE
        from fgbuild.engine.graph import build_graph
        from fgbuild.engine.plan import SKIP, Planner, plan_entry
        from fgbuild.engine.workspace import Workspace
        from fgbuild.stages import PIPELINE

        graph = build_graph(self._project(variant), PIPELINE)
        with Workspace(self.root) as workspace:
            decisions = [*Planner(workspace).plan(graph).values()]
            if len(graph.domains()) > SHOWN_WHOLE:
                due = {each.stage.domain for each in decisions if each.action != SKIP}
                decisions = [each for each in decisions if each.stage.domain in due]
            return [plan_entry(workspace, each) for each in decisions]

    def why(self, stage: str, variant: Variant) -> Sequence[str]:
        from fgbuild.cli.why import chosen, explain, standing
        from fgbuild.engine.graph import build_graph
        from fgbuild.engine.plan import SKIP, Planner
        from fgbuild.engine.workspace import Workspace
        from fgbuild.stages import PIPELINE

        project = self._project(variant)
        graph, (found,) = chosen(build_graph(project, PIPELINE), stage)
        with Workspace(self.root) as workspace:
            decisions = Planner(workspace).plan(graph)
            built = standing(workspace, stage) if decisions[stage].action != SKIP else []
            return [*built, *explain(workspace, graph, decisions, found, {stage})]

    def differences(self, before: str, after: str, stages: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        from fgbuild.engine.reasons import differences
        from fgbuild.engine.workspace import Workspace

        found: dict[str, Sequence[Mapping[str, Any]]] = {}
        with Workspace(self.root) as workspace:
            first, second = self._made(workspace, before), self._made(workspace, after)
            for stage in stages:
                old, new = first.components(stage), second.components(stage)
                if old is not None and new is not None:
                    found[stage] = [one.as_json() for one in differences(old, new, workspace.code.parts)]
        return found

    def report(self, run: str) -> Path:
        from fgbuild.cli.report import PAGE, page_of

        target = self._paths.run(run) / PAGE
        target.write_text(page_of(self._paths, run), "utf-8")
        return target

    def call(
        self, domain: str, prompt: str, variant: Variant, unwanted: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Any]:
        from fgbuild.cli.call import call

        project = self._project(variant)
        try:
            return call(project, domain, prompt, unwanted=unwanted)
        except OSError as error:
            raise FgbuildError(f"{error.filename or domain}: {error.strerror}; put that right and ask again") from None

    def tools(self, domain: str, variant: Variant) -> Sequence[Mapping[str, Any]]:
        project = self._project(variant)
        if domain not in project.domains:
            raise FgbuildError(f"there is no manifest of {domain} any more")
        tools: list[dict[str, Any]] = project.domains[domain].resolved["tool"]
        return tools

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
