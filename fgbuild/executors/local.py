"""Runs workers as subprocesses of the build, each in a process group of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fgbuild.engine.executor import WorkerExit, WorkerRequest

_PACKAGES = Path(__file__).parent.parent.parent
# linux/prctl.h: the child gets this signal when its parent dies.
_PR_SET_PDEATHSIG = 1
# ru_maxrss: kilobytes on Linux, bytes on macOS.
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


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
        if self._exit is None:
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if os.waitid(os.P_PID, self._process.pid, options) is None:
                return None
            # Before it is reaped, while its id can belong to nobody else: children it left behind.
            self.kill()
            _, status, usage = os.wait4(self._process.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self._process.returncode = code
            memory = usage.ru_maxrss * _MAXRSS_BYTES / 1e6
            self._exit = WorkerExit(code, usage.ru_utime + usage.ru_stime, memory)
        return self._exit

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        os.close(self._events)

    def _signal(self, number: signal.Signals) -> None:
        if self._exit is None:
            try:
                os.killpg(self._process.pid, number)
            except (ProcessLookupError, PermissionError):
                return


class LocalExecutor:
    """One Python process per stage, on this machine."""

    def __init__(self) -> None:
        self._die_with_parent = _death_signal()

    def start(self, request: WorkerRequest) -> LocalWorker:
        request.log.parent.mkdir(parents=True, exist_ok=True)
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        try:
            with request.log.open("wb") as log:
                # -P: a file of the project named like a module must not be taken for it.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", request.module, str(request.job)],
                    cwd=request.directory,
                    env=_environment(request.cores, write_end),
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


def import_path() -> str:
    """PYTHONPATH with which a Python started in another directory finds this fgbuild."""
    paths = [os.environ.get("PYTHONPATH", "")]
    if _PACKAGES.name not in ("site-packages", "dist-packages"):  # run from a source tree
        paths.insert(0, str(_PACKAGES))
    return os.pathsep.join(filter(None, paths))


def _environment(cores: int, events: int) -> dict[str, str]:
    """This process's environment, and what makes workers repeatable and keeps them to their cores."""
    return {
        "OMP_NUM_THREADS": str(cores),
        **os.environ,
        "FGBUILD_EVENTS_FD": str(events),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": import_path(),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _death_signal() -> Callable[[], None] | None:
    """On Linux: what makes a child die with the build, even one that is killed outright.

    Elsewhere a worker whose build is gone ends when it next reports, its pipe being closed.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent
