from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from tui_sample import (
    AT_BOTH_SIZES,
    LATER_RUN,
    SIZES,
    begun_now,
    dashboard,
    notices_of,
    screen_of,
    shows,
    two_trainings,
    wait_for,
)

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import actions, stopping
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui.stopping import StopDialog


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.05)
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.02)


def asked(app: Any, what: str) -> list[tuple[Any, ...]]:
    return [each for each in app.desk.asked if each[0] == what]


def told(app: Any) -> list[str]:
    """The notices that are shown."""
    return [notice.message for notice in app._notifications]


@pytest.mark.parametrize(
    ("chosen", "domains", "until"), [("lint:train", ("lint",), "train"), ("base", (), "base")], ids=["domain", "base"]
)
async def test_b_builds_up_to_the_chosen_stage(
    tmp_path: Path, chosen: str, domains: tuple[str, ...], until: str
) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✗ failed")
        app.selected = chosen
        told = notices_of(app)
        await pilot.press("b")
        await wait_for(pilot, lambda: any("Build started" in notice for notice in told))
    assert asked(app, "build") == [("build", domains, until)]
    app.desk.started[0].wait()


async def test_b_says_when_there_is_no_stage(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "No build has run here yet.")
        await pilot.press("b")
        await shows(pilot, "No build has shown any stage yet")
    assert asked(app, "build") == []


async def test_b_says_when_everything_is_up_to_date(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, code="print('5 stages up to date (0.10 s)')")
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        app.selected = "lint:eval"
        await pilot.press("b")
        await shows(pilot, "5 stages up to date (0.10 s)")


@AT_BOTH_SIZES
@pytest.mark.parametrize(
    ("keys", "stage"),
    [
        (("s",), "lint:train"),
        (("a",), None),
        (("up", "enter"), None),
        (("up", "up", "enter"), "lint:train"),
    ],
)
async def test_x_stops_what_is_decided(
    tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...], stage: str | None
) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "● running")
        app.selected = "lint:train"
        await pilot.press("x")
        await shows(pilot, "s    Stop lint:train", "a    Stop the whole build", "Esc  Go on", "last checkpoint")
        await pilot.press(*keys)
        await shows(pilot, "Asked the build to stop")
        assert not isinstance(app.screen, StopDialog)
    assert asked(app, "cancel") == [("cancel", sample.RUN, stage)]


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_x_and_then_go_on_stops_nothing(tmp_path: Path, key: str) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "● running")
        await pilot.press("x")
        await shows(pilot, "Go on")
        await pilot.press(key)
        await wait_for(pilot, lambda: not isinstance(app.screen, StopDialog))
    assert asked(app, "cancel") == []


async def test_the_dialog_can_be_clicked(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "● running")
        await pilot.press("x")
        await shows(pilot, "Stop the whole build")
        await pilot.click("OptionList", offset=(8, 1))
        await wait_for(pilot, lambda: asked(app, "cancel") == [("cancel", sample.RUN, None)])


async def test_of_several_that_run_the_chosen_one_is_offered_alone(tmp_path: Path) -> None:
    sample.write_log(tmp_path, two_trainings(3).events)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "● running")
        app.selected = "lint:eval"
        await pilot.press("x")
        screen = await shows(pilot, "choose it first: lint:train,")
        assert "Stop lint" not in screen
        await pilot.press("s")  # no stage is offered alone
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(app.screen, StopDialog))
        app.selected = "test:train"
        await pilot.press("x")
        await shows(pilot, "Stop test:train", "lint:train would go on")
        await pilot.press("escape")
    assert asked(app, "cancel") == []


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ([{"kind": "stage.finished", "stage": "lint:train", "seconds": 9.0, "action": "run"}], "lint:train has ended"),
        ([{"kind": "build.finished", "ran": ["lint:train"], "exit_code": 0}], "The build has ended"),
    ],
    ids=["stage", "build"],
)
async def test_the_dialog_closes_when_what_it_would_stop_has_ended(
    tmp_path: Path, ending: list[dict[str, Any]], said: str
) -> None:
    sample.write_log(tmp_path, two_trainings(3).events)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[1], notifications=True) as pilot:
        await shows(pilot, "● running")
        app.selected = "lint:train"
        await pilot.press("x")
        await shows(pilot, "Stop lint:train")
        sample.write_log(tmp_path, [{"v": 1, "t": time.time(), "run": sample.RUN, **event} for event in ending])
        await shows(pilot, said, "nothing was stopped")
        assert not isinstance(app.screen, StopDialog)
    assert asked(app, "cancel") == []


