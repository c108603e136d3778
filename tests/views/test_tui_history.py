from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
import views_sample as sample
from runs_sample import FAILED_RUN, GOING_RUN, write_runs
from tui_sample import AT_BOTH_SIZES, LATER_RUN, SIZES, begun_now, dashboard, screen_of, shows, unanswered, wait_for

from fgbuild.views import runs
from fgbuild.views.tui import history
from fgbuild.views.tui.compare import CompareView
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.view import NO_RUN


@AT_BOTH_SIZES
async def test_runs_are_listed_newest_first_with_what_they_came_to(tmp_path: Path, size: tuple[int, int]) -> None:
    write_runs(tmp_path)
    sample.write_log(tmp_path, begun_now(), GOING_RUN)
    app = dashboard(tmp_path, sample.RUN)
    async with app.run_test(size=size) as pilot:
        await pilot.press("h")
        screen = await shows(pilot, "● running", "✗ failed", f"▸ {sample.RUN}", "0/0/1", "4/0/0")
        rows = [line for line in screen.splitlines()[2:] if "202611" in line and "began" not in line]
        assert [row[2:22] for row in rows] == [GOING_RUN, LATER_RUN, sample.RUN, FAILED_RUN]
        assert "✓ done" in rows[1]
        assert "8m 10s" in rows[1]
        assert "lint 98%" in rows[1]
        assert ("embedded default" in rows[1]) == (size[0] == 120)
        assert ("fgbuild build --all" in rows[1]) == (size[0] == 120)
        assert "base embedded  profile default" in screen
        assert ("ran/restored/failed" in screen) == (size[0] == 120)
        assert "4 ran, 0 restored from the store, 0 failed · right tools: lint 98%" in screen
        assert "fgbuild build --all" in screen
        assert {len(line) for line in screen.splitlines()} == {size[0]}


async def test_a_run_without_a_profile_names_none(tmp_path: Path) -> None:
    events = sample.whole_run()
    events[0]["profile"] = ""
    sample.write_log(tmp_path, events)
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("h")
        screen = await shows(pilot, "began", "base embedded")
        assert "profile" not in screen


@AT_BOTH_SIZES
async def test_enter_shows_a_run_on_the_overview(tmp_path: Path, size: tuple[int, int]) -> None:
    write_runs(tmp_path)
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("h")
        await shows(pilot, f"▸ {LATER_RUN}", "✗ failed")
        await pilot.press("down", "down", "up", "down", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Overview))
        await shows(pilot, FAILED_RUN, "✗ failed")
        assert not app.feed.follow
        await pilot.press("h")
        await shows(pilot, f"▸ {FAILED_RUN}")
        await pilot.press("pageup", "enter")
        await shows(pilot, LATER_RUN)
        assert app.feed.follow


async def test_page_keys_and_the_ends_of_the_list(tmp_path: Path) -> None:
    for number in range(40):
        sample.write_log(tmp_path, sample.failed_run(), f"20261101-0000{number:02d}-0000")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.press("h")
        await shows(pilot, "▸ 20261101-000039-0000")
        await pilot.press("pagedown")
        await shows(pilot, "▸ 20261101-000029-0000")
        await pilot.press(*["pagedown"] * 4)
        await shows(pilot, "▸ 20261101-000000-0000")
        assert "20261101-000039" not in "\n".join(screen_of(app).splitlines()[1:])
        await pilot.press("pageup", "up")
        await shows(pilot, "▸ 20261101-000011-0000")


@AT_BOTH_SIZES
async def test_space_marks_two_at_most_and_c_compares(tmp_path: Path, size: tuple[int, int]) -> None:
    write_runs(tmp_path)
    app = dashboard(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("h")
        await shows(pilot, "✗ failed")
        await pilot.press("c")
        await shows(pilot, "Mark a run with space")
        await pilot.press("space", "down", "space", "down", "space")
        await shows(pilot, f" *{sample.RUN}", f"▸*{FAILED_RUN}", f"  {LATER_RUN}")
        await pilot.press("space")
        await shows(pilot, f"▸ {FAILED_RUN}", f" *{sample.RUN}")
        await pilot.press("up", "up", "c")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareView))
        await shows(pilot, f"A {sample.RUN}", f"B {LATER_RUN}")  # the earlier one is the first


async def test_a_run_that_begins_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "REFRESH_SECONDS", 0.05)
    write_runs(tmp_path)
    async with dashboard(tmp_path, sample.RUN).run_test(size=SIZES[0]) as pilot:
        await pilot.press("h")
        await shows(pilot, LATER_RUN)
        sample.write_log(tmp_path, begun_now(), GOING_RUN)
        await shows(pilot, GOING_RUN, "● running")


async def test_summaries_that_take_long_do_not_hold_up_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, real = threading.Event(), runs.summarise

    def slow(root: Path, run: str) -> runs.RunSummary:
        gate.wait(8)
        return real(root, run)

    monkeypatch.setattr(runs, "summarise", slow)
    write_runs(tmp_path)
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("h")
        await shows(pilot, "reading …")
        await pilot.press("down")
        await shows(pilot, f"▸ {sample.RUN}")
        gate.set()
        await shows(pilot, "✓ done", "✗ failed")


def test_the_end_does_not_wait_for_summaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_runs(tmp_path)

    async def use() -> None:
        async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
            await pilot.press("h")
            await shows(pilot, "reading …")

    with unanswered() as answer:
        monkeypatch.setattr(runs, "summarise", lambda root, run: runs.RunSummary(run) if answer.wait() else None)
        asyncio.run(use())


async def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("h")
        await shows(pilot, NO_RUN)
        await pilot.press("down", "enter", "space")
        await pilot.press("escape")
        await shows(pilot, "Press B to build every domain, or")


async def test_hostile_text_of_a_log_is_inert(tmp_path: Path) -> None:
    recorder = sample.Recorder()
    recorder.emit("run.started", command="\x1b[2J[red]", base="[/nothing]\u202e", stages=[])
    recorder.emit("stage.result", stage="\x1b[1m:eval", summary={"tool_accuracy": 0.5})
    recorder.emit("build.finished", exit_code=0, seconds=1.0)
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=SIZES[1]) as pilot:
        await pilot.press("h")
        screen = await shows(pilot, "␛[2J[red]", "[/nothing]")
        assert not set(screen) & set("\x1b\u202e")
