from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from fgbuild.cli import main
from fgbuild.engine.paths import Paths


def write_run(root: Path, run: str, *, started_at: float, pid: int, exit_code: int | None = None) -> None:
    path = Paths(root).events(run)
    path.parent.mkdir(parents=True)
    events: list[dict[str, Any]] = [
        {"v": 1, "t": started_at, "run": run, "kind": "run.started", "command": "fgbuild build", "pid": pid}
    ]
    if exit_code is not None:
        events.append({"v": 1, "t": started_at + 400, "run": run, "kind": "build.finished"})
        events[-1] |= {"ran": ["a"], "cached": [], "failed": [], "seconds": 400.0, "exit_code": exit_code}
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def outcomes(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    return {run["id"]: run["outcome"] for run in json.loads(capsys.readouterr().out)["runs"]}


def test_how_each_run_ended(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = {0: "done", 1: "failed", 2: "failed", 3: "did not pass", 130: "interrupted"}
    for code in codes:
        write_run(project, f"run-{code}", started_at=time.time(), pid=1, exit_code=code)
    write_run(project, "mine", started_at=time.time(), pid=os.getpid())
    write_run(project, "gone", started_at=time.time(), pid=2**22 + 1)
    wanted = {f"run-{code}": outcome for code, outcome in codes.items()}
    assert outcomes(capsys) == {**wanted, "mine": "running", "gone": "killed"}


def test_a_reused_process_id_is_not_the_build(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The dashboard's summary and the list of runs say the same."""
    write_run(project, "old", started_at=1_000_000.0, pid=os.getpid())
    assert outcomes(capsys) == {"old": "killed"}
    assert main(["ui"]) == 0
    assert "the build process is gone" in capsys.readouterr().out


def test_times_are_as_everywhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(project, "r", started_at=time.time(), pid=1, exit_code=0)
    assert main(["runs"]) == 0
    assert " 6m 40s " in capsys.readouterr().out
