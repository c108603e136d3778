"""Stop one stage of the running build, or all of it; what is finished stays finished."""

from __future__ import annotations

import argparse

from fgbuild.engine.paths import Paths
from fgbuild.engine.requests import Requests, wake
from fgbuild.engine.runs import run_ids
from fgbuild.errors import FgbuildError
from fgbuild.events import read_events
from fgbuild.root import find_root
from fgbuild.views import describe, runs
from fgbuild.views.records import RUNNING, WAITING, BuildState
from fgbuild.views.state import apply
from fgbuild.views.text import clean

NO_BUILD = "no build is running; `fgbuild build` starts one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stage", metavar="DOMAIN:STAGE", nargs="?", help="the stage to stop, as in lint:train (default: everything)"
    )


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    known = run_ids(paths)
    if not known:
        raise FgbuildError(NO_BUILD)
    cancel(paths, known[-1], args.stage)
    if args.stage is None:
        print(f"asked run {known[-1]} to stop; what is finished stays, and `fgbuild build` goes on from there")
    else:
        print(
            f"asked run {known[-1]} to stop {args.stage}; what needs it does not run, everything else goes on, "
            "and the next build takes it up again"
        )
    return 0


def cancel(paths: Paths, run: str, stage: str | None) -> None:
    """Ask a running build to stop one of its stages (None: everything).

    Does not wait for it: the run's log tells. Raises FgbuildError where there is nothing to stop.
    """
    state = BuildState()
    for event in read_events(paths.events(run)):
        apply(state, event)
    if state.finished or not runs.is_going(state):
        raise FgbuildError(NO_BUILD)
    if stage is not None:
        _require_running(state, stage)
    assert state.pid is not None  # a build that is going has one
    unheard = f"the build (pid {state.pid}) takes no requests, or is just ending; stop it where it was started"
    try:
        Requests(paths.requests(run)).put(stage)
    except FileNotFoundError:
        raise FgbuildError(unheard) from None
    except OSError as error:
        raise FgbuildError(f"{error.filename}: {error.strerror}; put that right and ask again") from None
    wake(state.pid, lambda: runs.is_going(state) and paths.requests(run).is_dir())


def _require_running(state: BuildState, stage: str) -> None:
    found = state.stages.get(stage)
    if found is not None and found.status == RUNNING:
        return
    running = ", ".join(each.id for each in state.running()) or "nothing at the moment"
    if found is None:
        problem = f"the running build has no stage {clean(stage, 200)!r}"
    elif found.status == WAITING and found.planned != "skip":
        problem = f"{stage} has not begun, and so cannot be stopped alone"
    else:
        problem = f"{stage} has nothing to stop: it is {describe.status(state, found)[1]}"
    raise FgbuildError(f"{problem}; running: {running} (`fgbuild cancel` without a name stops everything)")
