"""The dashboard as a user has it: on a terminal, with keys, over a real build on the tiny base; the run replayed."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lived_build import MANIFEST, OTHER_SIZE, SIZE, STAGES, Lived, finished, live
from recorded_run import RUN, record
from terminal_driver import CTRL_C, MODERN, PLAIN, Terminal
from toy_domain import write_project

from fgbuild.cli import main
from fgbuild.views.tui.crash import crash_path
from fgbuild.views.tui.launch import output_path

DONE = r" +✓ done [\d.]+ m?s"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    root = write_project(tmp_path_factory.mktemp("lived"), steps=6, thresholds=MANIFEST, asked=())
    with live(root) as lived:
        yield lived


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A project with a run that is over."""
    (tmp_path / "fgbuild.toml").write_text("")
    record(tmp_path, RUN)
    return tmp_path


def test_the_first_build_begins_with_a_key(lived: Lived) -> None:
    assert "Press B to build every domain" in lived.screens["empty"]
    begun = lived.screens["training"]
    assert "3/7 stages" in begun
    assert re.search(rf"toy{DONE * 2} +● running +○ waiting +○ waiting +○ waiting", begun)


def test_the_views_show_the_stage_that_runs(lived: Lived) -> None:
    assert re.search(r"\d\d:\d\d:\d\d  started +because never built", lived.screens["log"])
    assert re.search(r"It runs since .*, because\s+never built", lived.screens["why"])
    assert 'summary = "Turn devices on and off"' in lived.screens["manifest"]


@pytest.mark.parametrize(("name", "size"), [("small", OTHER_SIZE), ("large", SIZE)])
def test_another_size_is_drawn_anew(lived: Lived, name: str, size: tuple[int, int]) -> None:
    lines = lived.screens[name].split("\n")
    columns, rows = size
    assert len(lines) == rows
    boxes = [line for line in lines if line.startswith(("╭", "╰"))]
    assert [len(line) for line in boxes] == [columns, columns]
    assert all(line.endswith(("╮", "╯")) for line in boxes)


def test_a_killed_worker_is_said_and_the_dashboard_goes_on(lived: Lived) -> None:
    told = lived.screens["crashed"]
    assert re.search(rf"toy{DONE * 3} +✗ failed +○ not run +○ not run", told)
    assert "✗ toy:export  the worker was killed by SIGKILL" in told
    failed = [event["stage"] for event in lived.events(lived.first) if event["kind"] == "stage.failed"]
    assert failed == ["toy:export"]
    assert finished(lived.events(lived.first)).keys() == {*STAGES[:4]}


def test_the_key_tries_again_and_keeps_what_is_done(lived: Lived) -> None:
    assert lived.second > lived.first
    assert re.search(r"toy +≡ current +≡ current +≡ current +● running +○ waiting +○ waiting", lived.screens["again"])
    started = [event["stage"] for event in lived.events(lived.second) if event["kind"] == "stage.started"]
    assert started == [*STAGES[4:]]


def test_the_build_goes_on_without_a_dashboard_and_ends(lived: Lived) -> None:
    assert lived.goodbye == f"The build goes on (run {lived.second}); `fgbuild` shows it again."
    *_, last = lived.events(lived.second)
    assert (last["kind"], last["exit_code"], last["ran"]) == ("build.finished", 0, list(STAGES[4:]))
    shown = lived.screens["end"]
    assert re.search(rf"toy +≡ current +≡ current +≡ current{DONE * 3}", shown)
    assert "4 up to date" in shown


def test_a_replay_shows_what_the_live_build_showed(lived: Lived) -> None:
    with Terminal(lived.root, "ui", "--replay", lived.second, size=SIZE) as terminal:
        terminal.becomes(lived.screens["end"])
        terminal.press(b"q")
        assert terminal.exit_code() == 0
    with Terminal(lived.root, "ui", "--replay", lived.first, size=SIZE) as terminal:
        replayed = terminal.shows("Failed in", "4/7 stages", "Help", "not the latest (r)", "◆ eval")
        assert replayed.split("\n")[1:6] == lived.screens["crashed"].split("\n")[1:6]
        losses = [event["eval_loss"] for event in lived.events(lived.first) if "eval_loss" in event]
        for screen in (replayed, lived.screens["crashed"]):
            assert f"◆ eval {losses[-1]:.3g}" in screen


