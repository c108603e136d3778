from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from textual.pilot import Pilot
from tui_sample import (
    AT_BOTH_SIZES,
    HOSTILE_OUTPUT,
    LATER_RUN,
    SIZES,
    begun_now,
    dashboard,
    notices_of,
    screen_of,
    shows,
    type_at_once,
    wait_for,
    write_output,
)

from fgbuild.events import encode
from fgbuild.views import runs
from fgbuild.views.lines import FileLines
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui import log as log_module
from fgbuild.views.tui.log import LogView
from fgbuild.views.tui.log_lines import LogLines
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.view import NO_RUN

TRAIN = "lint:train"


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.3)
    monkeypatch.setattr(log_module, "POLL_SECONDS", 0.05)


@asynccontextmanager
async def opened(
    root: Path, stage: str | None = TRAIN, size: tuple[int, int] = SIZES[0], *, output: bool = False
) -> AsyncIterator[tuple[Pilot[Any], LogLines]]:
    """The log view of that stage: its events, or what its worker printed."""
    app: Any = dashboard(root)
    app.notices = notices_of(app)
    async with app.run_test(size=size, notifications=True) as pilot:
        if runs.latest_run(root) is not None:
            await wait_for(pilot, lambda: app.feed.state.stages != {})
        app.selected = stage
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(app.screen, LogView) and bool(app.screen.query(LogLines)))
        await shows(pilot, "Tab Output")
        if output:
            await pilot.press("tab")
        yield pilot, app.screen.query_one(LogLines)


async def type_in(pilot: Pilot[Any], key: str, words: str) -> None:
    await pilot.press(key)
    await wait_for(pilot, lambda: pilot.app.focused is pilot.app.screen.query_one("#log-input"))
    pilot.app.screen.query_one("#log-input").value = words
    await pilot.press("enter")


async def told(pilot: Pilot[Any], words: str) -> None:
    """A notice with those words is or was shown."""
    await wait_for(pilot, lambda: any(words in notice for notice in pilot.app.notices))


def lines_on(screen: str) -> list[str]:
    """What `numbered` wrote, as it is on the screen."""
    return [row[:9] for row in screen.splitlines() if row.startswith("line ")]


def numbered(count: int, start: int = 0) -> str:
    return "".join(f"line {number:04d}\n" for number in range(start, start + count))


@AT_BOTH_SIZES
async def test_the_events_of_a_stage_in_words(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path, size=size) as (pilot, _):
        await shows(
            pilot, "lint:train · ✓ done · events", "finished   6m 41s · loss 0.01266 · peak 3.2 GB", "following"
        )
        await pilot.press("W")
        screen = await shows(pilot, "started    because")
        assert "started    because lora.r: 16 → 32 · about 6m 40s" in screen
        assert "note       fp32 on cpu, 3,796,992 trainable parameters" in screen
        assert "running    45 % · 18/40 steps · loss 0.05424" in screen
        assert "measured   eval loss 0.02925 · step 40" in screen
        assert "lint:export" not in screen
        await shows(pilot, "Tab Output", "/ Search", "& Filter")


async def test_checks_artifacts_and_results(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path, "lint:export", SIZES[1]) as (pilot, _):
        await shows(pilot, "wrote      agents/lint/models/lint_functiongemma_q8.gguf  291.5 MB (predicted")
        await pilot.press("right")
        await shows(pilot, "lint:verify", "check      size passed: 291.5", "finished   10 s · 5 of 5 checks passed")
        await pilot.press("right")
        await shows(pilot, "result     examples 40 · valid 100 % · tool 97.5 % · args 85 %")


