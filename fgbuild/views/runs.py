"""Where the runs of a project are, and whether one is still going."""

from __future__ import annotations

import os
from pathlib import Path

from fgbuild.views.records import BuildState

# Seconds by which boot time may have shifted against the wall clock since the run began.
_CLOCK_SLACK = 60.0


def runs_directory(root: Path) -> Path:
    return root / "cache" / "runs"


def log_path(root: Path, run: str) -> Path:
    return runs_directory(root) / run / "events.jsonl"


def output_path(root: Path, run: str, stage: str) -> Path | None:
    """What the worker of a stage printed; None where the stage's id can be no file's name."""
    if not stage or "/" in stage or "\0" in stage:
        return None
    return runs_directory(root) / run / "logs" / f"{stage.replace(':', '.')}.log"


def run_ids(root: Path) -> list[str]:
    """Ids of every run that has a log, oldest first (ids sort by time)."""
    try:
        names = sorted(entry.name for entry in os.scandir(runs_directory(root)) if entry.is_dir())
    except OSError:
        return []
    return [name for name in names if log_path(root, name).is_file()]


def latest_run(root: Path) -> str | None:
    ids = run_ids(root)
    return ids[-1] if ids else None


def is_going(state: BuildState) -> bool:
    """Whether the build process of an unfinished run is still there."""
    return not state.finished and is_alive(state.pid, state.started_at)


def is_alive(pid: int | None, started_at: float | None) -> bool:
    """Whether the process that began a run at `started_at` (unix seconds) is still there."""
    if pid is None or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    began = _process_start(pid)
    # A process that began after the run did has been given the id of one that died.
    return began is None or started_at is None or began <= started_at + _CLOCK_SLACK


def _process_start(pid: int) -> float | None:
    """Unix time at which a process began, from /proc (proc(5), field 22 of stat); None elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        for line in Path("/proc/stat").read_text("ascii").splitlines():
            if line.startswith("btime "):
                return int(line.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    return None
