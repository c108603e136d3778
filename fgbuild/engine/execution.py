"""One stage being run: its job file, its worker's events, and what becomes of its output."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbuild.engine.actions import FAILED, GATE, OK, Action, Attempt
from fgbuild.engine.executor import Executor, RunningWorker, WorkerExit, WorkerRequest
from fgbuild.engine.findings import say_placed
from fgbuild.engine.keys import action_key
from fgbuild.engine.paths import file_name
from fgbuild.engine.plan import Decision
from fgbuild.engine.reasons import differences
from fgbuild.engine.store import remove_tree
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import StageError
from fgbuild.events import EventLog, decode

_FORWARDED = frozenset(f"stage.{name}" for name in ("progress", "metric", "note", "artifact", "check", "result"))
_ENVELOPE = frozenset(("v", "t", "run", "kind", "stage"))
_PASSED, _USER_ERROR, _NOT_PASSED = 0, 2, 3
_MAX_LINE = 1 << 20
_MAX_MESSAGE = 500


class Execution:
    """A started worker. `decision` has a key: everything upstream is there."""

    def __init__(
        self,
        workspace: Workspace,
        log: EventLog,
        decision: Decision,
        inputs: Mapping[str, Path],
        cores: int,
    ) -> None:
        assert decision.key is not None
        self.decision = decision
        self.stage = decision.stage
        self.key = decision.key
        self._workspace = workspace
        self._log = log
        self._started = time.monotonic()
        self._pending = b""
        self._message = ""
        self._reported: set[str] = set()
        self._targets = {item.source: item.target for item in self.stage.spec.placed(self.stage.manifest)}
        paths = workspace.paths
        name = f"{log.run}-{file_name(self.stage.id)}"
        self._job = paths.tmp / f"{name}.json"
        self._output = paths.tmp / name
        self._states = paths.state / file_name(self.stage.id)
        self._log_file = paths.log(log.run, self.stage.id)
        self._cores = cores
        self._inputs = inputs
        self.worker: RunningWorker

    def start(self, executor: Executor, predicted_seconds: float | None) -> None:
        state = self._states / self.key[:32]
        self._output.mkdir(parents=True)
        state.mkdir(parents=True, exist_ok=True)
        job = {
            "stage": self.stage.id,
            "kind": self.stage.kind,
            "domain": self.stage.domain,
            "manifest": self.stage.manifest,
            "inputs": {kind: str(path) for kind, path in self._inputs.items()},
            "output": str(self._output),
            "state": str(state),
            "root": str(self._workspace.paths.root),
            "options": {"cores": self._cores},
        }
        self._job.write_text(json.dumps(job, ensure_ascii=False, indent=1), "utf-8")
        self._log.emit(
            "stage.started",
            stage=self.stage.id,
            reasons=[reason.as_json() for reason in self.decision.reasons],
            predicted_seconds=predicted_seconds,
        )
        self.worker = executor.start(self._request())

    def _request(self) -> WorkerRequest:
        stage, root = self.stage, self._workspace.paths.root
        preload = () if stage.environment else stage.spec.preload
        return WorkerRequest(
            stage.spec.worker, self._job, self._log_file, root, self._cores, preload, python=stage.python
        )

    def read_events(self) -> bool:
        """Take what the worker has written so far and pass on what a worker may say.

        False once the worker has closed its end: there will be no more.
        """
        while True:
            try:
                chunk = os.read(self.worker.events, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            *lines, self._pending = (self._pending + chunk).split(b"\n")
            for line in lines:
                self._pass_on(decode(line))
            if len(self._pending) > _MAX_LINE:
                self._pending = b""

    def finish(self, result: WorkerExit) -> str | None:
        """Publish and record what the worker left; the artifact's digest, or None for a gate not passed.

        StageError where the stage failed, OSError where its output cannot be kept.
        """
        passed = result.code == _PASSED
        if not passed and not (result.code == _NOT_PASSED and self.stage.spec.gate):
            raise StageError(self._failure(result.code))
        self._require_unchanged()
        outputs = self._workspace.store.publish(self._output)
        seconds = time.monotonic() - self._started
        self._job.unlink(missing_ok=True)
        if passed:
            self._take_pins()
            self._workspace.actions.record(
                Action(
                    key=self.key,
                    stage=self.stage.id,
                    kind=self.stage.kind,
                    outputs=outputs,
                    seconds=seconds,
                    cpu_seconds=result.cpu_seconds,
                    peak_memory_mb=result.peak_memory_mb,
                    components=self.decision.components,
                    run=self._log.run,
                    finished_at=time.time(),
                )
            )
            remove_tree(self._states)
            place(self._workspace, self.decision, outputs)
            # Of files that the worker has reported it knows more than we do.
            say_placed(self._workspace, self._log, self.stage, outputs, but=self._reported)
        self.record_attempt(OK if passed else GATE, outputs)
        self._log.emit(
            "stage.finished",
            stage=self.stage.id,
            seconds=round(seconds, 3),
            action="run",
            cpu_seconds=round(result.cpu_seconds, 3),
            peak_memory_mb=round(result.peak_memory_mb, 1),
            passed=passed,
            outputs=outputs,
        )
        return outputs if passed else None

    def _require_unchanged(self) -> None:
        """StageError where code or files are no longer those of the key: the worker may have read either."""
        old = self.decision.components
        # What a stage pins while it runs is not a change of its input (see `_take_pins`).
        now = {**self._workspace.keys.components_now(self.stage, old["inputs"]), "extras": old["extras"]}
        if changed := differences(old, now, self._workspace.code.parts):
            what = "; ".join(reason.text for reason in changed)
            raise StageError(f"its input changed while it ran ({what}); build again")

    def _take_pins(self) -> None:
        """Read the key's extras again: a base's first download pins itself in the lock file, and the
        next build will find that pin."""
        extras = self.stage.spec.extras(self.stage.manifest, self._workspace.paths.root)
        if extras != self.decision.components["extras"]:
            components = {**self.decision.components, "extras": extras}
            self.key = action_key(components)
            self.decision = replace(self.decision, key=self.key, components=components)

    def fail(self, message: str, code: int) -> None:
        """Record and report that the stage failed."""
        self.record_attempt(FAILED, None)
        self._log.emit(
            "stage.failed",
            stage=self.stage.id,
            message=message,
            log=self._workspace.paths.relative(self._log_file),
            exit_code=code,
        )

    def record_attempt(self, outcome: str, outputs: str | None) -> None:
        self._workspace.actions.record_attempt(
            Attempt(
                stage=self.stage.id,
                key=self.key,
                outcome=outcome,
                outputs=outputs,
                reasons=[reason.as_json() for reason in self.decision.reasons],
                components=self.decision.components,
                run=self._log.run,
                seconds=time.monotonic() - self._started,
                finished_at=time.time(),
            )
        )

    def checkpoint(self) -> int | None:
        """The step of the newest checkpoint that the worker keeps for its next attempt; None where there is none."""
        kept = (self._states / self.key[:32] / "checkpoints").glob("checkpoint-*")
        steps = [path.name.partition("-")[2] for path in kept]
        return max((int(step) for step in steps if step.isdecimal()), default=None)

    def discard(self) -> None:
        """Remove the job file and whatever output is left."""
        self._job.unlink(missing_ok=True)
        remove_tree(self._output)

    def _pass_on(self, event: dict[str, Any] | None) -> None:
        kind = event.get("kind") if event else None
        if event and kind in _FORWARDED:
            fields = {name: value for name, value in event.items() if name not in _ENVELOPE}
            if kind == "stage.artifact":
                # A worker knows its output by the name in the artifact; people know where it is placed.
                source = str(fields.get("path", ""))
                fields["path"] = self._targets.get(source, source)
                self._reported.add(fields["path"])
            self._log.emit(str(kind), stage=self.stage.id, **fields)
        elif event and kind == "stage.failed":
            self._message = str(event.get("message", ""))

    def _failure(self, code: int) -> str:
        if self._message:
            return self._message
        if code < 0:
            cause = ", probably for want of memory" if -code == signal.SIGKILL else ""
            return f"the worker was killed by {_signal_name(-code)}{cause}"
        return _last_line(self._log_file) or f"the worker ended with exit code {code}"


def _signal_name(number: int) -> str:
    """`SIGKILL`; most real-time signals have a number alone."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def place(workspace: Workspace, decision: Decision, outputs: str) -> None:
    """Put the stage's files below the root and make it stand at its key."""
    workspace.placer.place(decision.stage, outputs)
    assert decision.key is not None
    workspace.actions.stand_at(decision.stage.id, decision.key, outputs)


def exit_code_of(code: int) -> int:
    """A worker's exit status as the build's: 2 where the user's input is at fault, else 1."""
    return _USER_ERROR if code == _USER_ERROR else 1


def message_of(error: Exception, cache: Path) -> str:
    """An error as one sentence with its next step. cache: named where an OSError names no file."""
    if isinstance(error, OSError):
        return f"{error.filename or cache}: {error.strerror}; put that right and build again"
    return str(error)


def _last_line(path: Path) -> str:
    """The last line of a log that says something."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
            lines = [line.strip() for line in stream.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    return next((line[:_MAX_MESSAGE] for line in reversed(lines) if line), "")