async def test_a_failure_and_the_whole_build(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    async with opened(tmp_path, size=SIZES[1]) as (pilot, _):
        await pilot.press("left")
        await shows(
            pilot, "the whole build · events", "fgbuild build --all", "lint:train", "the loss is NaN at step 4;"
        )
        screen = await shows(
            pilot, "    lower the rate", f"exit code 1 · log: {sample.LOG_OF_FAILURE}", "Failed in 40 s"
        )
        assert screen.count("NaN") == 1
        assert "test:eval" not in screen  # had nothing to do
        await pilot.press("tab")
        await shows(pilot, "What workers print is kept stage by stage: → goes to the first")


@AT_BOTH_SIZES
async def test_tab_shows_what_the_worker_printed_and_back(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    write_output(tmp_path, "Loading weights\nTraceback: none\n")
    async with opened(tmp_path, size=size) as (pilot, _):
        await shows(pilot, "Tab: what its worker printed (32 bytes)")
        await pilot.press("tab")
        screen = await shows(
            pilot, "lint:train · ✓ done · what its worker printed", "Loading weights", "Traceback: none"
        )
        assert "started" not in screen
        await pilot.press("tab")
        await shows(pilot, "finished   6m 41s")


async def test_left_and_right_go_to_stages_that_did_something(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path, "lint:train") as (pilot, _):
        await pilot.press("left")
        await shows(pilot, " the whole build · events")
        assert pilot.app.selected is None
        await pilot.press("left")
        await told(pilot, "This is the first log.")
        for stage in ("lint:train", "lint:export", "lint:verify", "lint:eval"):
            await pilot.press("right")
            await shows(pilot, f" {stage} · ✓ done")
            assert pilot.app.selected == stage
        await pilot.press("right")
        await told(pilot, "This is the last stage that did something.")


@AT_BOTH_SIZES
async def test_following_stops_on_scrolling_up_and_end_takes_it_up_again(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    path = write_output(tmp_path, numbered(200))
    async with opened(tmp_path, size=size, output=True) as (pilot, _):
        await shows(pilot, "line 0199", "following")
        with path.open("a") as stream:
            stream.write(numbered(3, 200))
            stream.flush()
            await shows(pilot, "line 0202", "following")
            await pilot.press("up", "up")
            await shows(pilot, "of 203 · End follows")
            before = screen_of(pilot.app)
            assert "line 0202" not in before
            stream.write(numbered(12, 203))
            stream.flush()
            after = await shows(pilot, "12 new lines below · End follows")
            assert lines_on(after) == lines_on(before)  # it stayed where it was
            await pilot.press("end")
            await shows(pilot, "line 0214", "following")
            await pilot.press("pageup")
            await shows(pilot, "End follows")
            await pilot.press("F")
            await shows(pilot, "line 0214", "following")


async def test_only_lines_that_are_new_and_below_are_said_to_be(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    path = write_output(tmp_path, numbered(10))
    async with opened(tmp_path, output=True) as (pilot, rows):
        await shows(pilot, "line 0009", "following")
        for key in ("ampersand", "slash", "slash"):  # searched again, the filter finds as many lines as before
            await type_in(pilot, key, "0003")
            await shows(pilot, "only “0003”: 1 of 10")
        await shows(pilot, "lines 1–1 of 1 · End follows")
        assert rows.virtual_size.height == 1
        with path.open("a") as stream:
            stream.write("a new line 00031\n")
        await shows(pilot, "a new line", "lines 1–2 of 2 · End follows")  # new, and in sight
        with path.open("a") as stream:
            stream.write("".join(f"0003 {number}\n" for number in range(30)))
        below = 32 - rows.room.height
        await shows(pilot, f"{below} new lines below")
        await pilot.press("down")
        await shows(pilot, f"{below - 1} new lines below")


async def test_the_mouse_wheel_stops_following_too(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(200))
    async with opened(tmp_path, output=True) as (pilot, rows):
        await shows(pilot, "line 0199", "following")
        rows.scroll_relative(y=-3, animate=False)
        await shows(pilot, "of 200 · End follows")


async def test_scrolling_keys(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(200))
    async with opened(tmp_path, output=True) as (pilot, rows):
        await shows(pilot, "line 0199")
        await pilot.press("home")
        await shows(pilot, "line 0000", "lines 1–20 of 200")
        for key, first in (("down", 2), ("up", 1), ("pagedown", 20), ("space", 39), ("pageup", 20)):
            await pilot.press(key)
            await shows(pilot, f"lines {first}–{first + 19} of 200")
        assert rows.following is False


@AT_BOTH_SIZES
async def test_search_next_and_previous(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(1_000))
    async with opened(tmp_path, size=size, output=True) as (pilot, _rows):
        await shows(pilot, "line 0999")
        await pilot.press("n")
        await told(pilot, "Press / and type what to search for first.")
        await pilot.press("home")
        await type_in(pilot, "slash", "LINE 01".lower() + "5")
        await shows(pilot, "line 0150", "“line 015” 1 of 10")
        await pilot.press("n", "n")
        await shows(pilot, "“line 015” 3 of 10")
        await pilot.press("N")
        await shows(pilot, "“line 015” 2 of 10")
        await pilot.press("N", "N")
        await shows(pilot, "“line 015” 10 of 10")
        await told(pilot, "Went on from the last match.")
        reversed_text = [
            part.text
            for strip in pilot.app.screen._compositor.render_strips()
            for part in strip
            if part.style is not None and part.style.reverse and part.text.strip() == "line 015"
        ]
        assert len(reversed_text) == 1  # the match one is at
        await type_in(pilot, "slash", "x")
        await told(pilot, "No line matches.")
        await type_in(pilot, "slash", "0151")
        await shows(pilot, "“0151” 1 of 1")
        await pilot.press("tab", "tab")
        await shows(pilot, "“0151” in 1 line ")


async def test_a_search_that_is_typed_at_once(tmp_path: Path) -> None:
    """From the key that asks for words to the one that follows them."""
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(1_000))
    async with opened(tmp_path, output=True) as (pilot, _rows):
        await shows(pilot, "line 0999")
        type_at_once(pilot.app, "home", "/", *"ine 016", "backspace", "5", "home", "l", "enter", "n")
        await shows(pilot, "“line 015” 2 of 10")
        type_at_once(pilot.app, "/", *"xyz", "escape", "n")
        await shows(pilot, "“line 015” 3 of 10")
        type_at_once(pilot.app, "/", *"xyz", "escape", "escape", "h")
        await shows(pilot, "how it ended")


async def test_an_empty_search_ends_it_and_escape_leaves_it(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(30))
    async with opened(tmp_path, output=True) as (pilot, _):
        await type_in(pilot, "slash", "0012")
        await shows(pilot, "“0012” 1 of 1")
        await pilot.press("slash", "q", "escape")  # typed, and no key of the dashboard
        await shows(pilot, "“0012” 1 of 1")
        assert isinstance(pilot.app.screen, LogView)
        await type_in(pilot, "slash", "")
        await wait_for(pilot, lambda: "0012” 1" not in screen_of(pilot.app))
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))


async def test_escape_ends_the_search_then_the_filter_and_leaves_the_log_last(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(15))
    async with opened(tmp_path, output=True) as (pilot, rows):
        await shows(pilot, "line 0014", "Esc Back")
        await type_in(pilot, "ampersand", "001")
        await type_in(pilot, "slash", "0012")
        await shows(pilot, "“0012” 1 of 1 · only “001”: 6 of 15", "Esc Clear")
        await pilot.press("escape")
        await wait_for(pilot, lambda: "“0012”" not in screen_of(pilot.app))
        assert rows.row_count == 6
        await pilot.press("escape")
        await shows(pilot, "line 0002", "Esc Back")
        assert "001”" not in screen_of(pilot.app)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))


