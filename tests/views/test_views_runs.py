from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import views_sample as sample

from fgbuild.views import runs
from fgbuild.views.state import BuildState


def test_runs_are_directories_with_a_log_in_order(tmp_path: Path) -> None:
    assert runs.run_ids(tmp_path) == []
    assert runs.latest_run(tmp_path) is None
    for run in ("20261103-2", "20261103-1"):
        sample.write_log(tmp_path, sample.half_run(), run)
    (tmp_path / "cache/runs/20261104-no-log-yet").mkdir()
    (tmp_path / "cache/runs/20261105-a-file").write_text("")
    assert runs.run_ids(tmp_path) == ["20261103-1", "20261103-2"]
    assert runs.latest_run(tmp_path) == "20261103-2"


def test_a_build_is_going_while_its_process_lives() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    state = BuildState(pid=process.pid, started_at=time.time())
    assert runs.is_going(state)
    state.finished = True
    assert not runs.is_going(state)
    state.finished = False
    process.communicate()
    assert not runs.is_going(state)


def test_a_process_that_began_later_is_not_the_build() -> None:
    assert not runs.is_going(BuildState(pid=os.getpid(), started_at=1_000_000.0))


def test_a_log_without_a_sensible_pid_is_not_going() -> None:
    for pid in (None, 0, -1, 10**14):
        assert not runs.is_going(BuildState(pid=pid, started_at=time.time()))
