"""A build that may have something to do, and who watches it."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from fgbuild.cli.output import say
from fgbuild.cli.selection import chosen_graph, open_project
from fgbuild.engine.build import BuildRequest, BuildResult, Listener, build
from fgbuild.engine.stamps import Stamp
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import InterruptedBuild
from fgbuild.events import Event

if TYPE_CHECKING:
    from fgbuild.engine.executor import Executor
    from fgbuild.engine.graph import Graph


@dataclass
class Built(BuildResult):
    """files, folders: what the build looked at outside the store and fgbuild itself."""

    files: dict[str, Stamp] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def bring_up_to_date(args: argparse.Namespace, root: Path) -> Built:
    """Run what has to run; call with the tree's lock."""
    end_on_sigterm()
    project = open_project(args)
    graph = chosen_graph(args, project)
    request = BuildRequest(
        command=shlex.join(["fgbuild", *sys.argv[1:]]),
        base=project.base_name,
        profile=project.profile,
        jobs=args.jobs,
        force=args.force,
        keep_going=args.keep_going,
    )
    views: list[_View] = []
    failures: list[Event] = []
    with Workspace(root) as workspace:
        try:
            result = build(workspace, graph, request, _executor, lambda: _listeners(args, views, failures))
        finally:
            for view in views:
                view.close()
    if args.json or not sys.stdout.isatty():  # there the view has said them to whoever reads stderr too
        _say_failures(failures)
    return Built(**vars(result), files=workspace.digests.looked_at, folders=_folders(graph, root))


def _folders(graph: Graph, root: Path) -> list[str]:
    return [str(folder) for stage in graph.stages.values() for folder in stage.spec.folders(stage.manifest, root)]


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