@pytest.mark.parametrize("key", ["/", "&"])
async def test_words_that_are_typed_replace_the_old_ones(tmp_path: Path, key: str) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(30))
    async with opened(tmp_path, output=True) as (pilot, _):
        await shows(pilot, "line 0029")
        type_at_once(pilot.app, key, *"0012", "enter", key, *"0003", "enter")
        await shows(pilot, "“0003”", "line 0003")
        type_at_once(pilot.app, key, "end", "x", "enter")
        await shows(pilot, "“0003x”")


async def test_while_words_are_typed_the_footer_has_their_keys(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(30))
    async with opened(tmp_path, output=True) as (pilot, _):
        await pilot.press("slash")
        await wait_for(
            pilot, lambda: screen_of(pilot.app).splitlines()[-1].split() == ["Enter", "Apply", "Esc", "Cancel"]
        )
        await pilot.press("escape")
        await shows(pilot, "& Filter", "? Help")


@AT_BOTH_SIZES
async def test_a_filter_shows_only_lines_that_match_also_new_ones(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    path = write_output(tmp_path, numbered(500))
    async with opened(tmp_path, size=size, output=True) as (pilot, rows):
        await type_in(pilot, "ampersand", "50")
        screen = await shows(pilot, "line 0450", "only “50”: 5 of 500")
        assert [row.strip()[:9] for row in screen.splitlines() if row.startswith("line")] == [
            f"line {number:04d}" for number in (50, 150, 250, 350, 450)
        ]
        with path.open("a") as stream:
            stream.write(numbered(60, 500))
        await shows(pilot, "line 0550", "only “50”: 16 of 560")
        await type_in(pilot, "slash", "0450")
        await shows(pilot, "“0450” 1 of 1")
        await type_in(pilot, "ampersand", "50x")
        await shows(pilot, "No line matches; press & and Enter without words to see all.")
        await type_in(pilot, "ampersand", "")
        await wait_for(pilot, lambda: rows.row_count == 560)


@AT_BOTH_SIZES
async def test_copying(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, numbered(100) + "esc \x1b[31m\n")
    async with opened(tmp_path, size=size, output=True) as (pilot, _rows):
        await shows(pilot, "esc ␛[31m")
        await pilot.press("y")
        await told(pilot, f"Copied {size[1] - 4} lines, also to cache/ui/copied.txt.")
        copied = pilot.app.clipboard.splitlines()
        assert (copied[-1], copied[-2], len(copied)) == ("esc ␛[31m", "line 0099", size[1] - 4)
        await pilot.press("Y")
        await told(pilot, "Copied 101 lines,")
        assert pilot.app.clipboard.startswith("line 0000\n")
        await pilot.press("home")
        await shows(pilot, "lines 1–")
        await pilot.mouse_down(LogLines, offset=(5, 1))
        await pilot.hover(LogLines, offset=(3, 3))
        await pilot.mouse_up(LogLines, offset=(3, 3))
        await pilot.press("y")
        await told(pilot, "Copied 3 lines,")
        assert pilot.app.clipboard.splitlines()[:2] == ["0001", "line 0002"]


async def test_copying_more_than_a_terminal_takes_says_so(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, ("x" * 99 + "\n") * 20_000)
    async with opened(tmp_path, output=True) as (pilot, rows):
        await wait_for(pilot, lambda: rows.row_count == 20_000)
        await pilot.press("Y")
        await told(pilot, "Copied the last 10,000 of 20,000 lines")


async def test_nothing_to_copy(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    async with opened(tmp_path, output=True) as (pilot, _):
        await shows(pilot, "Its worker printed nothing. Tab shows its events.")
        await pilot.press("y")
        await told(pilot, "There is no line to copy.")


@AT_BOTH_SIZES
async def test_long_lines_are_cropped_scrolled_and_wrapped(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, "a" * size[0] + "middle" + "語" * 30 + "end\n" + numbered(3))
    async with opened(tmp_path, size=size, output=True) as (pilot, _rows):
        screen = await shows(pilot, "line 0002", "aa… ")
        assert "middle" not in screen
        await pilot.press("greater_than_sign")
        await shows(pilot, "middle語")
        assert {len(line) for line in screen_of(pilot.app).splitlines() if "語" not in line} == {size[0]}
        await pilot.press("less_than_sign")
        await wait_for(pilot, lambda: "middle" not in screen_of(pilot.app))
        await pilot.press("W")
        await shows(pilot, "middle語", "end ", "line 0002")
        await pilot.press("greater_than_sign")
        await told(pilot, "Lines are wrapped; W ends that.")
        await pilot.press("W")
        await wait_for(pilot, lambda: "middle" not in screen_of(pilot.app))
        await type_in(pilot, "slash", "end")
        await shows(pilot, "end ")  # scrolled to sideways


async def test_a_failure_can_be_read_whole_and_is_in_the_colour_of_errors(tmp_path: Path) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    reason = "expected one valid call of the tool " * 3 + "that was asked for"
    recorder.emit("stage.started", stage="lint:verify", reasons=[])
    recorder.emit("stage.check", stage="lint:verify", name="size", passed=True, value="291.5")
    recorder.emit("stage.check", stage="lint:verify", name="smoke", passed=False, value="4 of 5", reason=reason)
    recorder.emit("stage.failed", stage="lint:verify", message="one thing\nand another", exit_code=1)
    sample.write_log(tmp_path, recorder.events)
    async with opened(tmp_path, "lint:verify") as (pilot, rows):
        await shows(pilot, "smoke did not pass: 4 of 5", "that was asked for", "and another", "exit code 1")
        wrong = rows.get_component_rich_style("log-lines--bad").color

        def coloured() -> list[tuple[str, bool]]:
            strips = pilot.app.screen._compositor.render_strips()
            parts = [part for strip in strips for part in strip if part.style and part.style.color == wrong]
            return [(part.text.strip(), bool(part.style and part.style.reverse)) for part in parts]

        whole = " ".join(text for text, _ in coloured())
        for words in ("smoke did not pass", "asked for", "one thing", "and another", "exit code"):
            assert words in whole
        assert "size" not in whole
        await type_in(pilot, "slash", "one thing")
        await wait_for(pilot, lambda: ("one thing", True) in coloured())


async def test_each_side_remembers_whether_it_is_wrapped(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    write_output(tmp_path, "x" * 90 + "end\n")
    async with opened(tmp_path) as (pilot, _):
        await shows(pilot, "812 tok/s · 3.1 GB", "W Wrap")
        await pilot.press("tab")
        await shows(pilot, "xx… ", "W Wrap")
        await pilot.press("W")
        await shows(pilot, "xend")
        await pilot.press("tab", "W")
        await shows(pilot, "812 tok/s ·… ")
        await pilot.press("escape", "l")
        await shows(pilot, "812 tok/s ·… ")
        await pilot.press("tab")
        await shows(pilot, "xend")


async def test_lines_are_wrapped_between_words(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, "phrase " * 30 + "x" * 100 + "end\n")
    async with opened(tmp_path, output=True) as (pilot, _rows):
        await pilot.press("W")
        screen = await shows(pilot, "xend ")
        words = [word for line in screen.splitlines() for word in line.split() if word.startswith("phr")]
        assert words == ["phrase"] * 30
        assert "x" * 79 in screen  # one word longer than a line is cut where the line ends


async def test_wrapped_lines_are_followed_to_their_end(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, "".join(f"{number} " + "w" * 200 + f" end {number}\n" for number in range(50)))
    async with opened(tmp_path, output=True) as (pilot, _rows):
        await pilot.press("W")
        await shows(pilot, "end 49", "following")
        await pilot.press("up")
        await wait_for(pilot, lambda: "end 49" not in screen_of(pilot.app))
        await pilot.press("end")
        await shows(pilot, "end 49", "following")


@AT_BOTH_SIZES
async def test_hostile_output_is_inert(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    write_output(tmp_path, HOSTILE_OUTPUT)
    async with opened(tmp_path, size=size, output=True) as (pilot, _):
        for key in ("W", "W"):
            await pilot.press("home")
            screen = await shows(pilot, "␛[2J␛[31mred␛]0;owned␇", "[bold]markup[/bold] [/nothing] $primary [link=x]")
            assert not set(screen) & set("\x1b\x07\r\x08\x7f\x00\x9b\u202e\u2066\u200b\ufeff\u2028")
            await pilot.press("end")
            await shows(pilot, "last")
            await pilot.press(key)
        await type_in(pilot, "slash", "[/nothing]")
        await shows(pilot, "“[/nothing]” 1 of 1")


async def test_hostile_events_and_stage_ids_are_inert(tmp_path: Path) -> None:
    hostile = "\x1b[2J[bold]x[/nothing]\r\u202e" + "A" * 100_000
    recorder = sample.Recorder(start=time.time())
    recorder.emit("run.started", command=hostile, pid=os.getpid(), stages=[{"id": "../../../etc/passwd"}])
    recorder.emit("stage.started", stage="../../../etc/passwd", reasons=[{"component": hostile, "new": hostile}])
    recorder.emit("stage.note", stage="../../../etc/passwd", text=hostile)
    recorder.emit("stage.note", stage="../../../etc/passwd", text=3)
    recorder.emit("stage.metric", stage="../../../etc/passwd", eval_loss=hostile, step=hostile)
    recorder.emit("stage.check", stage="../../../etc/passwd", name=hostile, passed=False, value=hostile)
    recorder.emit("stage.failed", stage="../../../etc/passwd", message=hostile, log=hostile)
    sample.write_log(tmp_path, recorder.events)
    async with opened(tmp_path, "../../../etc/passwd", SIZES[1]) as (pilot, _):
        await shows(pilot, "log: ␛[2J[bold]x[/nothing]")
        await pilot.press("W")
        screen = await shows(pilot, "note       ␛[2J[bold]x[/nothing]", "failed     ␛[2J")
        assert not set(screen) & set("\x1b\r\u202e")
        await pilot.press("tab")
        screen = await shows(pilot, "Its id can be no file's name.")
        assert "root:" not in screen


@pytest.mark.parametrize("how", ["truncated", "replaced", "vanished"])
async def test_a_file_that_changes_beneath(tmp_path: Path, how: str) -> None:
    sample.write_log(tmp_path, begun_now())
    path = write_output(tmp_path, numbered(300))
    async with opened(tmp_path, output=True) as (pilot, rows):
        await type_in(pilot, "slash", "0250")
        await shows(pilot, "“0250” 1 of 1")
        if how == "vanished":
            path.unlink()
            await shows(pilot, "line 0250", "The file was removed; this is what was in it.")
            return
        if how == "replaced":
            path.unlink()
        path.write_text("new content\n")
        await shows(pilot, "new content", "“0250” in 0 lines")
        await told(pilot, "The file was replaced or cut off")
        assert rows.row_count == 1


async def test_without_a_run_and_with_a_stage_that_did_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as (pilot, _):
        await shows(pilot, NO_RUN)
        sample.write_log(tmp_path, begun_now())
        await shows(pilot, "the whole build · events", "lint:train")  # and shows the build that begins
    async with opened(tmp_path, "lint:verify") as (pilot, _):
        await shows(pilot, "Nothing has happened to it in this run; → goes to the next that did something. ")


async def test_a_later_run_is_shown(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    write_output(tmp_path, "of the first run\n")
    write_output(tmp_path, "of the later run\n", run=LATER_RUN)
    async with opened(tmp_path, output=True) as (pilot, _):
        await shows(pilot, "of the first run")
        sample.write_log(tmp_path, sample.whole_run(LATER_RUN), LATER_RUN)
        await shows(pilot, "of the later run", "lint:train")


@pytest.mark.parametrize(("key", "words"), [("left", "This is the first log."), ("right", "This is the last stage")])
async def test_a_run_that_has_only_begun_keeps_the_stage(tmp_path: Path, key: str, words: str) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path) as (pilot, _):
        await shows(pilot, "lint:train · ✓ done")
        sample.write_log(tmp_path, [], LATER_RUN)
        await shows(pilot, LATER_RUN, "Nothing has happened to it in this run")
        await pilot.press(key)
        await told(pilot, words)
        sample.write_log(tmp_path, sample.failed_run(), LATER_RUN)
        await shows(pilot, "lint:train · ✗ failed", "the loss is NaN")


async def test_a_run_without_the_stage_shows_the_whole_build(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path) as (pilot, _):
        await shows(pilot, "lint:train · ✓ done")
        recorder = sample.Recorder(LATER_RUN)
        recorder.emit("run.started", pid=-1, stages=[{"id": "other:train", "action": "run"}])
        sample.write_log(tmp_path, recorder.events, LATER_RUN)
        await shows(pilot, LATER_RUN, " the whole build · events")


async def test_r_reads_the_run_again(tmp_path: Path) -> None:
    path = sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path) as (pilot, _):
        await shows(pilot, "lint:train · ✓ done")
        path.unlink()
        sample.write_log(tmp_path, sample.failed_run())
        await pilot.press("r")
        screen = await shows(pilot, "lint:train · ✗ failed", "the loss is NaN")
        assert "6m 41s" not in screen


async def test_the_help_has_every_key_and_escape_goes_back(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with opened(tmp_path, size=(100, 70)) as (pilot, _):
        await pilot.press("question_mark")
        screen = await shows(pilot, "Everywhere")
        for binding in LogView.KEYS:
            assert binding.tooltip in screen
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))


async def test_of_large_inputs_only_what_is_in_sight_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    line = FileLines.line

    def counted(lines: FileLines, number: int) -> str:
        nonlocal read
        read += 1
        return line(lines, number)

    monkeypatch.setattr(FileLines, "line", counted)
    events = begun_now()
    step = [event for event in events if "loss" in event][-1]
    path = sample.write_log(tmp_path, events)
    with path.open("ab") as stream:
        stream.write(b"".join(encode({**step, "step": 20 + index}) for index in range(20_000)))
    write_output(tmp_path, b"a line of a long log, as workers print them\n" * 400_000 + b"Z" * 1_000_000 + b"\nthe end")
    async with opened(tmp_path, output=True) as (pilot, rows):
        await wait_for(pilot, lambda: rows.row_count == 400_002, 60.0)
        await shows(pilot, "the end", "following")
        await pilot.press("home", *["pagedown"] * 5)
        assert 0 < read < 40_000
        await type_in(pilot, "slash", "the end")
        await shows(pilot, "“the end” 1 of 1")
