"""Say why stages would run now, or why they ran last time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from fgbuild.cli.selection import add_variant, open_project
from fgbuild.engine.actions import OK, Attempt
from fgbuild.engine.graph import Graph, Stage, build_graph, select
from fgbuild.engine.plan import CACHED, SKIP, Decision, Planner
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError
from fgbuild.stages import PIPELINE
from fgbuild.views import text

Because = Callable[[str], Sequence[tuple[str, str | None]]]
"""Stage id → its reasons as (text, upstream kind or None)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="DOMAIN[:STAGE]", help="a domain, one stage of it, or base")
    add_variant(parser)


def run(args: argparse.Namespace) -> int:
    project = open_project(args)
    whole = build_graph(project, PIPELINE)
    graph, shown = chosen(whole, args.target)
    with Workspace(project.root) as workspace:
        decisions = Planner(workspace).plan(graph)
        explained = {stage.id for stage in shown}
        for stage in shown:
            print("\n".join(explain(workspace, graph, decisions, stage, explained)))
    return 0


def chosen(whole: Graph, target: str) -> tuple[Graph, list[Stage]]:
    """The part of the graph to plan, and the stages to explain."""
    if target in whole.stages:
        return whole.upto([target]), [whole.stages[target]]
    domain, colon, kind = target.partition(":")
    graph = select(whole, [domain])
    if colon:
        kinds = ", ".join(stage.kind for stage in graph.stages.values() if stage.domain)
        raise FgbuildError(f"{domain} has no stage {kind!r}; choose from {kinds}")
    return graph, [stage for stage in graph.stages.values() if stage.domain == domain]


def explain(
    workspace: Workspace, graph: Graph, decisions: dict[str, Decision], stage: Stage, explained: set[str]
) -> list[str]:
    """What would happen to a stage now and why; for one that is up to date, when and why its outputs were built.

    Stages in `explained` have lines of their own: they are named and not explained again.
    """
    decision = decisions[stage.id]
    if decision.action == SKIP:
        return [f"{stage.id} is up to date", *_built(workspace, graph, decision, explained)]
    verb = "would be restored from the store" if decision.action == CACHED else "would run"

    def because(name: str) -> list[tuple[str, str | None]]:
        return [(reason.text, reason.upstream) for reason in decisions[name].reasons]

    return [f"{stage.id} {verb}", *chain(graph, stage, because, explained)]


def _built(workspace: Workspace, graph: Graph, decision: Decision, explained: set[str]) -> list[str]:
    """When an up-to-date stage ran for its outputs; and why, unless it was tried again since."""
    attempt = workspace.actions.attempt(decision.stage.id)
    if attempt is not None and attempt.key == decision.key and attempt.outcome == OK:
        return _last_time(workspace, graph, attempt, explained)
    action = workspace.actions.action(decision.key) if decision.key else None
    if action is None:
        return []
    return [f"  these outputs were built on {_when(action.finished_at, action.seconds, action.run)}"]


def standing(workspace: Workspace, stage: str) -> list[str]:
    """When the outputs were built at which a stage stands; no line where it has none."""
    found = workspace.actions.standing(stage)
    action = workspace.actions.action(found[0]) if found is not None else None
    if action is None:
        return []
    return [f"its outputs were built on {_when(action.finished_at, action.seconds, action.run)}"]


def _last_time(workspace: Workspace, graph: Graph, attempt: Attempt, explained: set[str]) -> list[str]:
    def because(name: str) -> list[tuple[str, str | None]]:
        """Reasons of the same run only: what made another stage run earlier explains nothing here."""
        found = workspace.actions.attempt(name)
        if found is None or found.run != attempt.run:
            return []
        return [(reason["text"], reason.get("upstream")) for reason in found.reasons]

    head = f"it last ran on {_when(attempt.finished_at, attempt.seconds, attempt.run)}"
    return [f"  {head}", *chain(graph, graph.stages[attempt.stage], because, explained, depth=2)]


def _when(finished_at: float, seconds: float, run: str) -> str:
    minute = time.strftime("%Y-%m-%d %H:%M", time.localtime(finished_at))
    return f"{minute} ({text.seconds(seconds)}, run {run})"


def chain(graph: Graph, stage: Stage, because: Because, explained: set[str], depth: int = 1) -> list[str]:
    """The stage's reasons as `because …` lines, each upstream one followed by its own, indented, once."""
    lines = []
    for reason, upstream in because(stage.id):
        name = stage.inputs.get(upstream) if upstream else None
        lines.append(f"{'  ' * depth}because {text.clean(reason)}")
        if name is not None and name not in explained:
            explained.add(name)
            lines.extend(chain(graph, graph.stages[name], because, explained, depth + 1))
    return lines
