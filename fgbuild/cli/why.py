"""Say why stages would run now, or why they ran last time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from fgbuild.cli.plan import duration
from fgbuild.cli.selection import add_variant, open_project
from fgbuild.engine.actions import CANCELLED, FAILED, GATE, OK, Attempt
from fgbuild.engine.graph import Graph, Stage, build_graph, select
from fgbuild.engine.plan import CACHED, SKIP, Decision, Planner
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError
from fgbuild.stages import PIPELINE

_ENDED = {OK: "", GATE: ", did not pass", FAILED: ", failed", CANCELLED: ", interrupted"}

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
    """What would happen to a stage now and why; for one that is up to date, why it ran last.

    Stages in `explained` have lines of their own: they are named and not explained again.
    """
    decision = decisions[stage.id]
    attempt = workspace.actions.attempt(stage.id)
    if decision.action == SKIP:
        lines = [f"{stage.id} is up to date"]
        return lines + (_last_time(workspace, graph, attempt, explained) if attempt else [])
    verb = "would be restored from the store" if decision.action == CACHED else "would run"

    def because(name: str) -> list[tuple[str, str | None]]:
        return [(reason.text, reason.upstream) for reason in decisions[name].reasons]

    return [f"{stage.id} {verb}", *chain(graph, stage, because, explained)]


def _last_time(workspace: Workspace, graph: Graph, attempt: Attempt, explained: set[str]) -> list[str]:
    def because(name: str) -> list[tuple[str, str | None]]:
        """Reasons of the same run only: what made another stage run earlier explains nothing here."""
        found = workspace.actions.attempt(name)
        if found is None or found.run != attempt.run:
            return []
        return [(reason["text"], reason.get("upstream")) for reason in found.reasons]

    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(attempt.finished_at))
    head = f"it last ran on {when} ({duration(attempt.seconds)}, run {attempt.run}{_ENDED[attempt.outcome]})"
    return [f"  {head}", *chain(graph, graph.stages[attempt.stage], because, explained, depth=2)]


def chain(graph: Graph, stage: Stage, because: Because, explained: set[str], depth: int = 1) -> list[str]:
    """The stage's reasons as `because …` lines, each upstream one followed by its own, indented, once."""
    lines = []
    for text, upstream in because(stage.id):
        name = stage.inputs.get(upstream) if upstream else None
        lines.append(f"{'  ' * depth}because {text}")
        if name is not None and name not in explained:
            explained.add(name)
            lines.extend(chain(graph, graph.stages[name], because, explained, depth + 1))
    return lines
