from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fgbuild import cli
from fgbuild.cli import main
from fgbuild.cli.desk import ProjectDesk
from fgbuild.engine.paths import Paths
from fgbuild.engine.requests import Requests
from fgbuild.errors import FgbuildError
from fgbuild.events import Event, EventLog, read_events
from fgbuild.views import runs

REPOSITORY = Path(cli.__file__).parents[2]
RUN = "20261103-101500-0001"
NOBODY = 2**22 + 1
STAGES = [
    {"id": f"bell:{kind}", "kind": kind, "domain": "bell", "action": action}
    for kind, action in (("generate", "skip"), ("tokenize", "run"), ("train", "run"), ("export", "run"))
]


SLEEPING = """
import sys
from dataclasses import replace
from fgbuild.cli import building, main
from fgbuild.executors.local import LocalExecutor

class Sleeping(LocalExecutor):
    def start(self, request):
        return super().start(replace(request, module="sleeping"))

building._executor = Sleeping
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def wake_up_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def begun(project: Path) -> Path:
    """A run in which bell:tokenize is done and bell:train runs; its build is this process."""
    log(project)
    Requests(Paths(project).requests(RUN)).open()
    return project


def log(project: Path, pid: int | None = None, **last: Any) -> None:
    events = EventLog(runs.log_path(project, RUN), RUN)
    events.emit("run.started", command="fgbuild build", pid=pid or os.getpid(), stages=STAGES)
    events.emit("stage.started", stage="bell:tokenize", reasons=[])
    events.emit("stage.finished", stage="bell:tokenize", action="run", seconds=1.0)
    events.emit("stage.started", stage="bell:train", reasons=[])
    if last:
        events.emit(**last)
    events.close()


def taken(project: Path) -> list[str | None]:
    return Requests(Paths(project).requests(RUN)).take()


def test_a_stage_is_asked_to_stop(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cancel", "bell:train"]) == 0
    assert f"asked run {RUN} to stop bell:train;" in capsys.readouterr().out
    assert taken(begun) == ["bell:train"]


def test_without_a_name_everything_is(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cancel"]) == 0
    assert f"asked run {RUN} to stop; what is finished stays" in capsys.readouterr().out
    assert taken(begun) == [None]


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("bell:export", "bell:export has not begun, and so cannot be stopped alone; running: bell:train ("),
        ("bell:tokenize", "bell:tokenize has nothing to stop: it is done; running: bell:train ("),
        ("bell:generate", "bell:generate has nothing to stop: it is current; running: bell:train ("),
        ("bell:\x1btrain", "the running build has no stage 'bell:␛train'; running: bell:train ("),
        ("", "the running build has no stage ''"),
    ],
)
def test_a_stage_that_does_not_run(begun: Path, capsys: pytest.CaptureFixture[str], stage: str, answer: str) -> None:
    assert main(["cancel", stage]) == 2
    assert answer in capsys.readouterr().err
    assert taken(begun) == []


def test_before_the_first_build(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cancel"]) == 2
    assert "no build is running; `fgbuild build` starts one" in capsys.readouterr().err


@pytest.mark.parametrize("killed", [True, False])
def test_after_the_last_build(project: Path, capsys: pytest.CaptureFixture[str], killed: bool) -> None:
    log(project, NOBODY) if killed else log(project, kind="build.finished", exit_code=0)
    assert main(["cancel", "bell:train"]) == 2
    assert "no build is running" in capsys.readouterr().err


def test_a_build_that_takes_no_requests_gets_no_signal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of an older fgbuild would be ended by it, and so would this process."""
    log(project)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert main(["cancel"]) == 2
    assert f"(pid {os.getpid()}) takes no requests" in capsys.readouterr().err


def test_a_request_that_cannot_be_left(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *rest: Any) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(FgbuildError, match="No space left on device; put that right and ask again"):
        ProjectDesk(begun).cancel(RUN, None)


def test_the_dashboard_asks_the_same(begun: Path) -> None:
    ProjectDesk(begun).cancel(RUN, "bell:train")
    assert taken(begun) == ["bell:train"]
    with pytest.raises(FgbuildError, match="has not begun"):
        ProjectDesk(begun).cancel(RUN, "bell:export")


@pytest.fixture
def building(project: Path) -> Iterator[subprocess.Popen[str]]:
    """`fgbuild build` in a process of its own, once its stage is at work, which sleeps."""
    (project / "sleeping.py").write_text("import time\ntime.sleep(600)\n")
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPING, "--root", str(project), "build", "--headless", "--until", "generate"],
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{project}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not any(event["kind"] == "stage.started" for event in latest(project)):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()


def latest(project: Path) -> list[Event]:
    run = runs.latest_run(project)
    return list(read_events(runs.log_path(project, run))) if run else []


@pytest.mark.parametrize("arguments", [["bell:generate"], []])
def test_a_real_build_is_stopped(project: Path, building: subprocess.Popen[str], arguments: list[str]) -> None:
    assert main(["--root", str(project), "cancel", *arguments]) == 0
    output, _ = building.communicate(timeout=60)
    assert building.returncode == 130, output
    kinds = [event["kind"] for event in latest(project)]
    assert kinds[-2:] == ["stage.cancelled", "build.finished"]
    assert "bell:generate" in output
    assert "cancelled" in output
    assert "Traceback" not in output
