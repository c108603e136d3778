"""A run's log for tests of what shows it."""

from __future__ import annotations

import os
from pathlib import Path

from fgbuild.events import EventLog
from fgbuild.views import runs

RUN = "20261103-101500-0001"


def record(root: Path, run: str, *, finished: bool = True) -> None:
    """A run of one training, whose process is this one."""
    log = EventLog(runs.log_path(root, run), run)
    log.emit(
        "run.started",
        command="fgbuild build lint",
        base="tiny",
        profile="quick",
        pid=os.getpid(),
        stages=[{"id": "lint:train", "kind": "train", "domain": "lint", "action": "run"}],
    )
    log.emit("stage.started", stage="lint:train", reasons=[])
    log.emit("stage.metric", stage="lint:train", step=1, loss=0.5)
    if finished:
        log.emit("stage.finished", stage="lint:train", seconds=2.0, action="run")
        log.emit("build.finished", ran=["lint:train"], cached=[], failed=[], seconds=2.5, exit_code=0)
    log.close()