def test_the_log_is_printed_as_the_live_build_printed_it(lived: Lived, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(lived.root), "log", lived.second]) == 0
    printed = capsys.readouterr().out
    assert printed == output_path(lived.root).read_text("utf-8")
    assert re.search(r"toy:eval +finished ", printed)


def _quit(terminal: Terminal) -> None:
    terminal.press(b"q")


def _interrupt_and_quit(terminal: Terminal) -> None:
    """Ctrl-C quits nothing, and says what does."""
    terminal.press(CTRL_C)
    terminal.shows("q closes the dashboard")
    terminal.press(b"q")


@pytest.mark.parametrize(("leave", "answers"), [(_quit, MODERN), (_interrupt_and_quit, PLAIN)], ids=["q", "ctrl-c"])
def test_quitting_restores_the_terminal(
    recorded: Path, leave: Callable[[Terminal], None], answers: dict[bytes, bytes]
) -> None:
    with Terminal(recorded, answers=answers) as terminal:
        terminal.shows("Done in 2.5 s", "Help")
        leave(terminal)
        assert terminal.exit_code() == 0
        terminal.assert_restored()
        assert terminal.afterwards == ""


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGTERM, "shown"),
        (signal.SIGHUP, "shown"),
        (signal.SIGINT, "shown"),
        (signal.SIGTERM, "starting"),
        (signal.SIGINT, "starting"),
    ],
)
def test_a_signal_restores_the_terminal(recorded: Path, number: signal.Signals, moment: str) -> None:
    with Terminal(recorded) as terminal:
        if moment == "shown":
            terminal.shows("Done in 2.5 s", "Help")
        else:
            terminal.read_until(b"\x1b[?1049h")
        terminal.signal(number)
        assert terminal.exit_code() == 128 + number
        terminal.assert_restored()
        assert terminal.afterwards == ""


@pytest.mark.parametrize("owned", [True, False])
def test_it_ends_when_its_terminal_is_closed(tmp_path: Path, owned: bool) -> None:
    """Also with a build that goes on, of which it cannot tell anybody."""
    (tmp_path / "fgbuild.toml").write_text("")
    record(tmp_path, RUN, finished=False)
    with Terminal(tmp_path, owned=owned) as terminal:
        terminal.shows("● running", "Help")
        terminal.close()
        assert terminal.exit_code() == 128 + signal.SIGHUP


BROKEN = """
from fgbuild.views.tui import overview, why

def broken(*_):
    raise RuntimeError("out of ideas\\x1b[2J")

{place} = broken
from fgbuild.cli import entry
entry()
"""


@pytest.mark.parametrize(
    ("place", "keys"),
    [("why.WhyView.draw", b"w"), ("overview.Overview.body", b"")],
    ids=["drawing", "starting"],
)
def test_an_error_of_our_own_is_one_sentence(recorded: Path, place: str, keys: bytes) -> None:
    with Terminal(recorded, code=BROKEN.format(place=place)) as terminal:
        if keys:
            terminal.shows("Done in 2.5 s", "Help")
            terminal.press(keys)
        assert terminal.exit_code() == 1
        terminal.assert_restored()
        assert terminal.afterwards == (
            "error: the dashboard failed unexpectedly (RuntimeError: out of ideas␛[2J); "
            "`fgbuild` opens it again, and cache/ui/crash.log says where it failed"
        )
    assert crash_path(recorded).read_text("utf-8").rstrip().endswith("RuntimeError: out of ideas\x1b[2J")


def test_a_terminal_that_takes_nothing_more_does_not_keep_it(recorded: Path) -> None:
    patience = "from fgbuild.views.tui import terminal; terminal._PATIENCE_SECONDS = 0.5\n"
    with Terminal(recorded, code=patience + "from fgbuild.cli import entry; entry()") as terminal:
        terminal.shows("Done in 2.5 s", "Help")
        terminal.fill()
        terminal.signal(signal.SIGTERM)
        assert terminal.exit_code(drain=False) == 128 + signal.SIGTERM
        terminal.assert_settings_restored()
