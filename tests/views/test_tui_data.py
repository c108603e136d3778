from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from browse_sample import ROWS, TOOLS, calling, row, said, written
from browse_sample import data_app as opened
from textual.pilot import Pilot
from tui_sample import AT_BOTH_SIZES, SIZES, begun_now, dashboard, screen_of, shows, type_at_once, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui.data import DataView
from fgbuild.views.tui.help import HelpScreen
from fgbuild.views.tui.pick import Picker
from fgbuild.views.tui.reader import Reader
from fgbuild.views.tui.rowfile import RowFile
from fgbuild.views.tui.view import NO_RUN


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.05)
    monkeypatch.setattr("fgbuild.views.tui.data._POLL_SECONDS", 0.02)


async def data_of(pilot: Pilot[Any], *words: str) -> str:
    await shows(pilot, sample.RUN)
    await pilot.press("d")
    return await shows(pilot, *words)


@AT_BOTH_SIZES
async def test_rows_and_the_chosen_one_as_a_conversation(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        screen = await data_of(pilot, "lint  train: 43 rows · 2.3 % no call · 3 scenarios · longest 612 tokens")
        screen = await shows(pilot, "row 1 of 43", "2 tools: run_ruff, fix_lint")
        assert "You are a model that can do function calling with" in screen
        assert "▶    1 check        2 Is app.py clean?" in screen
        assert '┃   → run_ruff(path: "app.py")' in screen
        assert "┃ model  supervised" in screen
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        if size[1] == 40:
            assert '{"count": 3}' in screen
            assert "┃   Three of them." in screen
        await shows(pilot, "Esc Back", "s Train/eval", "t Scenario")


@AT_BOTH_SIZES
async def test_keys_move_between_rows(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        for key, expected in (
            *(("down", "lint-00001"), ("down", "lint-00002"), ("up", "lint-00001"), ("end", "lint-00042")),
            *(("down", "row 43 of 43"), ("home", "lint-00000"), ("up", "row 1 of 43")),
        ):
            await pilot.press(key)
            await shows(pilot, expected)
        page = pilot.app.screen.rows.page  # type: ignore[attr-defined]
        assert 3 < page < 43
        await pilot.press("pagedown")
        await shows(pilot, f"row {page + 1} of 43")
        await pilot.press("pageup")
        await shows(pilot, "row 1 of 43")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, DataView))


