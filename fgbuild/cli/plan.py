"""Show what a build would do, why, and how long it would take; build nothing."""

from __future__ import annotations

import argparse
from typing import Any

from fgbuild.cli.output import print_json, stages
from fgbuild.cli.selection import add_selection, chosen_graph, open_project
from fgbuild.engine.plan import CACHED, RUN, SKIP, Planner, plan_entry
from fgbuild.engine.reasons import NEVER_BUILT
from fgbuild.engine.workspace import Workspace

_MAX_REASONS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser)
    parser.add_argument("--force", action="store_true", help="as if built with --force")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    project = open_project(args)
    graph = chosen_graph(args, project)
    with Workspace(project.root) as workspace:
        decisions = Planner(workspace, force=args.force).plan(graph)
        entries = [plan_entry(workspace, decision) for decision in decisions.values()]
    if args.json:
        print_json({"stages": entries})
    else:
        print("\n".join(plan_lines(entries)))
    return 0


def plan_lines(entries: list[dict[str, Any]]) -> list[str]:
    """One line for each stage that is not up to date, and one for the whole."""
    shown = [entry for entry in entries if entry["action"] != SKIP]
    width = max((len(entry["id"]) for entry in shown), default=0)
    lines = []
    for entry in shown:
        reasons = [reason["text"] for reason in _telling(entry["reasons"])]
        more = len(reasons) - _MAX_REASONS
        because = ", ".join(reasons[:_MAX_REASONS]) + (f", and {more} more" if more > 0 else "")
        need = f"{_time(entry):>8}  {_memory(entry):>8}"
        lines.append(f"{entry['id']:<{width}}  {entry['action']:<6}  {need}  {because}".rstrip())
    return [*lines, _total(entries)]


def _telling(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a stage that was never built, what it would wait for is no news; `--json` has all reasons."""
    if not any(reason["component"] == NEVER_BUILT.component for reason in reasons):
        return reasons
    return [reason for reason in reasons if not reason.get("upstream")]


def _time(entry: dict[str, Any]) -> str:
    if entry["action"] != RUN:
        return ""
    seconds = entry["predicted_seconds"]
    return "?" if seconds is None else f"~{_duration(seconds)}"


def _memory(entry: dict[str, Any]) -> str:
    memory = entry["predicted_memory_mb"]
    if entry["action"] != RUN or memory is None:
        return ""
    from fgbuild.views import text

    return text.megabytes(memory)


def _total(entries: list[dict[str, Any]]) -> str:
    counts = {action: sum(entry["action"] == action for entry in entries) for action in (RUN, CACHED, SKIP)}
    if counts[SKIP] == len(entries):
        return f"{stages(len(entries))} up to date"
    known = [entry["predicted_seconds"] for entry in entries if entry["predicted_seconds"] is not None]
    unknown = len(entries) - len(known)
    guess = ", by a guess until something was measured here" if any(entry["guessed"] for entry in entries) else ""
    work = f", {_duration(sum(known))} of work{guess}" if sum(known) else ""
    doubt = f" ({unknown} of unknown length)" if unknown else ""
    return f"{stages(counts[RUN])} to run{doubt}{work}, {counts[CACHED]} to restore, {counts[SKIP]} up to date"


def _duration(seconds: float) -> str:
    from fgbuild.views import text  # a plan with nothing to do needs no views

    return text.seconds(seconds)
