from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from textual.screen import Screen
from tui_sample import SIZES, dashboard, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import threads
from fgbuild.views.tui.threads import ask, in_thread

LASTING = """
import time
from textual.app import App
from fgbuild.views.tui.threads import ask

class Lasting(App):
    def on_mount(self):
        ask(self, lambda unwanted: time.sleep(120), print, print, group="x")
        self.set_timer(0.1, self.exit)

Lasting().run(headless=True)
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FgbuildError("lint has no GGUF; build it\x1b[2J"), "lint has no GGUF; build it␛[2J"),
        (OSError(28, "No space left on device", "cache/x"), "cache/x: No space left on device; put that right"),
        (sqlite3.OperationalError("database is locked"), "OperationalError: database is locked); try again."),
    ],
)
def test_every_error_is_a_sentence(error: Exception, words: str) -> None:
    assert words in threads.sentence(error)


async def test_what_comes_of_it_is_told(tmp_path: Path) -> None:
    told: list[object] = []
    app = dashboard(tmp_path)

    def fails(_: object) -> None:
        raise KeyError("x")

    async with app.run_test(size=SIZES[0]) as pilot:
        ask(app, lambda unwanted: unwanted(), told.append, told.append, group="a")
        await wait_for(pilot, lambda: told == [False])
        ask(app, fails, told.append, told.append, group="a")
        await wait_for(pilot, lambda: len(told) == 2)
    assert "KeyError: 'x'" in str(told[1])


async def test_later_work_takes_the_place_of_earlier(tmp_path: Path) -> None:
    told: list[str] = []
    app = dashboard(tmp_path)
    given_up = threading.Event()

    def lasting(unwanted: threads.Unwanted) -> str:
        while not unwanted():
            given_up.wait(0.01)
        given_up.set()
        return "first"

    async with app.run_test(size=SIZES[0]) as pilot:
        ask(app, lasting, told.append, told.append, group="a")
        await pilot.pause()
        ask(app, lambda unwanted: "second", told.append, told.append, group="a")
        await wait_for(pilot, lambda: given_up.is_set() and bool(told))
        await pilot.pause(0.05)
    assert told == ["second"]


async def test_a_screen_that_is_closed_hears_nothing_more(tmp_path: Path) -> None:
    told: list[object] = []
    app = dashboard(tmp_path)
    go_on, given_up = threading.Event(), threading.Event()

    def work(unwanted: threads.Unwanted) -> None:
        go_on.wait(20)
        while not unwanted():
            go_on.wait(0.01)
        given_up.set()

    async with app.run_test(size=SIZES[0]) as pilot:
        screen: Screen[None] = Screen()
        await app.push_screen(screen)
        ask(screen, work, told.append, told.append, group="a")
        await pilot.pause()
        app.pop_screen()
        go_on.set()
        await wait_for(pilot, given_up.is_set)
        await pilot.pause(0.05)
    assert told == []


def test_the_end_does_not_wait_for_what_cannot_be_stopped() -> None:
    subprocess.run([sys.executable, "-c", LASTING], check=True, timeout=30, capture_output=True)


async def test_it_gives_or_raises_what_the_work_does() -> None:
    assert await in_thread(lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


def test_the_end_does_not_wait_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    release, done = threading.Event(), threading.Event()
    too_long = threading.Timer(20.0, release.set)
    too_long.start()

    def work() -> None:
        release.wait()
        done.set()

    async def leave() -> None:
        asked = asyncio.ensure_future(in_thread(work))
        await asyncio.sleep(0)
        asked.cancel()

    try:
        asyncio.run(leave())
        assert not release.is_set()
    finally:
        too_long.cancel()
        release.set()
    assert done.wait(20.0)
    assert capfd.readouterr().err == ""  # that nobody takes its result is no error
