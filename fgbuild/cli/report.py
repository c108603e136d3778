"""Write a build as one HTML page: scores, loss curves, failures, data, sizes, times."""

from __future__ import annotations

import argparse
from pathlib import Path

from fgbuild.cli.output import say
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import find_run, run_ids, summarise
from fgbuild.errors import FgbuildError
from fgbuild.root import find_root

PAGE = "report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run", metavar="RUN", help="a run's id, its start, or latest (default: the last finished run)"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"where to write it (default: {PAGE} beside the log)")
    parser.add_argument("--open", action="store_true", help="show it in the browser")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    name = find_run(paths, args.run) if args.run else last_finished(paths)
    target = args.out or paths.run(name) / PAGE
    if target.is_dir():
        raise FgbuildError(f"{target} is a directory; name a file, as in --out {target / PAGE}")
    if not target.parent.is_dir():
        raise FgbuildError(f"{target.parent} is no directory; make it first, or name another file with --out")
    target.write_text(page_of(paths, name), "utf-8")
    print(target if args.out else paths.relative(target))
    if args.open:
        import webbrowser

        if not webbrowser.open(target.resolve().as_uri()):
            say(f"no browser could be started; open {target} yourself")
    return 0


def last_finished(paths: Paths) -> str:
    """The newest run whose build has ended, however it did. Raises FgbuildError where there is none."""
    known = run_ids(paths)
    for name in reversed(known):
        if summarise(paths, name).exit_code is not None:
            return name
    if known:
        raise FgbuildError(
            f"no build has ended yet; `fgbuild report --run {known[-1]}` shows the last one as far as it is"
        )
    raise FgbuildError("no builds yet; `fgbuild build` starts one")


def page_of(paths: Paths, name: str) -> str:
    """The report of a run; what its stages made is read from the store."""
    from fgbuild.engine.made import Made
    from fgbuild.engine.workspace import Workspace
    from fgbuild.events import read_events
    from fgbuild.views.report import RunLog, render

    log = RunLog(read_events(paths.events(name)))
    with Workspace(paths.root) as workspace:
        made = Made(workspace, name, log.outputs, log.untouched(), log.ended_at)
        return render(log, made, project=paths.root.resolve().name)
