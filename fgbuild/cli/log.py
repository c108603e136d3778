"""Show a past build again, follow a running one, or print what one of its stages wrote."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fgbuild.cli.output import say
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import LATEST, find_run, summarise
from fgbuild.errors import FgbuildError
from fgbuild.root import find_root
from fgbuild.views.runs import is_alive

_POLL_SECONDS = 0.2
_CHUNK = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", default=LATEST, help="a run's id, its start, or latest")
    parser.add_argument("--stage", metavar="STAGE", help="the raw output of one stage's worker (lint:train)")
    parser.add_argument("--follow", action="store_true", help="go on until the build ends")
    parser.add_argument(
        "--trace", metavar="FILE", type=Path, help="write the run as a trace for ui.perfetto.dev or chrome://tracing"
    )


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    name = find_run(paths, args.run)
    if args.trace:
        _write_trace(paths, name, args.trace)
        return 0
    going = (lambda: _is_going(paths, name)) if args.follow else (lambda: False)
    try:
        if args.stage:
            _print_stage(paths, name, args.stage, going)
        else:
            _replay(paths, name, going)
    except KeyboardInterrupt:
        say("stopped following; the build goes on")
    return 0


def _is_going(paths: Paths, name: str) -> bool:
    summary = summarise(paths, name)
    return summary.exit_code is None and is_alive(summary.pid, summary.started_at)


def _replay(paths: Paths, name: str, going: Callable[[], bool]) -> None:
    from fgbuild.events import EventReader
    from fgbuild.views.plain import PlainView

    live = going()
    view = PlainView(sys.stdout, color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"), live=live)
    reader = EventReader(paths.events(name))
    try:
        while True:
            was_going = going()  # asked first: what is written while it ends is still read
            while events := reader.read():
                for event in events:
                    view.handle(event)
            if not was_going:
                return
            time.sleep(_POLL_SECONDS)
    finally:
        view.close()


def _print_stage(paths: Paths, name: str, stage: str, going: Callable[[], bool]) -> None:
    path = paths.log(name, stage)
    while not path.is_file():
        if not going():
            known = sorted(entry.stem.replace(".", ":") for entry in path.parent.glob("*.log"))
            raise FgbuildError(f"run {name} has no output of {stage!r}; it has {', '.join(known) or 'none'}")
        time.sleep(_POLL_SECONDS)
    with path.open("rb") as stream:
        while True:
            was_going = going()
            while chunk := stream.read(_CHUNK):
                sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            if not was_going:
                return
            time.sleep(_POLL_SECONDS)


def _write_trace(paths: Paths, name: str, target: Path) -> None:
    from fgbuild.events import read_events
    from fgbuild.views.trace import trace

    document = trace(read_events(paths.events(name)))
    target.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    say(f"wrote {target}; open it at ui.perfetto.dev or chrome://tracing")
