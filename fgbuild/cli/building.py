"""A build that may have something to do, and who watches it."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from fgbuild.cli.output import say
from fgbuild.cli.selection import chosen_graph, open_project
from fgbuild.engine.build import SHOWN_WHOLE, BuildRequest, BuildResult, Listener, build
from fgbuild.engine.graph import Graph, build_graph, select
from fgbuild.engine.observed import Stamps, look_at_placed, observed, stamps_before
from fgbuild.engine.witness import Seen, Witness
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError, InterruptedBuild
from fgbuild.events import Event
from fgbuild.manifest.project import backend_files, named_files

if TYPE_CHECKING:
    from fgbuild.engine.executor import Executor
    from fgbuild.manifest import Project


def bring_up_to_date(
    args: argparse.Namespace, root: Path, witness: Witness, touched: Sequence[str] | None
) -> BuildResult:
    """Run what has to run, and keep what was found for the next time; call with the tree's lock.

    touched: domains that files have changed of, by `witness`; None where it does not know.
    """
    end_on_sigterm()
    chosen = _narrow(args, root, witness, touched) if touched and witness.domains > SHOWN_WHOLE else None
    if chosen is None:
        touched = None
        witness.begin()
        project = open_project(args)
        chosen = project, chosen_graph(args, project)
    project, graph = chosen
    named = {name: named_files(root, domain.resolved) for name, domain in project.domains.items()}
    named[""] = backend_files(root, project.backends)
    before = stamps_before(graph, root, named)
    with Workspace(root) as workspace:
        result = _watched(args, workspace, project, graph, witness.beside(touched) if touched else ())
        found = _observed(workspace, graph, result, before, named)
    if result.beside and not {stage.id for stage in graph.stages.values() if not stage.domain} <= {*result.skipped}:
        # What all domains read was damaged and is made anew: those beside may be out of date now.
        return result if result.exit_code else bring_up_to_date(args, root, witness, None)
    if found is not None:
        base, shared = found.pop("")
        manifests = {name: project.domains[name].path.as_posix() for name in found}
        witness.keep(base, shared, {name: (manifests[name], *each) for name, each in found.items()})
    return result


def _watched(
    args: argparse.Namespace, workspace: Workspace, project: Project, graph: Graph, beside: Sequence[str]
) -> BuildResult:
    """Build, and show it to whoever is there."""
    request = BuildRequest(
        command=shlex.join(["fgbuild", *sys.argv[1:]]),
        base=project.base_name,
        profile=project.profile,
        jobs=args.jobs,
        force=args.force,
        keep_going=args.keep_going,
        beside=beside,
    )
    views: list[_View] = []
    failures: list[Event] = []
    try:
        result = build(workspace, graph, request, _executor, lambda: _listeners(args, views, failures))
    finally:
        for view in views:
            view.close()
    if args.json or not sys.stdout.isatty():  # there the view has said them to whoever reads stderr too
        _say_failures(failures)
    return result


def _observed(
    workspace: Workspace, graph: Graph, result: BuildResult, before: Stamps, named: Mapping[str, list[Path]]
) -> dict[str, tuple[list[str], Seen]] | None:
    """What the build's result rests on; None where that cannot be said."""
    try:
        look_at_placed(workspace, graph, [*result.ran, *result.cached])
        found = observed(workspace, graph, {*result.ran, *result.cached, *result.skipped}, before, named)
        return found if workspace.is_whole() else None
    except (FgbuildError, KeyboardInterrupt, OSError):
        return None  # the build is over, and ends as it did


def _narrow(
    args: argparse.Namespace, root: Path, witness: Witness, touched: Sequence[str]
) -> tuple[Project, Graph] | None:
    """These domains alone, and their stages; None where their names are others now."""
    from fgbuild.manifest import resolve_project
    from fgbuild.stages import PIPELINE

    witness.begin(touched)
    manifests = [Path(witness.manifest(name)) for name in touched]
    project = resolve_project(root, base=args.base, profile=args.profile, only=manifests)
    if set(project.domains) != set(touched):
        return None
    return project, select(build_graph(project, PIPELINE), (), args.until)


class _View(Protocol):
    """What `fgbuild.views` hands out, as far as a build needs it."""

    def handle(self, event: Event) -> None: ...

    def close(self) -> None: ...


def _listeners(args: argparse.Namespace, views: list[_View], failures: list[Event]) -> Sequence[Listener]:
    """The view that shows the run, JSON lines for programs, plain lines for people; and who notes failures."""
    if args.json:
        from fgbuild.views.jsonl import JsonlView

        views.append(JsonlView(sys.stdout))
    else:
        from fgbuild.views.plain import PlainView

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        views.append(PlainView(sys.stdout, color=color, live=not args.headless))
    return [*(view.handle for view in views), lambda event: _note_failure(event, failures)]


def _note_failure(event: Event, failures: list[Event]) -> None:
    if event["kind"] == "stage.failed":
        failures.append(event)


def _say_failures(failures: Sequence[Event]) -> None:
    """Why stages failed, on stderr: stdout may be a file, or a program's."""
    for event in failures:
        from fgbuild.views.text import MAX_MESSAGE, clean  # the message quotes files and models

        message = clean(event["message"], MAX_MESSAGE, keep_newlines=True)
        say(f"error: {event['stage']}: {message}")


def _executor() -> Executor:
    from fgbuild.executors.warm import WarmExecutor

    return WarmExecutor()


def end_on_sigterm() -> None:
    """Make SIGTERM what Ctrl-C is."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise InterruptedBuild("stopped by a signal; finished stages stay finished")
