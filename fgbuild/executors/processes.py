"""What local workers have in common, however they are started."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from fgbuild.engine.environments import without_own_paths
from fgbuild.engine.executor import WorkerExit, WorkerRequest
from fgbuild.executors import guest

KEPT_SHAPES = "64"
"""Shapes for which a worker's torch keeps what it prepares for a product."""

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


def command(request: WorkerRequest) -> list[str]:
    """What starts a worker, but for its job. -P: a file of the project named like a module is not taken for it."""
    if request.python is None:
        return [sys.executable, "-P", "-m", request.module]
    return [str(request.python), "-P", guest.__file__, request.module]


def environment(*, foreign: bool = False) -> dict[str, str]:
    """This process's environment, and what makes workers repeatable and frugal. foreign: for an interpreter of another
    one."""
    return {
        **(without_own_paths() if foreign else {**os.environ, "PYTHONPATH": import_path()}),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # torch's products on a CPU keep what they prepare for each shape, 1,024 of them by default; each batch of a
        # training has other shapes, and over one that came to gigabytes. Without a cost in time that could be measured.
        "LRU_CACHE_CAPACITY": KEPT_SHAPES,
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": KEPT_SHAPES,
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
