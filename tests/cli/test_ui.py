from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
from pathlib import Path

import pytest
from recorded_run import RUN, record
from terminal_driver import REPOSITORY, Terminal

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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fgbuild.toml").write_text("")
    return tmp_path


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


def test_inline_it_stays_below_the_prompt(project: Path) -> None:
    record(project, RUN)
    with Terminal(project, "ui", "--inline") as terminal:
        terminal.shows("Done in 2.5 s", "Help")
        terminal.press(b"q")
        assert terminal.exit_code() == 0
        terminal.assert_restored()
    assert b"\x1b[?1049h" not in terminal.output  # never left the screen that the shell is on


def test_a_theme_that_is_not_there_is_named(project: Path) -> None:
    with Terminal(project, "ui", "--theme", "no-such-theme") as terminal:
        assert terminal.exit_code() == 2
        assert "--theme: there is no 'no-such-theme'; choose from light, dark, " in terminal.afterwards


def test_a_light_theme_is_light(project: Path) -> None:
    record(project, RUN)
    with Terminal(project, "ui", "--theme", "light") as terminal:
        terminal.shows("Done in 2.5 s", "Help")
        terminal.press(b"q")
        assert terminal.exit_code() == 0
    grounds = [int(red) for red in re.findall(rb"48;2;(\d+);", terminal.output)] or [
        255 if 230 < int(number) < 256 or int(number) in (7, 15) else 0
        for number in re.findall(rb"48;5;(\d+)", terminal.output)
    ]
    assert sum(ground > 180 for ground in grounds) > len(grounds) / 2
