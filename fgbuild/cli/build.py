"""Bring domains up to date: what changed is done again, what did not is left alone."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from fgbuild.cli.output import say, stages
from fgbuild.cli.selection import add_selection, chosen_graph, open_project, positive
from fgbuild.engine.build import BuildRequest, BuildResult, Listener, build, finished_event, locked
from fgbuild.engine.paths import Paths
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import InterruptedBuild
from fgbuild.events import Event, encode

if TYPE_CHECKING:
    from fgbuild.engine.executor import Executor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser)
    parser.add_argument("--headless", action="store_true", help="plain lines even on a terminal")
    parser.add_argument("--jobs", type=positive, metavar="N", help="at most N stages at once (default: what fits)")
    parser.add_argument("--force", action="store_true", help="run every chosen stage, up to date or not")
    parser.add_argument("--keep-going", action="store_true", help="after a failure go on with what does not need it")
    parser.add_argument("--executor", choices=("local",), default="local", help="where workers run")
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")


def run(args: argparse.Namespace) -> int:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)
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
    with locked(Paths(project.root)), Workspace(project.root) as workspace:
        try:
            result = build(workspace, graph, request, _executor, lambda: _listeners(args, views, failures))
        finally:
            for view in views:
                view.close()
    if args.json or not sys.stdout.isatty():  # there the view has said them to whoever reads stderr too
        _say_failures(failures)
    if result.run is None:
        _say_up_to_date(args.json, result, time.monotonic() - started)
    return result.exit_code


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


def _say_up_to_date(as_json: bool, result: BuildResult, seconds: float) -> None:
    text = f"{stages(len(result.skipped))} up to date ({seconds:.2f} s)"
    if as_json:
        result.seconds = seconds
        sys.stdout.write(encode(finished_event(result)).decode("utf-8"))
        say(text)
    else:
        print(text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise InterruptedBuild("stopped by a signal; finished stages stay finished")
