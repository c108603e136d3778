"""Runs what has to run, in order, within the machine's resources; one thread, no polling.

After a stage ends, the keys of those below it are computed with its real output. Where it came
out the same, they find themselves up to date: early cutoff needs no code of its own.
"""

from __future__ import annotations

import selectors
import time
from collections import deque

from fgbuild.engine.cancelling import LOOK_SECONDS, Cancelling
from fgbuild.engine.execution import Execution, exit_code_of, message_of, place
from fgbuild.engine.executor import Executor, WorkerExit
from fgbuild.engine.findings import say_made
from fgbuild.engine.graph import Graph, Stage
from fgbuild.engine.outcome import Outcome
from fgbuild.engine.plan import CACHED, RUN, SKIP, Decision, Planner, predict
from fgbuild.engine.ready import ReadyQueue
from fgbuild.engine.requests import Requests
from fgbuild.engine.resources import Pool
from fgbuild.engine.signals import SignalWatch
from fgbuild.engine.store import DamagedArtifact
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError, GateError, InterruptedBuild, StageError
from fgbuild.events import EventLog

_WORST_FIRST = (InterruptedBuild.exit_code, StageError.exit_code, FgbuildError.exit_code, GateError.exit_code)
_FAILED = {StageError.exit_code, FgbuildError.exit_code}


