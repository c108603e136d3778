from __future__ import annotations

import argparse
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fgbuild.cli import ui
from fgbuild.cli.desk import ProjectDesk
from fgbuild.engine.lock import TreeLock
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError
from fgbuild.events import EventLog
from fgbuild.views import runs
from fgbuild.views.tui.desk import Variant
from fgbuild.views.tui.launch import last_line
from fgbuild.views.web import DashboardServer

RUN = "20261103-101500-0001"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fgbuild.toml").write_text("")
    return tmp_path


def record(root: Path, run: str, *, finished: bool = True) -> None:
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


def show(root: Path | None, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    ui.add_arguments(parser)
    arguments = parser.parse_args(argv)
    arguments.root = root
    return ui.run(arguments)


def test_without_a_terminal_the_last_run_is_printed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(project, "20261101-101500-0001")
    record(project, RUN)
    assert show(project) == 0
    output = capsys.readouterr().out
    assert f"fgbuild run {RUN} · fgbuild build lint" in output
    assert "base tiny · profile quick · 1 stage: 1 to run" in output
    assert "lint    1 done  2.0 s  0.5   2.0 s" in output
    assert output.rstrip().endswith("Done in 2.5 s: 1 ran.")
    assert "\x1b" not in output


def test_announce_tells_the_last_run_in_sentences(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_has_terminal", lambda: True)  # it opens no dashboard even so
    record(project, "20261101-101500-0001")
    record(project, RUN)
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Build started; 1 stage to run.",
        "Stage train of lint started.",
        "Stage train of lint finished after 2 seconds; loss 0.5.",
        "Build finished after 2 seconds; 1 stage ran.",
    ]


def test_announce_joins_a_running_build_and_ends_with_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(project, RUN, finished=False)

    def end(seconds: float) -> None:
        log = EventLog(runs.log_path(project, RUN), RUN)
        log.emit("stage.failed", stage="lint:train", message="no \x1b[31mmemory left")
        log.emit("build.finished", ran=[], failed=["lint:train"], seconds=62.0, exit_code=1)
        log.close()

    monkeypatch.setattr(ui.time, "sleep", end)
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out.splitlines() == [
        "The build is running. Of 1 stage, 0 are done.",
        "Stage train of lint is running.",
        "Stage train of lint failed: no ␛[31mmemory left.",
        "Build failed after 1 minute 2 seconds: stage train of lint failed.",
    ]


def test_announce_leaves_quietly_and_says_where_there_is_nothing_or_no_process(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out == "No build has run here yet. The command fgbuild build starts one.\n"
    record(project, RUN, finished=False)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ui.time, "sleep", interrupt)
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Stage train of lint is running."
    monkeypatch.setattr(runs, "is_alive", lambda *_: False)
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "The build process is gone. Finished stages stay finished."


def test_announce_tells_what_was_written_while_the_process_ended(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(project, RUN, finished=False)

    def ends(*_: object) -> bool:
        log = EventLog(runs.log_path(project, RUN), RUN)
        log.emit("build.finished", ran=[], failed=[], seconds=62.0, exit_code=130)
        log.close()
        return False

    monkeypatch.setattr(runs, "is_alive", ends)
    assert show(project, "--announce") == 0
    *_, before, last = capsys.readouterr().out.splitlines()
    assert before == "Stage train of lint started."
    assert last.startswith("Build ")


def test_announce_waits_for_a_build_that_is_being_prepared(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    EventLog(runs.log_path(project, RUN), RUN).close()
    slept = []

    def begin(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            record(project, RUN)

    monkeypatch.setattr(ui.time, "sleep", begin)
    with TreeLock(Paths(project).lock):
        assert show(project, "--announce") == 0
    assert len(slept) == 2
    assert capsys.readouterr().out.splitlines() == [
        "The build is being prepared.",
        "Build started; 1 stage to run.",
        "Stage train of lint started.",
        "Stage train of lint finished after 2 seconds; loss 0.5.",
        "Build finished after 2 seconds; 1 stage ran.",
    ]


def test_announce_does_not_wait_for_a_build_that_ended_before_it_began(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    EventLog(runs.log_path(project, RUN), RUN).close()
    with TreeLock(Paths(project).lock):
        pass
    monkeypatch.setattr(runs, "is_alive", lambda *_: False)
    assert show(project, "--announce") == 0
    assert capsys.readouterr().out == "The build process is gone. Finished stages stay finished.\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("token", [True, False])
def test_served_to_everyone_it_warns_and_says_an_address_that_can_be_reached(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, host: str, token: bool
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    monkeypatch.setattr(DashboardServer, "run", lambda self: self.socket.close())
    assert show(project, "--serve", "--host", host, *([] if token else ["--no-token"])) == 0
    output, errors = capsys.readouterr()
    shown = host if host == "127.0.0.1" else socket.gethostname()
    assert output.startswith(f"http://{shown}:")
    assert ("?token=" in output) == token
    assert ("warning: without a token" in errors) == (host == "0.0.0.0" and not token)


def test_a_running_build_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(project, RUN, finished=False)
    assert show(project) == 0
    assert "Still running: lint:train." in capsys.readouterr().out


def test_with_ci_set_a_terminal_gets_the_summary_too(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(project, RUN)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("CI", "true")
    assert show(project) == 0
    assert "Done in 2.5 s" in capsys.readouterr().out


def test_before_the_first_run_it_says_what_to_do(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(project) == 0
    assert capsys.readouterr().out == "No build has run here yet; `fgbuild build` starts one.\n"


def test_a_past_run_by_the_start_of_its_id(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(project, "20261101-101500-0001")
    record(project, RUN)
    assert show(project, "--replay", "20261101") == 0
    assert "20261101-101500-0001" in capsys.readouterr().out


@pytest.mark.parametrize("wanted", ["20261231", "2026", "../runs"])
def test_a_run_that_is_not_there_or_not_the_only_one(project: Path, wanted: str) -> None:
    record(project, "20261101-101500-0001")
    record(project, RUN)
    with pytest.raises(FgbuildError, match="runs"):
        show(project, "--replay", wanted)


def test_the_project_is_found_from_below(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project / "manifests"
    below.mkdir()
    monkeypatch.chdir(below)
    assert show(None) == 0


def test_outside_a_project_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FgbuildError, match=r"fgbuild\.toml"):
        show(None)


def test_the_build_it_starts_finds_fgbuild_and_not_the_projects_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (project / "json.py").write_text("raise SystemExit(9)")
    assert ProjectDesk(project).build((), Variant()).wait() == 2
    assert "fgbuild.toml: " in last_line(project)


def test_the_desk_knows_a_domains_tools(project: Path) -> None:
    for name in ("fgbuild.toml", "fgbuild.lock"):
        shutil.copy(REPOSITORY / name, project)
    shutil.copytree(REPOSITORY / "manifests", project / "manifests")
    tools = ProjectDesk(project).tools("lint", Variant())
    assert "run_ruff" in [tool["name"] for tool in tools]
    with pytest.raises(FgbuildError, match="no manifest of gone"):
        ProjectDesk(project).tools("gone", Variant())


class Terminal:
    """`fgbuild ui` on a pseudo-terminal of 80×24 cells; use as a context manager, which leaves neither behind."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        hidden = ("CI", "NO_COLOR")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-P", "-m", "fgbuild", "--root", str(root), "ui", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.output = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def read_until(self, *wanted: bytes, seconds: float = 20.0) -> None:
        """Read until all of `wanted` was shown; b"" waits for the end."""
        deadline = time.monotonic() + seconds
        while not all(part and part in self.output for part in wanted):
            assert time.monotonic() < deadline, self.output[-2000:]
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    chunk = os.read(self.master, 65536)
                except OSError:  # the other end is closed
                    return
                self.output += chunk


@pytest.mark.parametrize("way", ["q", signal.SIGTERM, signal.SIGHUP])
def test_every_way_out_restores_the_terminal(project: Path, way: str | signal.Signals) -> None:
    record(project, RUN)
    with Terminal(project) as terminal:
        terminal.read_until(b"\x1b[?1049h", b"Done in 2.5 s", b"Help")
        if isinstance(way, str):
            os.write(terminal.master, way.encode())
        else:
            terminal.process.send_signal(way)
        terminal.read_until(b"")
        code = terminal.process.wait(10)
    assert code == (0 if isinstance(way, str) else 128 + way)
    assert b"\x1b[?1049l" in terminal.output  # left the alternate screen
    assert b"\x1b[?25h" in terminal.output  # cursor shown again
    for mode in (b"1000", b"1003", b"1006"):  # mouse reporting off
        assert terminal.output.rfind(b"\x1b[?" + mode + b"l") > terminal.output.rfind(b"\x1b[?" + mode + b"h")


def test_it_ends_when_its_terminal_is_closed(project: Path) -> None:
    record(project, RUN)
    with Terminal(project) as terminal:
        terminal.read_until(b"\x1b[?1049h", b"Done in 2.5 s", b"Help")
        terminal.close()
        assert terminal.process.wait(10) == 128 + signal.SIGHUP


def test_inline_it_stays_below_the_prompt(project: Path) -> None:
    record(project, RUN)
    with Terminal(project, "--inline") as terminal:
        terminal.read_until(b"Done in 2.5 s", b"Help")
        os.write(terminal.master, b"q")
        terminal.read_until(b"")
        assert terminal.process.wait(10) == 0
    assert b"\x1b[?1049h" not in terminal.output  # never left the screen that the shell is on


def test_a_theme_that_is_not_there_is_named(project: Path) -> None:
    with Terminal(project, "--theme", "no-such-theme") as terminal:
        terminal.read_until(b"--theme: there is no 'no-such-theme'; choose from light, dark, ")
        assert terminal.process.wait(10) == 2


def test_a_light_theme_is_light(project: Path) -> None:
    record(project, RUN)
    with Terminal(project, "--theme", "light") as terminal:
        terminal.read_until(b"Done in 2.5 s", b"Help")
        os.write(terminal.master, b"q")
        terminal.read_until(b"")
        assert terminal.process.wait(10) == 0
    grounds = [int(red) for red in re.findall(rb"48;2;(\d+);", terminal.output)] or [
        255 if 230 < int(number) < 256 or int(number) in (7, 15) else 0
        for number in re.findall(rb"48;5;(\d+)", terminal.output)
    ]
    assert sum(ground > 180 for ground in grounds) > len(grounds) / 2
