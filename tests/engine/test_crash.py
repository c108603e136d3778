"""Builds that are killed or interrupted, and two builds at once; with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import toy_project
from toy_project import ToyProject

from fgbuild.engine.lock import TreeLock
from fgbuild.engine.runs import run_ids, summarise
from fgbuild.errors import LockHeldError


@pytest.fixture
def slow(toy: ToyProject) -> ToyProject:
    """`red:join` sleeps for a minute with its output half written."""
    toy.manifests["red"]["sleep"] = {"join": 60}
    (toy.root / "manifests.json").write_text(json.dumps(toy.manifests))
    return toy


@pytest.fixture
def building(slow: ToyProject) -> Iterator[subprocess.Popen[bytes]]:
    """A build in a process of its own, once `red:join` is at work."""
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{Path(toy_project.__file__).parent}"}
    process = subprocess.Popen([sys.executable, toy_project.__file__, str(slow.root)], env=environment)
    _wait_for(lambda: "red:join" in _ran(slow))
    yield process
    process.kill()
    process.wait()


def _ran(toy: ToyProject) -> str:
    log = toy.root / "ran.log"
    return log.read_text() if log.exists() else ""


def _wait_for(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


def _worker_is_alive(toy: ToyProject) -> bool:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(toy.root / "cache" / "tmp").encode() in (entry / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def test_kill_9_leaves_no_partial_output_and_finished_stages_stay(
    slow: ToyProject, building: subprocess.Popen[bytes]
) -> None:
    building.kill()
    building.wait()
    _wait_for(lambda: not _worker_is_alive(slow))
    assert not (slow.root / "agents").exists()
    assert list((slow.root / "cache" / "tmp").iterdir())
    slow.taken()
    del slow.manifests["red"]["sleep"]
    assert slow.build().exit_code == 0
    assert slow.taken() == ["red:check", "red:join", "red:last"]
    assert slow.joined() == "base-+redred16"
    assert list((slow.root / "cache" / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_within_five_seconds_with_exit_code_130(
    slow: ToyProject, building: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    started = time.monotonic()
    building.send_signal(number)
    assert building.wait(5) == 130
    assert time.monotonic() - started < 5
    assert not _worker_is_alive(slow)
    run = next(path.name for path in (slow.root / "cache" / "runs").glob("2*"))
    kinds = [(event["kind"], event.get("stage")) for event in slow.events(run)]
    assert kinds[-2:] == [("stage.cancelled", "red:join"), ("build.finished", None)]
    assert slow.events(run)[-1]["exit_code"] == 130
    reasons = [reason.text for reason in slow.plan()["red:join"].reasons]
    assert reasons == ["interrupted last time"]


def test_a_worker_that_ignores_sigterm_is_killed(toy: ToyProject) -> None:
    toy.write_worker("join", 'import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nfinish("joined.txt", "x")')
    toy.manifests["red"]["sleep"] = {"join": 60}
    (toy.root / "manifests.json").write_text(json.dumps(toy.manifests))
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{Path(toy_project.__file__).parent}"}
    process = subprocess.Popen([sys.executable, toy_project.__file__, str(toy.root)], env=environment)
    try:
        _wait_for(lambda: "red:join" in _ran(toy))
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 130
    finally:
        process.kill()
        process.wait()
    assert not _worker_is_alive(toy)


def test_a_second_build_is_refused_with_the_holders_pid(slow: ToyProject, building: subprocess.Popen[bytes]) -> None:
    with pytest.raises(LockHeldError, match=rf"another build \(pid {building.pid}, since \d\d:\d\d:\d\d\)") as caught:
        slow.build()
    assert caught.value.exit_code == 4
    paths = slow.open().paths
    building.kill()
    building.wait()
    assert [summarise(paths, run).exit_code for run in run_ids(paths)] == [None]
    with TreeLock(paths.lock):
        pass
