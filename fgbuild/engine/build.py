"""A whole build: under the tree's lock, plan, run what has to run, and leave a log of it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fgbuild import __version__
from fgbuild.engine.graph import Graph
from fgbuild.engine.leftovers import clear_leftovers
from fgbuild.engine.lock import TreeLock
from fgbuild.engine.paths import Paths
from fgbuild.engine.plan import RUN, SKIP, Decision, Planner, plan_entry
from fgbuild.engine.witness import forget
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError, InterruptedBuild, StageError
from fgbuild.events import SCHEMA_VERSION, Event, EventLog

if TYPE_CHECKING:
    from fgbuild.engine.executor import Executor
    from fgbuild.engine.outcome import Outcome
    from fgbuild.engine.requests import Requests
    from fgbuild.engine.resources import Machine

Listener = Callable[[Event], None]

SHOWN_WHOLE = 50
"""A run of more domains than fit on a screen shows those alone that have something to do."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """How to build. command, base, profile: for the log. jobs: most stages at once (None: what fits).

    beside: stages that are known to be up to date and are not in the graph.
    """

    command: str
    base: str | None = None
    profile: str | None = None
    jobs: int | None = None
    force: bool = False
    keep_going: bool = False
    beside: Sequence[str] = ()


@dataclass
class BuildResult:
    """Stage ids by what became of them. run: None where everything was up to date already.

    beside: those of `skipped` that the run does not show.
    """

    run: str | None
    seconds: float
    exit_code: int = 0
    ran: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def event(self) -> Event:
        """The fields of `build.finished`."""
        return {
            "ran": self.ran,
            "cached": self.cached,
            "skipped": self.skipped,
            "failed": self.failed,
            "not_run": self.not_run,
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }


def finished_event(result: BuildResult) -> Event:
    """`build.finished` of a build that had nothing to do and so left no log."""
    head = {"v": SCHEMA_VERSION, "t": round(time.time(), 3), "run": result.run, "kind": "build.finished"}
    return {**head, **result.event()}


def build(
    workspace: Workspace,
    graph: Graph,
    request: BuildRequest,
    make_executor: Callable[[], Executor],
    make_listeners: Callable[[], Sequence[Listener]] = list,
) -> BuildResult:
    """Bring every stage of `graph` up to date; call under `TreeLock`, from the main thread.

    Where nothing has to be done no run is made, and neither executor nor listeners are asked for.
    """
    started = time.monotonic()
    clear_leftovers(workspace.paths)
    planner = Planner(workspace, force=request.force)
    decisions = planner.plan(graph)
    workspace.save()
    if all(decision.action == SKIP for decision in decisions.values()):
        return BuildResult(None, time.monotonic() - started, skipped=[*decisions, *request.beside])
    if len(graph.domains()) > SHOWN_WHOLE:
        graph = _concerned(graph, decisions)
    beside = [*request.beside, *(name for name in decisions if name not in graph.stages)]
    decisions = {name: decisions[name] for name in graph.stages}
    # What follows is not needed to find that nothing is.
    from fgbuild.engine.resources import Machine, Pool
    from fgbuild.engine.scheduler import Scheduler

    forget(str(workspace.paths.cache))
    with _new_run(workspace) as (log, requests):
        log.listeners.extend(make_listeners())
        machine = Machine.detect()
        stages = [plan_entry(workspace, decision) for decision in decisions.values()]
        _begun(log, request, machine, len(beside), stages)
        pool = Pool(machine, request.jobs)
        executor = make_executor()
        executor.prepare(_preloaded(decisions.values()))
        scheduler = Scheduler(
            workspace, graph, planner, decisions, executor, log, pool, requests, keep_going=request.keep_going
        )
        try:
            with contextlib.closing(executor):
                exit_code = scheduler.run()
        except BaseException as error:
            with contextlib.suppress(Exception):  # the error that ended the build is the one to report
                _finished(log, scheduler.outcome(), beside, _exit_code(error), started)
            raise
        return _finished(log, scheduler.outcome(), beside, exit_code, started)


@contextlib.contextmanager
def _new_run(workspace: Workspace) -> Iterator[tuple[EventLog, Requests]]:
    """The log of a new run, and what others ask of it until it ends."""
    from fgbuild.engine.requests import Requests
    from fgbuild.engine.runs import new_run_id

    log = EventLog(workspace.paths.events(run := new_run_id()), run)
    requests = Requests(workspace.paths.requests(run))
    try:
        requests.open()
        yield log, requests
    finally:
        requests.close()
        log.close()


def _begun(log: EventLog, request: BuildRequest, machine: Machine, beside: int, stages: list[dict[str, Any]]) -> None:
    log.emit(
        "run.started",
        command=request.command,
        base=request.base,
        profile=request.profile,
        pid=os.getpid(),
        made_with=_made_with(machine),
        beside=beside,
        stages=stages,
    )


def _made_with(machine: Machine) -> dict[str, Any]:
    """The version of fgbuild and of Python, the system, and what the machine has; memory in MB (1e6 bytes)."""
    return {
        "fgbuild": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "system": " ".join([sys.platform, *([os.uname().machine] if hasattr(os, "uname") else [])]),
        "cores": machine.cores,
        "memory_mb": round(machine.memory_mb),
        "gpu_memory_mb": round(machine.gpu_memory_mb),
    }


def _preloaded(decisions: Iterable[Decision]) -> list[str]:
    """What the workers of the stages that have to run like to find imported."""
    running = (decision.stage for decision in decisions if decision.action == RUN)
    wanted = (stage.spec.preload for stage in running if not stage.environment)
    return list(dict.fromkeys(name for names in wanted for name in names))


def _concerned(graph: Graph, decisions: Mapping[str, Decision]) -> Graph:
    """The domains that have something to do, and what they share."""
    names = {decision.stage.domain for decision in decisions.values() if decision.action != SKIP} | {None}
    return Graph(stage for stage in graph.stages.values() if stage.domain in names)


def _finished(log: EventLog, outcome: Outcome, beside: Sequence[str], exit_code: int, started: float) -> BuildResult:
    result = BuildResult(log.run, time.monotonic() - started, exit_code, **vars(outcome), beside=[*beside])
    result.skipped += beside
    log.emit("build.finished", **result.event())
    return result


def _exit_code(error: BaseException) -> int:
    """Of a build that an error of its own ends: a full disk, a stop before it listens for signals, a defect."""
    if isinstance(error, KeyboardInterrupt):
        return InterruptedBuild.exit_code
    return error.exit_code if isinstance(error, FgbuildError) else StageError.exit_code


def locked(paths: Paths) -> TreeLock:
    """The lock a build (and `clean`) holds while it works on a tree."""
    return TreeLock(paths.lock)