class Scheduler:
    """decisions: the plan, by stage id; those with outputs hold until something above changes. requests: what others
    may ask while it runs."""

    def __init__(
        self,
        workspace: Workspace,
        graph: Graph,
        planner: Planner,
        decisions: dict[str, Decision],
        executor: Executor,
        log: EventLog,
        pool: Pool,
        requests: Requests,
        *,
        keep_going: bool = False,
    ) -> None:
        self._workspace = workspace
        self._graph = graph
        self._planner = planner
        self._planned = decisions
        self._executor = executor
        self._log = log
        self._pool = pool
        self._keep_going = keep_going
        self._candidates = deque(graph.stages)
        self._ready = ReadyQueue({name: index for index, name in enumerate(graph.stages)})
        self._running: dict[str, Execution] = {}
        self._cancelling = Cancelling(self._running, requests, log)
        self._outputs: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self._sound: set[str] = set()
        self._codes: set[int] = set()
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Bring everything up to date that can be; the exit code. Main thread only."""
        with SignalWatch() as signals:
            self._selector.register(signals.descriptor, selectors.EVENT_READ)
            try:
                while not signals.stops and not self._cancelling.everything:
                    self._settle()
                    self._launch()
                    if not self._running and not self._candidates:
                        break
                    self._wait(signals)
                if signals.stops or self._cancelling.everything:
                    self._codes.add(InterruptedBuild.exit_code)
                    for execution, result in self._cancelling.stop_all(signals, self._selector, self._release):
                        self._finish(execution, result)
            finally:
                self._cancelling.stop_all(signals, self._selector, self._release, keep=False)
                self._selector.close()
        if self._cancelling.asked and not self._codes & _FAILED:
            return InterruptedBuild.exit_code
        return next((code for code in _WORST_FIRST if code in self._codes), 0)

    def _settle(self) -> None:
        """Decide every stage whose upstream is done; restore what the store has, queue what must run."""
        while self._candidates and not self._halted:
            stage = self._graph.stages[self._candidates.popleft()]
            busy = stage.id in self._ended or stage.id in self._running or stage.id in self._ready
            if busy or not self._is_ready(stage):
                continue
            try:
                decision = self._decide(stage)
                if decision.action == CACHED:
                    decision = self._restore(decision)
            except (FgbuildError, OSError) as error:
                self._failed(stage, error)
                continue
            if decision.action == RUN:
                self._ready.add(decision)
            else:
                if decision.action == SKIP:
                    self._leave(decision)
                self._end(stage, decision.action, decision.outputs)
        if self._halted:
            self._candidates.clear()

    def _decide(self, stage: Stage) -> Decision:
        planned = self._planned[stage.id]
        return planned if planned.outputs is not None else self._planner.decide(stage, self._outputs)

    def _leave(self, decision: Decision) -> None:
        """Show what an up-to-date stage has made."""
        stage = decision.stage
        assert decision.outputs is not None
        say_made(self._workspace, self._log, stage, decision.outputs, restored=False)
        if stage.spec.report or self._planned[stage.id].action == RUN:
            self._log.emit(
                "stage.finished", stage=stage.id, seconds=0.0, action=SKIP, passed=True, outputs=decision.outputs
            )

    def _restore(self, decision: Decision) -> Decision:
        """Put a stored artifact's files in place; where it turns out damaged, decide again."""
        stage = decision.stage
        assert decision.outputs is not None
        started = time.monotonic()
        try:
            place(self._workspace, decision, decision.outputs)
        except DamagedArtifact as damaged:
            self._workspace.store.remove(damaged.digest)
            self._plan_again({stage.id, *self._graph.below(stage.id)})
            return self._planner.decide(stage, self._outputs)
        seconds = round(time.monotonic() - started, 3)
        say_made(self._workspace, self._log, stage, decision.outputs, restored=True)
        self._log.emit(
            "stage.finished", stage=stage.id, seconds=seconds, action=CACHED, passed=True, outputs=decision.outputs
        )
        return decision

    def _launch(self) -> None:
        """Start queued stages that fit."""
        if self._halted:
            self._ready.clear()
        full: set[str] = set()
        while (decision := self._ready.first(full)) is not None:
            stage = decision.stage
            if (cores := self._pool.take(stage.id, stage.spec)) is None:
                full.add(stage.kind)
                continue
            self._ready.discard(stage.id)
            damaged = self._damaged_input(stage)
            if damaged is None and self._planner.is_current(decision):
                self._start(decision, cores)
                continue
            self._pool.give(stage.id)
            if damaged is None:
                self._candidates.append(stage.id)
            else:
                self._undo(damaged)

    def _start(self, decision: Decision, cores: int) -> None:
        stage = decision.stage
        inputs = {kind: self._workspace.store.path(self._outputs[name]) for kind, name in stage.inputs.items()}
        execution = Execution(self._workspace, self._log, decision, inputs, cores)
        prediction = predict(self._workspace, decision)
        try:
            execution.start(self._executor, round(prediction.seconds, 3) if prediction else None)
        except OSError as error:
            self._pool.give(stage.id)
            execution.discard()
            self._failed(stage, error)
            return
        self._running[stage.id] = execution
        self._selector.register(execution.worker.events, selectors.EVENT_READ, execution)

    def _damaged_input(self, stage: Stage) -> str | None:
        """Check each stored input once a build; the id of the stage whose artifact was found damaged."""
        for name in stage.inputs.values():
            digest = self._outputs[name]
            if digest not in self._sound and not self._workspace.store.is_sound(digest):
                self._workspace.store.remove(digest)
                return name
            self._sound.add(digest)
        return None

    def _undo(self, name: str) -> None:
        """Decide a finished stage again, and whatever was found up to date below it."""
        affected = {name, *self._graph.below(name)}
        self._plan_again(affected)
        for each in affected:
            self._ready.discard(each)
            if self._outputs.pop(each, None) is not None:
                del self._ended[each]
        self._candidates.append(name)

    def _plan_again(self, names: set[str]) -> None:
        for name in names:
            self._planned[name] = Decision(self._graph.stages[name], RUN)

    def _wait(self, signals: SignalWatch) -> None:
        """Sleep until a worker reports or ends, or a signal comes."""
        if not self._running:
            return
        for key, _ in self._selector.select(self._cancelling.timeout(LOOK_SECONDS)):
            if isinstance(key.data, Execution):
                if not key.data.read_events():
                    self._selector.unregister(key.fd)
            else:
                signals.drain()
        for execution in list(self._running.values()):
            if (result := execution.worker.poll()) is not None:
                self._release(execution)
                if self._cancelling.ended(execution, result):
                    self._end(execution.stage, "cancelled", None)
                else:
                    self._finish(execution, result)
        self._cancelling.heed(signals)

    def _finish(self, execution: Execution, result: WorkerExit) -> None:
        """Keep what a worker made that has ended, or say why not."""
        try:
            outputs = execution.finish(result)
        except (FgbuildError, OSError, DamagedArtifact) as error:
            self._failed(execution.stage, error, execution, exit_code_of(result.code))
        else:
            self._finished(execution.stage, outputs)

    def _finished(self, stage: Stage, outputs: str | None) -> None:
        if outputs is None:
            self._codes.add(GateError.exit_code)
            self._withdraw(stage)
        else:
            self._sound.add(outputs)
        self._end(stage, "failed" if outputs is None else RUN, outputs)

    def _withdraw(self, gate: Stage) -> None:
        """What a gate has added to files of the stages above when it passed does not stand any longer."""
        for name in gate.inputs.values():
            stage = self._graph.stages[name]
            try:
                self._workspace.placer.withdraw(stage, self._outputs[name], gate.kind)
            except (FgbuildError, OSError, DamagedArtifact) as error:
                self._log.emit("stage.note", stage=gate.id, text=message_of(error, self._workspace.paths.cache))

    def _failed(
        self, stage: Stage, error: Exception, execution: Execution | None = None, code: int | None = None
    ) -> None:
        message = message_of(error, self._workspace.paths.cache)
        exit_code = code or (error.exit_code if isinstance(error, FgbuildError) else StageError.exit_code)
        self._codes.add(exit_code)
        if execution is not None:
            execution.fail(message, exit_code)
            execution.discard()
        else:
            self._log.emit("stage.failed", stage=stage.id, message=message, log=None, exit_code=exit_code)
        self._end(stage, "failed", None)

    def _end(self, stage: Stage, action: str, outputs: str | None) -> None:
        self._ended[stage.id] = action
        if outputs is not None:
            self._outputs[stage.id] = outputs
        self._candidates.extend(self._graph.dependents(stage.id))

    def _is_ready(self, stage: Stage) -> bool:
        """Whether all its inputs are there, and what only comes before it has ended well enough.

        Behind a gate that did not pass, `--keep-going` goes on: the built model is there to be measured.
        """
        if any(name not in self._outputs for name in stage.inputs.values()):
            return False
        before = [name for name in stage.after if name in self._graph.stages]
        enough = {"failed"} if self._keep_going else set()
        return all(name in self._outputs or self._ended.get(name) in enough for name in before)

    @property
    def _halted(self) -> bool:
        """Whether nothing new is to be started. A gate that did not pass concerns its domain alone."""
        return not self._keep_going and bool(self._codes - {GateError.exit_code})

    def _release(self, execution: Execution) -> None:
        execution.read_events()
        if execution.worker.events in self._selector.get_map():
            self._selector.unregister(execution.worker.events)
        execution.worker.close()
        self._pool.give(execution.stage.id)
        del self._running[execution.stage.id]

    def outcome(self) -> Outcome:
        """What has become of each stage so far."""
        outcome = Outcome()
        lists = {RUN: outcome.ran, CACHED: outcome.cached, SKIP: outcome.skipped, "failed": outcome.failed}
        for name in self._graph.stages:
            lists.get(self._ended.get(name, ""), outcome.not_run).append(name)
        return outcome