async def test_a_click_chooses_and_the_wheel_moves(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.click("#rows", offset=(5, 3))
        await shows(pilot, "row 3 of 43", "None of my tools can do that.")
        pilot.app.screen.rows.on_mouse_scroll_down()  # type: ignore[attr-defined]
        await shows(pilot, "row 6 of 43")
        pilot.app.screen.rows.on_mouse_scroll_up()  # type: ignore[attr-defined]
        await shows(pilot, "row 3 of 43")


async def test_tab_goes_to_the_text_whose_arrows_scroll(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 43", "┃ model")
        await pilot.press("tab", "end")
        await shows(pilot, "┃   Three of them.", "row 1 of 43")
        assert isinstance(pilot.app.focused, Reader)
        await pilot.press("right")  # not the text's: the next domain
        await shows(pilot, "test  train")
        await pilot.press("down")
        await shows(pilot, "row 2 of 2")


@AT_BOTH_SIZES
async def test_s_shows_the_other_split(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("s")
        screen = await shows(pilot, "eval: 1 row · 100 % no call", "row 1 of 1 ", "Which ones?")
        assert "1 check        1 Are the held out" in screen
        await pilot.press("s")
        await shows(pilot, "row 1 of 43")


@AT_BOTH_SIZES
async def test_slash_searches(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("slash", *"TABL", "enter")  # case aside
        await shows(pilot, "row 1 of 1 (of 43)", "with “TABL”", "lint-00002")
        await pilot.press("slash", *"x", "escape")  # left as it was
        await shows(pilot, "row 1 of 1 (of 43)")
        await pilot.press("slash", "home", "ctrl+k", *"ü.p", "enter")  # in what a call says
        await shows(pilot, "row 1 of 1 (of 43)", "lint-00001")
        await pilot.press("slash", "home", "ctrl+k", *"qqq", "enter")
        await shows(pilot, "no row (of 43)", "No row fits")
        await pilot.press("y", "e")  # nothing chosen: nothing breaks
        await pilot.press("slash", "home", "ctrl+k", "enter")
        await shows(pilot, "row 1 of 43")


async def test_a_search_that_is_typed_at_once(tmp_path: Path) -> None:
    """From the key that asks for words to the one that follows them."""
    app = opened(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 43")
        type_at_once(app, "/", *"ABLE", "backspace", "home", "T", "enter", "e")
        await shows(pilot, "row 1 of 1 (of 43)", "with “TABL”", "<start_of_turn>")
        type_at_once(app, "/", *"able", "enter")  # in place of the old words
        await shows(pilot, "row 1 of 1 (of 43)", "with “able”")
        await pilot.press("slash")
        await shows(pilot, "Enter Apply  Esc Cancel")


@AT_BOTH_SIZES
async def test_t_and_o_filter(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("t")
        await shows(pilot, "check  41", "decline  1", "fix  1")
        await pilot.press("down", "down", "enter")
        await shows(pilot, "row 1 of 1 (of 43)", "scenario decline", "lint-00002")
        await pilot.press("T")
        await shows(pilot, "run_ruff  41", "(no call)  1")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Picker))
        await pilot.press("t", "home", "enter")
        await shows(pilot, "row 1 of 43")
        await pilot.press("T", "end", "enter")
        await shows(pilot, "row 1 of 1 (of 43)", "tool fix_lint", "lint-00001")
        await pilot.press("T", "home", "down", "down", "enter")
        await shows(pilot, "tool (no call)", "lint-00002")


@AT_BOTH_SIZES
async def test_y_copies_the_row_as_json(tmp_path: Path, size: tuple[int, int]) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("down", "y")
        await shows(pilot, "Copied the row as JSON, also to cache/ui/copied.txt.")
        assert json.loads(app.clipboard) == ROWS[1]


@AT_BOTH_SIZES
async def test_e_shows_the_prompt_format(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("e")
        await shows(pilot, "<bos><start_of_turn>developer", "<start_function_declaration>declaration:run_ruff")
        await pilot.press("tab", "end")
        await shows(pilot, "┃ <start_function_call>call:run_ruff{path:<escape>")
        supervised = [part for strip in pilot.app.screen._compositor.render_strips() for part in strip if part.style]
        underlined = "".join(part.text for part in supervised if part.style and part.style.underline).replace(" ", "")
        assert "Threeofthem.<end_of_turn>" in underlined  # without the spaces: lines are wrapped at them
        assert "Isapp.pyclean?" not in underlined
        await pilot.press("e")
        await shows(pilot, "┃ model  supervised")


async def test_what_the_format_cannot_carry_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path, [row(0, "odd", "say <escape>", said("no"))]).run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 1")
        await pilot.press("e")
        await shows(pilot, "The prompt format cannot carry this row:", "Press e to go back.")


@AT_BOTH_SIZES
async def test_x_unfolds_the_tools(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await data_of(pilot, "2 tools: run_ruff, fix_lint")
        await pilot.press("u")
        await shows(pilot, "run_ruff  Check the code", "path: string, required  File or folder")
        await shows(pilot, "level: string, one of low, high  How")
        await pilot.press("u")
        await shows(pilot, "2 tools: run_ruff, fix_lint")


async def test_tools_of_the_row_and_of_the_manifest(tmp_path: Path) -> None:
    own = {**ROWS[2], "tools": [{"name": "other", "description": "Another", "parameters": {"type": "object"}}]}
    app = opened(tmp_path, [own], declared=TOOLS)
    async with app.run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "1 tools of this row: other")
        await pilot.press("right")  # test was not exported in this run
        await shows(pilot, "test  train", "2 tools: run_ruff, fix_lint")


async def test_tools_that_are_not_to_be_had_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path)

    def gone(*_: Any) -> Any:
        raise FgbuildError("there is no manifest of test any more")

    monkeypatch.setattr(app.desk, "tools", gone)
    async with app.run_test(size=SIZES[1]) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("right")
        await shows(pilot, "tools unknown: there is no manifest of test any more", "row 1 of 2")


@AT_BOTH_SIZES
async def test_left_and_right_go_to_other_domains(tmp_path: Path, size: tuple[int, int]) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=size) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("right")
        await shows(pilot, "test  train", "row 1 of 2", "Mend `ü.py`")
        assert app.selected == "test:generate"
        await pilot.press("right")
        await shows(pilot, "docstring", "no longer in the store", "b makes it again")
        await pilot.press("left", "left")
        await shows(pilot, "row 1 of 43")
        await pilot.press("left")
        await shows(pilot, "sample_data")


async def test_what_is_missing_says_what_to_do(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "No build has run here yet.")
        await pilot.press("d")
        await shows(pilot, NO_RUN)
        recorder = sample.Recorder(start=time.time())
        recorder.emit("run.started", pid=begun_now()[0]["pid"], stages=[{"id": "lint:generate", "action": "run"}])
        path = sample.write_log(tmp_path, recorder.events)
        await shows(pilot, "no training data of lint yet: lint:generate is waiting")
        recorder.events.clear()
        recorder.emit("stage.started", stage="lint:generate")
        recorder.emit("stage.failed", stage="lint:generate", message="no")
        sample.write_log(tmp_path, recorder.events)
        await shows(pilot, "lint:generate failed")
        app.desk.made_files.folders["lint:generate"] = written(tmp_path / "a", ROWS)
        recorder.events.clear()
        recorder.emit("stage.finished", stage="lint:generate", action="run")
        sample.write_log(tmp_path, recorder.events)
        await shows(pilot, "row 1 of 43")  # without a key
        assert path.is_file()


async def test_r_tries_again_what_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path)
    made = app.desk.made
    error: Exception | None = None

    def failing(run: str) -> Any:
        if error is not None:
            raise error
        return made(run)

    monkeypatch.setattr(app.desk, "made", failing)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        for error in (OSError(5, "disk on fire"), sqlite3.OperationalError("locked")):
            await pilot.press("d")
            await shows(pilot, error.args[-1], "Press r to read it again.")
            error = None
            await pilot.press("r")
            await shows(pilot, "row 1 of 43")
            await pilot.press("escape")
            await wait_for(pilot, lambda: not isinstance(app.screen, DataView))


async def test_a_file_that_is_gone_and_lines_that_are_no_rows(tmp_path: Path) -> None:
    odd = [
        "not json",
        "[1]",
        json.dumps({"messages": 3, "tools": "x", "scenario": 4}),
        json.dumps({"messages": [{}, 7]}),
    ]
    app = opened(tmp_path, [*odd, row(9, "deep", "[bold]\x1b[2J", {"role": "assistant", "tool_calls": {"a": [1]}})])
    async with app.run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 5", "(this line holds no JSON object)")
        for place in range(2, 6):
            await pilot.press("down", "e", "e")
            await shows(pilot, f"row {place} of 5")
        screen = await shows(pilot, "[bold]␛[2J")
        assert "\x1b" not in screen
        (tmp_path / "a" / "eval.jsonl").unlink()
        await pilot.press("right", "left", "s")
        await shows(pilot, "eval.jsonl: No such file or directory; press s")


async def test_a_row_that_is_very_long_is_cut(tmp_path: Path) -> None:
    long = row(0, "long", "word " * 30_000, *calling("run_ruff", {"path": "x" * 90_000}, {"a": ["b"] * 9_000}))
    async with opened(tmp_path, [long]).run_test(size=SIZES[0]) as pilot:
        await data_of(pilot, "row 1 of 1")
        await pilot.press("tab", "end")
        await shows(pilot, "… the rest is left out here; y copies the whole row.")
        await pilot.press("e")
        await pilot.press("end")
        await shows(pilot, "… the rest is left out here", "word word")


async def test_help_lists_the_keys(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 60)) as pilot:
        await data_of(pilot, "row 1 of 43")
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        screen = screen_of(pilot.app)
        for binding in DataView.KEYS:
            assert binding.tooltip in screen