async def test_the_dialog_stays_when_another_stage_ends(tmp_path: Path) -> None:
    recorder = two_trainings(3)
    sample.write_log(tmp_path, recorder.events)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[1]) as pilot:
        await shows(pilot, "● running")
        app.selected = "lint:train"
        await pilot.press("x")
        await shows(pilot, "Stop lint:train", "test:train would go on")
        recorder.events.clear()
        recorder.emit("stage.finished", stage="test:train", seconds=9.0, action="run")
        sample.write_log(tmp_path, recorder.events)
        await wait_for(pilot, lambda: "test:train would go on" not in screen_of(app))
        await shows(pilot, "Stop lint:train")
        await pilot.press("s")
        await wait_for(pilot, lambda: asked(app, "cancel") == [("cancel", sample.RUN, "lint:train")])


async def test_what_cannot_be_stopped_is_a_sentence(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path, refuses=FgbuildError("lint:train has nothing to stop: it is done [/x]"))
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "● running")
        await pilot.press("x")
        await shows(pilot, "Stop the whole build")
        await pilot.press("a")
        await shows(pilot, "lint:train has nothing to stop:", "[/x]")


@pytest.mark.parametrize("keys", [("x", "a"), ("o",)])
async def test_an_error_that_nobody_expected_is_a_sentence(tmp_path: Path, keys: tuple[str, ...]) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path, refuses=sqlite3.OperationalError("database is locked"))
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "● running")
        for key in keys:
            await pilot.press(key)
        await wait_for(pilot, lambda: any("database is locked" in toast.message for toast in app._notifications))


async def test_x_says_when_no_build_runs(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        await pilot.press("x")
        screen = await shows(pilot, "nothing to stop")
        assert "r goes to" not in screen


async def test_beside_an_older_run_it_says_that_a_build_runs(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    sample.write_log(tmp_path, begun_now(), LATER_RUN)
    app = dashboard(tmp_path, sample.RUN)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, sample.RUN, "✗ failed  a build runs (r)")
        await pilot.press("x")
        words = "This build does not run, so there is nothing to stop; r goes to the one that does."
        await wait_for(pilot, lambda: words in told(app))
        await pilot.press("B")
        await shows(pilot, "A build is already running.")
        await pilot.press("r")
        await shows(pilot, LATER_RUN, "● running")
        assert "a build runs" not in screen_of(app)
    assert asked(app, "build") == []


async def test_a_build_that_ends_meanwhile_is_not_said_to_run(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    sample.write_log(tmp_path, begun_now(), LATER_RUN)
    async with dashboard(tmp_path, sample.RUN).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "a build runs (r)")
        sample.write_log(tmp_path, sample.failed_run()[-1:], LATER_RUN)
        await shows(pilot, "not the latest (r)")


async def test_ctrl_c_names_the_key_that_quits_here(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        await pilot.press("ctrl+c")
        await wait_for(pilot, lambda: told(app) == ["q closes the dashboard; a build goes on."])
        await pilot.press("p")
        await shows(pilot, "Ask lint")
        await pilot.press("ctrl+c")
        await wait_for(pilot, lambda: "ctrl+q closes the dashboard; a build goes on." in told(app))


@pytest.mark.parametrize(
    ("display", "opens", "words"),
    [
        (True, True, ("The report is in", "report.html.")),
        (True, False, ("No browser could be started; open",)),
        (False, True, ("there is no display to open it on.",)),
    ],
)
async def test_o_writes_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, display: bool, opens: bool, words: tuple[str, ...]
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(actions, "has_display", lambda: display)
    monkeypatch.setattr(actions, "open_page", lambda path: bool(opened.append(path)) or opens)
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await shows(pilot, "✓ done")
        told = notices_of(app)
        await pilot.press("o")
        await wait_for(pilot, lambda: len(told) == 2)
        assert told[0] == "Writing the report…"
        assert all(word in told[1] for word in words)
    assert asked(app, "report") == [("report", sample.RUN)]
    assert opened == ([tmp_path / "report.html"] if display else [])


async def test_o_says_why_there_is_no_report(tmp_path: Path) -> None:
    app = dashboard(tmp_path, refuses=FgbuildError("the store is gone; build again"))
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await pilot.press("o")
        await shows(pilot, "nothing to report")
        sample.write_log(tmp_path, sample.whole_run())
        await shows(pilot, "✓ done")
        await pilot.press("o")
        await shows(pilot, "the store is gone; build again")


@pytest.mark.parametrize(("browser", "works"), [("true", True), ("false", False)])
def test_a_browser_is_started_without_this_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: str, works: bool
) -> None:
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert actions.open_page(tmp_path / "report.html") is works


def test_a_browser_that_lasts_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = tmp_path / "ended"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nsleep 2\nprintf . > {ended}\n")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setattr(actions, "_BROWSER_SECONDS", 0.2)
    assert actions.open_page(tmp_path / "report.html")
    assert not ended.exists()
    deadline = time.monotonic() + 30
    while not ended.exists():  # nor ended
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_display_is_known_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not actions.has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert actions.has_display()
