"""What passes between the build process and a worker.

A worker is `python -m fgbuild.workers.<name> JOB.json`. The job file says what to do; events
go back as JSON lines on the descriptor named in `FGBUILD_EVENTS_FD` (none set: they go to
stderr, so that a worker can be run by hand). Outputs are files written under `job.output`, an
empty directory that the build process publishes when the worker exits with 0. Exit codes:
0 done, 1 failed, 2 the user's input is at fault, 3 done but a gate (verify, eval) did not pass.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild import events
from fgbuild.errors import FgbuildError


@dataclass(frozen=True)
class Job:
    """One stage's work.

    stage: its id (`lint:train`); kind: `train`; domain: `lint`, or None for the base stage.
    manifest: the domain's resolved manifest as plain data (for the base stage: the base's entry).
    inputs: upstream kind → directory of its artifact, read-only (`base`, `generate`, …).
    output: empty directory to fill. state: directory kept between attempts (checkpoints).
    root: the project directory, for paths in the manifest.
    """

    stage: str
    kind: str
    domain: str | None
    manifest: dict[str, Any]
    inputs: dict[str, Path]
    output: Path
    state: Path
    root: Path
    options: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Job:
        data = json.loads(path.read_text("utf-8"))
        return cls(
            stage=data["stage"],
            kind=data["kind"],
            domain=data.get("domain"),
            manifest=data["manifest"],
            inputs={name: Path(value) for name, value in data["inputs"].items()},
            output=Path(data["output"]),
            state=Path(data["state"]),
            root=Path(data["root"]),
            options=data.get("options", {}),
        )


class Reporter:
    """Sends a worker's events to the build process; progress at most ten times a second."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._fd = int(os.environ.get("FGBUILD_EVENTS_FD", "2"))
        self._started = time.monotonic()
        self._done_before = 0.0
        self._last_progress = 0.0

    def emit(self, kind: str, **fields: Any) -> None:
        os.write(self._fd, events.encode({"kind": kind, "stage": self.stage, **fields}))

    def note(self, text: str) -> None:
        self.emit("stage.note", text=text)

    def progress(self, done: float, total: float, unit: str) -> None:
        """`done` of `total` `unit`s; the ETA goes by the rate since the clock was started."""
        now = time.monotonic()
        if done < total and now - self._last_progress < 0.1:
            return
        self._last_progress = now
        made = done - self._done_before
        eta = (now - self._started) / made * (total - done) if made > 0 else None
        self.emit("stage.progress", done=done, total=total, unit=unit, eta_seconds=eta)

    def restart_clock(self, done: float = 0.0) -> None:
        """Start the ETA's clock again, with `done` units made before: a set-up phase or an earlier
        attempt says nothing of the rate to come."""
        self._started = time.monotonic()
        self._done_before = done


def main(work: Callable[[Job, Reporter], bool | None]) -> None:
    """Run `work` on the job named on the command line and exit.

    `work` returns False where a gate did not pass (exit 3); anything else is success.
    """
    job = Job.load(Path(sys.argv[1]))
    reporter = Reporter(job.stage)
    try:
        passed = work(job, reporter)
    except FgbuildError as error:
        reporter.emit("stage.failed", message=str(error))
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        traceback.print_exc()
        reporter.emit("stage.failed", message=f"{type(error).__name__}: {error}")
        raise SystemExit(1) from None
    raise SystemExit(3 if passed is False else 0)
