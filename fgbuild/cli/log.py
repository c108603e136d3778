"""Show a past build again, or what one of its stages wrote."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import LATEST, find_run
from fgbuild.errors import FgbuildError
from fgbuild.manifest import find_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", default=LATEST, help="a run's id, its start, or latest")
    parser.add_argument("--stage", metavar="STAGE", help="the raw output of one stage's worker (lint:train)")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    name = find_run(paths, args.run)
    if args.stage:
        _print_stage(paths, name, args.stage)
    else:
        _replay(paths, name)
    return 0


def _replay(paths: Paths, name: str) -> None:
    from fgbuild.events import read_events
    from fgbuild.views.plain import PlainView

    view = PlainView(sys.stdout, color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"), live=False)
    for event in read_events(paths.events(name)):
        view.handle(event)
    view.close()


def _print_stage(paths: Paths, name: str, stage: str) -> None:
    path = paths.log(name, stage)
    if not path.is_file():
        known = sorted(entry.stem.replace(".", ":") for entry in path.parent.glob("*.log"))
        raise FgbuildError(f"run {name} has no output of {stage!r}; it has {', '.join(known) or 'none'}")
    with path.open("rb") as stream:
        shutil.copyfileobj(stream, sys.stdout.buffer)
    sys.stdout.flush()
