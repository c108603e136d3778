from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
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


def test_a_summary_tells_what_a_run_came_to(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    found = runs.summarise(tmp_path, sample.RUN)
    assert found.outcome == ("✓", "done")
    assert (found.ran, found.cached, found.failed) == (4, 0, 0)
    assert found.scores == {"lint": 0.975}
    assert (found.base, found.profile, found.command) == ("embedded", "default", "fgbuild build --all")
    assert found.started_at == sample.START
    assert found.seconds is not None
    assert found.seconds > 400


def test_a_summary_of_a_log_that_grows_is_read_again(tmp_path: Path) -> None:
    events = sample.whole_run()
    sample.write_log(tmp_path, events[:-1])
    assert runs.summarise(tmp_path, sample.RUN).exit_code is None
    sample.write_log(tmp_path, events[-1:])
    assert runs.summarise(tmp_path, sample.RUN).exit_code == 0


def test_a_run_without_an_end_is_running_or_was_killed(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.half_run(start=time.time()), "a")
    sample.write_log(tmp_path, sample.half_run(pid=os.getpid()), "b")  # began long before this process did
    assert runs.summarise(tmp_path, "a").outcome == ("●", "running")
    assert runs.summarise(tmp_path, "b").outcome == ("■", "stopped early")


def test_a_build_that_is_killed_is_seen_to_be_gone_although_its_log_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        sample.write_log(tmp_path, sample.half_run(start=time.time(), pid=process.pid))
        assert runs.summarise(tmp_path, sample.RUN).outcome == ("●", "running")
        process.kill()
    assert runs.summarise(tmp_path, sample.RUN).outcome == ("■", "stopped early")


def test_a_score_that_an_earlier_run_gave_is_not_this_ones(tmp_path: Path) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    for share, stored in ((0.9, True), (0.7, False), (0.6, False)):
        recorder.emit("stage.result", stage="lint:eval", summary={"tool_accuracy": share}, stored=stored)
    sample.write_log(tmp_path, recorder.events)
    assert runs.summarise(tmp_path, sample.RUN).scores == {"lint": 0.7}


def test_summaries_of_missing_and_damaged_logs(tmp_path: Path) -> None:
    assert runs.summarise(tmp_path, "none") == runs.RunSummary("none")
    path = runs.log_path(tmp_path, "odd")
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\xff\n[1]\n{"kind": "build.finished", "ran": 3, "exit_code": 1}\n{"kind": "stage.re')
    found = runs.summarise(tmp_path, "odd")
    assert (found.ran, found.exit_code, found.started_at) == (0, 1, None)


def test_a_large_log_is_summarised_quickly(tmp_path: Path) -> None:
    path = sample.write_log(tmp_path, sample.whole_run())
    with path.open("ab") as stream:
        stream.write(b'{"kind": "stage.note", "stage": "lint:train", "text": "some more words"}\n' * 500_000)
    began = time.process_time()
    assert runs.summarise(tmp_path, sample.RUN).scores == {"lint": 0.975}
    assert time.process_time() - began < 2.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_nobody_waits_for_is_dead() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert runs.is_alive(process.pid, time.time())
        process.kill()
        assert process.stdout is not None
        process.stdout.read()  # to its end: it has died, and is a zombie until it is waited for
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert not runs.is_alive(process.pid, time.time())


def test_whether_a_run_goes_is_told_by_the_ends_of_its_log(tmp_path: Path) -> None:
    assert not runs.goes(tmp_path, sample.RUN)
    path = sample.write_log(tmp_path, sample.half_run(start=time.time()))
    assert runs.goes(tmp_path, sample.RUN)
    sample.write_log(tmp_path, sample.whole_run()[-1:])
    assert not runs.goes(tmp_path, sample.RUN)
    path.write_bytes(b"")
    assert not runs.goes(tmp_path, sample.RUN)