async def _beat(late: list[float]) -> None:
    """Write down by how many seconds the event loop is late, again and again."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - began - 0.01)


async def test_a_hundred_thousand_rows_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, scan = threading.Event(), RowFile.scan

    def gated(file: RowFile, stopped: Callable[[], bool]) -> None:
        scan(file, lambda: stopped() or (len(file) >= 640 and not go_on.wait(60)))

    monkeypatch.setattr(RowFile, "scan", gated)
    many = [json.dumps(row(n, "check", f"Look at file {n}", said("Fine."))) for n in range(1000)] * 100
    app = opened(tmp_path, many)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        late: list[float] = []
        heart = asyncio.create_task(_beat(late))
        await pilot.press("d")
        await shows(pilot, "row 1 of 640, still reading", "lint-00000")  # there before all was read
        go_on.set()
        await wait_for(pilot, lambda: "row 1 of 100,000" in screen_of(app), 60.0)
        heart.cancel()
        assert sorted(late)[-len(late) // 50] < 0.5  # all but two in a hundred, on a machine that does other work
        await pilot.press("end")
        await shows(pilot, "row 100,000 of 100,000", "lint-00999")


def test_an_index_stops_when_told_and_finds_text(tmp_path: Path) -> None:
    long = json.dumps(row(0, "long", "x" * 2_500_000, said("no")))
    path = written(tmp_path, [long, "", *ROWS]) / "train.jsonl"
    file = RowFile(path)
    file.scan(lambda: True)
    assert (len(file), file.done) == (0, False)
    file.scan(lambda: False)
    assert (len(file), file.done) == (len(ROWS) + 1, True)
    assert file.row(0) == {}  # longer than a row may be
    assert file.row(1) == ROWS[0]
    assert (file.scenario(2), file.tools(2), file.tools(3)) == ("fix", ("fix_lint",), ())
    assert dict(file.called()) == {"run_ruff": 41, "fix_lint": 1, "": 2}
    for words, expected in (("mended TWO", [2]), ('"path": "ü', [2]), ("role", []), ("lint-00002", [3]), ("count", 41)):
        found: list[int] = []
        file.find(words, lambda: False, found.append)
        assert found == expected or len(found) == expected
    file.close()


def test_text_with_escapes_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, [json.dumps(ROWS[1], ensure_ascii=True)]) / "train.jsonl"
    found: list[int] = []
    RowFile(path).find("ü.py", lambda: False, found.append)
    assert found == [0]


async def test_of_own_data_the_place_is_told_once(tmp_path: Path) -> None:
    own = {**ROWS[0], "id": "data/lint.jsonl:2", "scenario": "own", "source": "data/lint.jsonl:2"}
    own["family"] = "own/data/lint.jsonl:2"
    stats = {"train": {"rows": 1, "scenarios": {"own": 1}}}
    app = opened(tmp_path, [own])
    app.desk.made_files.files["lint:generate", "stats.json"] = json.dumps(stats).encode()  # type: ignore[attr-defined]
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await data_of(pilot, "train: 1 row · 1 scenario · longest", "data/lint.jsonl:2 · own · single ")
        assert screen.count("lint.jsonl") == 1
