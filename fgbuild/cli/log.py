"""Show a past build again, follow a running one, or print what one of its stages wrote."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from fgbuild.cli.output import say
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import LATEST, find_run, summarise
from fgbuild.errors import FgbuildError
from fgbuild.root import find_root
from fgbuild.views.overwritten import last_state
from fgbuild.views.runs import is_alive

_POLL_SECONDS = 0.2
_CHUNK = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", default=LATEST, help="a run's id, its start, or latest")
    parser.add_argument("--stage", metavar="STAGE", help="what one stage's worker printed (lint:train)")
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
    output = _Overwritten(sys.stdout.buffer)
    with path.open("rb") as stream:
        while True:
            was_going = going()
            while chunk := stream.read(_CHUNK):
                output.write(chunk)
            if not was_going:
                output.end()
            sys.stdout.flush()
            if not was_going:
                return
            time.sleep(_POLL_SECONDS)


class _Overwritten:
    """Writes of each line what a terminal would show in the end, once the line has one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rest = b""
        self._live = stream.isatty()  # which sees to it, and shows progress as it comes

    def write(self, chunk: bytes) -> None:
        if self._live:
            self._stream.write(chunk)
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._stream.writelines(_last_state(line) + b"\n" for line in lines)
        if len(self._rest) > _CHUNK:
            states, carriage_return, unfinished = self._rest.rpartition(b"\r")
            self._rest = _last_state(states) + carriage_return + unfinished
        if len(self._rest) > _CHUNK:
            self.end()

    def end(self) -> None:
        self._stream.write(_last_state(self._rest))
        self._rest = b""


def _last_state(line: bytes) -> bytes:
    if b"\r" not in line:
        return line
    return last_state(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _write_trace(paths: Paths, name: str, target: Path) -> None:
    from fgbuild.events import read_events
    from fgbuild.views.trace import trace

    document = trace(read_events(paths.events(name)))
    target.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    say(f"wrote {target}; open it at ui.perfetto.dev or chrome://tracing")
