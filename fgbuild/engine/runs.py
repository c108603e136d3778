"""Past builds: their ids, where their logs are, and how each ended."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError
from fgbuild.events import EventReader, decode

LATEST = "latest"
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class RunSummary:
    """started_at: unix seconds. exit_code: None where the build still runs or was killed."""

    id: str
    command: str
    started_at: float
    seconds: float | None
    exit_code: int | None
    ran: int
    cached: int
    failed: int
    pid: int | None


def new_run_id() -> str:
    """`20261122-114503-4f2a`: UTC and the fraction of the second, so that ids sort by time.

    The tree's lock keeps two builds from starting within the same 15 µs.
    """
    now = time.time()
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{int(now % 1 * 0x10000):04x}"


def find_run(paths: Paths, name: str) -> str:
    """A run's id from what a person typed: an id, the unique start of one, or `latest`."""
    known = run_ids(paths)
    if name == LATEST and known:
        return known[-1]
    found = [run for run in known if run == name] or [run for run in known if run.startswith(name)]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} runs start with {name!r}" if found else f"there is no run {name!r}"
    raise FgbuildError(f"{problem}; fgbuild runs lists them")


def run_ids(paths: Paths) -> list[str]:
    """Every run that has an event log, oldest first."""
    try:
        names = sorted(entry.name for entry in os.scandir(paths.runs) if entry.is_dir())
    except FileNotFoundError:
        return []
    return [name for name in names if paths.events(name).is_file()]


def summarise(paths: Paths, run: str) -> RunSummary:
    """A run by the first and the last record of its log."""
    path = paths.events(run)
    first: dict[str, Any] = next(iter(EventReader(path).read(limit=1)), {})
    last = _last_event(path)
    finished = last if last.get("kind") == "build.finished" else {}
    return RunSummary(
        id=run,
        command=first.get("command", ""),
        started_at=first.get("t", 0.0),
        seconds=finished.get("seconds"),
        exit_code=finished.get("exit_code"),
        ran=len(finished.get("ran", ())),
        cached=len(finished.get("cached", ())),
        failed=len(finished.get("failed", ())),
        pid=first.get("pid"),
    )


def _last_event(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        window = _TAIL_BYTES
        while True:
            stream.seek(max(0, size - window))
            lines = stream.read().splitlines()
            # The first line of the window may lack its beginning, unless the window is the whole file.
            whole = lines if window >= size else lines[1:]
            if whole or window >= size:
                return (decode(whole[-1]) if whole else None) or {}
            window *= 8
