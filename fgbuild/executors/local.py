"""Runs workers as subprocesses of the build, each in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable

from fgbuild.engine.executor import WorkerExit, WorkerRequest
from fgbuild.executors.processes import command, death_signal, environment, reaped, signal_group, threads


class LocalWorker:
    def __init__(self, process: subprocess.Popen[bytes], events: int) -> None:
        self._process = process
        self._events = events
        self._exit: WorkerExit | None = None

    @property
    def events(self) -> int:
        return self._events

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> WorkerExit | None:
        if self._exit is None and (result := reaped(self._process.pid)) is not None:
            self._process.returncode = result.code
            self._exit = result
        return self._exit

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        os.close(self._events)

    def _signal(self, number: signal.Signals) -> None:
        if self._exit is None:
            signal_group(self._process.pid, number)


class LocalExecutor:
    """One Python process per stage, on this machine."""

    def __init__(self) -> None:
        self._die_with_parent = death_signal()

    def prepare(self, modules: Iterable[str]) -> None:
        """Nothing: every worker imports for itself."""

    def start(self, request: WorkerRequest) -> LocalWorker:
        request.log.parent.mkdir(parents=True, exist_ok=True)
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        own = {"FGBUILD_EVENTS_FD": str(write_end), "OMP_NUM_THREADS": threads(request.cores)}
        try:
            with request.log.open("wb") as log:
                process = subprocess.Popen(
                    [*command(request), str(request.job)],
                    cwd=request.directory,
                    env=environment(foreign=request.python is not None) | own,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(write_end,),
                    preexec_fn=self._die_with_parent,
                )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        return LocalWorker(process, read_end)

    def close(self) -> None:
        """Nothing: its workers are the scheduler's to end."""
