"""Stopping workers: one that somebody asked to stop, while the others go on, or all of them."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Mapping

from fgbuild.engine.actions import CANCELLED
from fgbuild.engine.execution import Execution
from fgbuild.engine.executor import WorkerExit
from fgbuild.engine.requests import Requests
from fgbuild.engine.signals import SignalWatch
from fgbuild.events import EventLog

KILL_AFTER_SECONDS = 3.0
LOOK_SECONDS = 1.0


class Cancelling:
    """running: by stage id, what the scheduler has at work; it is read and not changed.

    asked: whether a stage was stopped at somebody's request. everything: whether the whole build is to stop.
    """

    def __init__(self, running: Mapping[str, Execution], requests: Requests, log: EventLog) -> None:
        self.asked = False
        self.everything = False
        self._running = running
        self._requests = requests
        self._log = log
        self._kill_at: dict[str, float] = {}
        self._looked = 0.0

    def heed(self, signals: SignalWatch) -> None:
        """Take what was asked for, when woken and else once a second; and kill what was asked three seconds ago."""
        now = time.monotonic()
        if signals.woken or now - self._looked >= LOOK_SECONDS:
            signals.woken = False
            self._looked = now
            for stage in self._requests.take():
                self._take(stage)
        for name, moment in self._kill_at.items():
            if now >= moment:
                self._running[name].worker.kill()
                self._kill_at[name] = now + KILL_AFTER_SECONDS

    def timeout(self, longest: float) -> float:
        """Seconds until something has to be done here, at most `longest`."""
        return max(0.0, min([longest, *(moment - time.monotonic() for moment in self._kill_at.values())]))

    def _take(self, stage: str | None) -> None:
        if stage is None:
            self.everything = True
        elif stage in self._kill_at:
            return
        elif (execution := self._running.get(stage)) is not None:
            self._kill_at[stage] = time.monotonic() + KILL_AFTER_SECONDS
            execution.worker.terminate()

    def ended(self, execution: Execution, result: WorkerExit) -> bool:
        """Whether this worker ended because it was to stop; it is recorded then, and what it left is removed.

        One that was done just as it was to stop has not: what it made is kept.
        """
        if self._kill_at.pop(execution.stage.id, None) is None or result.code == 0:
            return False
        self.asked = True
        execution.discard()
        self._record(execution)
        return True

    def stop_all(
        self,
        signals: SignalWatch,
        selector: selectors.BaseSelector,
        release: Callable[[Execution], None],
        *,
        keep: bool = True,
    ) -> list[tuple[Execution, WorkerExit]]:
        """Stop what still runs: ask first, and insist after three seconds or a second signal.

        release: takes an execution whose worker has ended out of `running`. keep: give those back that were done just
        as they were to stop, so that what they made is kept.
        """
        asked = signals.stops
        deadline = time.monotonic() + KILL_AFTER_SECONDS
        done: list[tuple[Execution, WorkerExit]] = []
        stopped: list[Execution] = []
        for execution in self._running.values():
            execution.worker.terminate()
        while self._running:
            left = deadline - time.monotonic()
            if left <= 0 or signals.stops > asked:
                for execution in self._running.values():
                    execution.worker.kill()
            selector.select(min(max(left, 0.01), 0.05))
            signals.drain()
            for execution in list(self._running.values()):
                if (result := execution.worker.poll()) is not None:
                    release(execution)
                    if keep and result.code == 0:
                        done.append((execution, result))
                    else:
                        stopped.append(execution)
        for execution in stopped:
            execution.discard()
        for execution in stopped:
            self._record(execution)
        return done

    def _record(self, execution: Execution) -> None:
        execution.record_attempt(CANCELLED, None)
        self._log.emit("stage.cancelled", stage=execution.stage.id, checkpoint=execution.checkpoint())
