"""What local workers have in common, however they are started."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from fgbuild.engine.executor import WorkerExit

_PACKAGES = Path(__file__).parent.parent.parent
# linux/prctl.h: the child gets this signal when its parent dies.
_PR_SET_PDEATHSIG = 1
# ru_maxrss: kilobytes on Linux, bytes on macOS.
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def reaped(pid: int) -> WorkerExit | None:
    """How a child of this process ended, once it has; whatever it left running in its group is killed first."""
    if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        return None
    # Before it is reaped, while its id can belong to nobody else.
    signal_group(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    memory = usage.ru_maxrss * _MAXRSS_BYTES / 1e6
    return WorkerExit(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, memory)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the group that a process leads, or to the process where it does not lead one yet."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
        return


def import_path() -> str:
    """PYTHONPATH with which a Python started in another directory finds this fgbuild."""
    paths = [os.environ.get("PYTHONPATH", "")]
    if _PACKAGES.name not in ("site-packages", "dist-packages"):  # run from a source tree
        paths.insert(0, str(_PACKAGES))
    return os.pathsep.join(filter(None, paths))


def environment() -> dict[str, str]:
    """This process's environment, and what makes workers repeatable."""
    return {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": import_path(),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def threads(cores: int) -> str:
    """OMP_NUM_THREADS for a worker with so many cores; what the user has set goes first."""
    return os.environ.get("OMP_NUM_THREADS", str(cores))


def death_signal() -> Callable[[], None] | None:
    """On Linux: what makes a child die with this process, even one that is killed outright. Call it in the child.

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
