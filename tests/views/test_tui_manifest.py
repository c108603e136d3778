"""The manifest editor with a desk that finds what a test says."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from editor_sample import R_LINE, TEXT, EditorDesk, type_at_rank, write_manifest
from textual.events import Paste
from textual.messages import ExitApp
from textual.pilot import Pilot
from tui_sample import AT_BOTH_SIZES, SIZES, screen_of, shows, type_at_once, unanswered, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui import editing as editing_module
from fgbuild.views.tui import manifest
from fgbuild.views.tui.app import DashboardApp
from fgbuild.views.tui.desk import Problem, Variant
from fgbuild.views.tui.draft import Draft
from fgbuild.views.tui.help import HelpScreen
from fgbuild.views.tui.manifest import ManifestView
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.question import Question
from fgbuild.views.tui.textfile import TextFile


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "DEBOUNCE_SECONDS", 0.02)
    monkeypatch.setattr(editing_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(manifest, "LOOK_SECONDS", 0.1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_manifest(tmp_path)


@asynccontextmanager
async def editing(
    path: Path, size: tuple[int, int] = SIZES[0], stage: str = "lint:train", **desk: Any
) -> AsyncIterator[Pilot[Any]]:
    app = DashboardApp(EditorDesk(path.parents[1], **desk))
    app.selected = stage
    async with app.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await wait_for(pilot, lambda: isinstance(app.screen, ManifestView))
        await shows(pilot, "manifests/lint.toml", "✓ Nothing changes")
        yield pilot


@asynccontextmanager
async def editing_as_is(path: Path) -> AsyncIterator[Pilot[Any]]:
    """Open the editor on whatever the file has, when nothing is asked."""
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await shows(pilot, "manifests/lint.toml", "✓")
        assert isinstance(app.screen, ManifestView)
        yield pilot


@AT_BOTH_SIZES
async def test_a_mistake_is_shown_with_its_line_and_gone_when_it_is_put_right(
    path: Path, size: tuple[int, int]
) -> None:
    async with editing(path, size) as pilot:
        await type_at_rank(pilot, "bad")
        screen = await shows(pilot, "✗ line 5  lora.r: must be at least 1", "1 problem", "* not saved")
        assert "5✗ r = 16bad" in screen
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        await pilot.press("backspace", "backspace", "backspace")
        await wait_for(pilot, lambda: pilot.app.screen.editor.text == TEXT)
        await pilot.press("4")
        screen = await shows(pilot, "✓ Saving reruns lint:train and 1 below, about 6m 20s (lora.r: 16 → 64).")
        assert "✗" not in screen
        await pilot.press("backspace")
        await shows(pilot, "Nothing changes: all is up to date.")
        assert "not saved" not in screen_of(pilot.app)
    assert path.read_text() == TEXT


async def test_it_is_not_checked_while_one_types(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "DEBOUNCE_SECONDS", 600.0)
    async with editing(path) as pilot:
        await type_at_rank(pilot, "1234567")
        assert pilot.app.desk.asked_texts == [TEXT]
        await pilot.press("ctrl+s")  # does not wait for a pause
        await shows(pilot, "Saved lint.toml")
        assert set(pilot.app.desk.asked_texts) == {TEXT, TEXT.replace("16", "161234567")}


@AT_BOTH_SIZES
async def test_f8_goes_from_problem_to_problem(path: Path, size: tuple[int, int]) -> None:
    async with editing(path, size) as pilot:
        await type_at_rank(pilot, "bad")
        await type_at_rank(pilot, "bad", R_LINE)
        await shows(pilot, "2 problems")
        pilot.app.screen.editor.go_to(0)
        for row in (4, 5, 4):
            await pilot.press("f8")
            assert pilot.app.screen.editor.cursor_location[0] == row
            await shows(pilot, f"→ line {row + 1}")
        await pilot.click("#manifest-problems", offset=(5, 1))
        await wait_for(pilot, lambda: pilot.app.screen.editor.cursor_location[0] == 5)


async def test_ctrl_s_with_nothing_to_save_leaves_the_file_alone(path: Path) -> None:
    before = path.stat()
    async with editing(path) as pilot:
        await pilot.press("ctrl+s")
        await shows(pilot, "Nothing to save")
    assert path.stat().st_mtime_ns == before.st_mtime_ns


LONG = " ".join(f"reason{number}" for number in range(45))


@AT_BOTH_SIZES
async def test_long_problems_take_the_lines_they_need_and_f8_shows_each_whole(
    path: Path, size: tuple[int, int]
) -> None:
    found = [Problem(2, "a", LONG), Problem(2, "b", LONG), Problem(None, "c", LONG), Problem(1, "", LONG, "other.toml")]
    async with editing_as_is(path) as pilot:
        await pilot.resize_terminal(*size)
        pilot.app.desk.found = found
        await type_at_rank(pilot, "1")
        screen = await shows(pilot, "✗ line 2  a: reason0 ", "…", "of 4")
        assert sum("reason" in line for line in screen.splitlines()) in (3, 6)  # one problem or two
        await pilot.press("ctrl+home")
        for words, row in (("→ line 2  a:", 1), ("→ line 2  b:", 1), ("→ whole file  c:", 1), ("→ other.toml:1", 1)):
            await pilot.press("f8")
            screen = await shows(pilot, words)
            assert " ".join(screen.split(words)[1].split()).count(LONG.split(" ", 1)[1]) == 1
            assert pilot.app.screen.editor.cursor_location[0] == row
        await pilot.press("f8")
        await shows(pilot, "→ line 2  a:")


async def test_a_long_sentence_below_the_text_is_shown_whole(path: Path) -> None:
    async with editing(path) as pilot:
        pilot.app.desk.effect = lambda *_: (_ for _ in ()).throw(FgbuildError(LONG))
        await type_at_rank(pilot, "4")
        screen = await shows(pilot, "✗ reason0")
        assert LONG in " ".join(screen.split())


@AT_BOTH_SIZES
async def test_the_cursor_stays_in_sight_when_what_is_below_grows(path: Path, size: tuple[int, int]) -> None:
    path.write_text(TEXT + "".join(f"x{number} = 1\n" for number in range(60)) + "\n[lora]\nr = 16")
    async with editing_as_is(path) as pilot:
        await pilot.resize_terminal(*size)
        editor = pilot.app.screen.editor
        await pilot.press("ctrl+end")
        assert editor.cursor_location == editor.document.end
        pilot.app.desk.found = [Problem(None, "", LONG)]
        await pilot.press("1")
        await shows(pilot, "✗ whole file")
        await shows(pilot, "r = 161")
        await wait_for(pilot, lambda: editor.cursor_screen_offset in editor.region)
        await pilot.press("ctrl+home")
        assert editor.cursor_location == (0, 0)
        await pilot.press("ctrl+shift+end")
        assert editor.selected_text == editor.text


async def test_the_help_leaves_out_keys_that_are_typed_here(path: Path) -> None:
    async with editing(path, (100, 60)) as pilot:
        await pilot.press("f1")
        screen = await shows(pilot, "Everywhere", "go back to the overview", "^q")
        for binding in DashboardApp.KEYS:
            assert binding.tooltip not in screen


async def test_f8_without_problems_says_so(path: Path) -> None:
    async with editing(path) as pilot:
        await pilot.press("f8")
        await shows(pilot, "There is no problem to go to.")


async def test_many_problems_and_those_of_other_files(path: Path) -> None:
    others = [Problem(number, "", "is odd\x1b[2J [bold]x[/bold]", "manifests/ape.toml") for number in range(1, 9)]
    async with editing(path, found=others) as pilot:
        await shows(pilot, "manifests/ape.toml:1  is odd␛[2J [bold]x[/bold]", "1–5 of 8")
        assert "\x1b" not in screen_of(pilot.app)
        await type_at_rank(pilot, "4")
        await shows(pilot, "Saving reruns")  # other files' problems do not hide what this one would do


@AT_BOTH_SIZES
async def test_ctrl_s_saves_the_text_and_keeps_the_mode(path: Path, size: tuple[int, int]) -> None:
    path.chmod(0o640)
    async with editing(path, size) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("ctrl+s")
        await shows(pilot, "Saved lint.toml. F9 builds lint.")
        assert "not saved" not in screen_of(pilot.app)
    assert path.read_text() == TEXT.replace("16", "164")
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["lint.toml"]


@pytest.mark.parametrize("typed", ["bad", "crash", "refuse"])
async def test_a_text_with_problems_is_saved_on_the_second_ctrl_s(path: Path, typed: str) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, typed)
        await pilot.press("ctrl+s")
        await shows(pilot, "Not saved: ^s again saves it anyway.")
        assert path.read_text() == TEXT
        await pilot.press("x", "ctrl+s")  # another text: asked again
        await shows(pilot, f"{typed}x", "^s again saves it anyway.")
        assert path.read_text() == TEXT
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: f"{typed}x" in path.read_text())


@AT_BOTH_SIZES
async def test_a_file_that_changed_meanwhile_is_asked_about(path: Path, size: tuple[int, int]) -> None:
    async with editing(path, size) as pilot:
        await type_at_rank(pilot, "4")
        path.write_text("# theirs\n")
        await pilot.press("ctrl+s")
        await shows(pilot, "changed on disk since", "read it again", "overwrite it", "keep editing")
        await pilot.press("escape")
        await shows(pilot, "r = 164", "* not saved")
        assert path.read_text() == "# theirs\n"
        await pilot.press("ctrl+s")
        await shows(pilot, "changed on disk since")
        await pilot.press("o")
        await wait_for(pilot, lambda: path.read_text() == TEXT.replace("16", "164"))
        path.write_text("# theirs again\n")
        await shows(pilot, "# theirs again")  # nothing was typed since: it is followed
        await pilot.press("x")
        path.write_text("# and again\n")
        await pilot.press("ctrl+s")
        await shows(pilot, "changed on disk since")
        await pilot.press("r")
        screen = await shows(pilot, "# and again")
        assert "not saved" not in screen


async def test_a_file_that_was_removed_can_be_written_again(path: Path) -> None:
    async with editing(path) as pilot:
        path.unlink()
        await shows(pilot, "The file is gone from disk")
        await pilot.press("ctrl+s")
        await shows(pilot, "changed on disk since")
        await pilot.press("o")
        await wait_for(pilot, path.exists)
    assert path.read_text() == TEXT


@AT_BOTH_SIZES
async def test_escape_asks_about_unsaved_changes(path: Path, size: tuple[int, int]) -> None:
    async with editing(path, size) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("escape")
        await shows(pilot, "lint.toml has changes that are not saved", "keep editing")
        await pilot.press("escape")
        await shows(pilot, "r = 164")
        await pilot.press("escape")
        await shows(pilot, "changes that are not saved")
        await pilot.press("s")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))
        assert path.read_text() == TEXT.replace("16", "164")


async def test_escape_drops_changes_where_one_says_so(path: Path) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("escape")
        await shows(pilot, "changes that are not saved")
        await pilot.press("d")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))
    assert path.read_text() == TEXT


async def test_escape_and_save_with_a_problem_stays(path: Path) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "bad")
        await pilot.press("escape")
        await shows(pilot, "changes that are not saved")
        await pilot.press("s")
        await shows(pilot, "^s again saves it anyway.")
        assert isinstance(pilot.app.screen, ManifestView)
        assert path.read_text() == TEXT


async def test_escape_without_changes_goes_back(path: Path) -> None:
    async with editing(path) as pilot:
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))


@pytest.mark.parametrize("way", ["ctrl+q", "a click on another view"])
async def test_no_other_way_out_loses_changes_either(path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app_module.VIEWS, "log", "overview.Overview")
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        if way == "ctrl+q":
            await pilot.press(way)
        else:
            pilot.app.action_open("log")
        await shows(pilot, "changes that are not saved")
        assert not pilot.app._exit
        await pilot.press("escape")
        await shows(pilot, "r = 164")


async def test_ctrl_q_goes_once_the_changes_are_dropped(path: Path) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("ctrl+q")
        await shows(pilot, "changes that are not saved")
        await pilot.press("d")
        await wait_for(pilot, lambda: pilot.app._exit)


async def typed_and_ended(path: Path, text: str = "4", ending: str = "signal") -> None:
    """Type something, and end the dashboard from outside."""
    async with editing(path) as pilot:
        await type_at_rank(pilot, text)
        await shows(pilot, "* not saved")
        if ending == "signal":
            pilot.app.end(signal.SIGTERM)
        else:
            pilot.app.post_message(ExitApp())  # as the driver does once no browser is there any more
        await wait_for(pilot, lambda: not pilot.app.is_running)


async def test_the_footer_has_no_letters_once_they_are_typed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_be_read = threading.Event()

    def read(path: Path) -> TextFile:
        may_be_read.wait(20)
        return TextFile(path)

    monkeypatch.setattr(editing_module, "TextFile", read)
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[1]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await wait_for(pilot, lambda: isinstance(app.screen, ManifestView))
        await shows(pilot, "l Log", "^o Fields")
        may_be_read.set()
        await shows(pilot, "✓ Nothing changes")
        await wait_for(pilot, lambda: "l Log" not in screen_of(app))


@asynccontextmanager
async def opened_again(path: Path, size: tuple[int, int] = SIZES[0]) -> AsyncIterator[Pilot[Any]]:
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await shows(pilot, "lint.toml has changes that were not saved")
        yield pilot


@AT_BOTH_SIZES
@pytest.mark.parametrize("ending", ["signal", "closed browser"])
async def test_what_was_typed_when_the_dashboard_ended_can_be_taken_up(
    path: Path, ending: str, size: tuple[int, int]
) -> None:
    await typed_and_ended(path, ending=ending)
    assert path.read_text() == TEXT
    async with opened_again(path, size) as pilot:
        assert "changed since then" not in screen_of(pilot.app)
        await pilot.press("t")
        await shows(pilot, "r = 164", "* not saved")
        await pilot.press("ctrl+z")
        await wait_for(pilot, lambda: pilot.app.screen.editor.text == TEXT)
        await pilot.press("ctrl+y")
        await shows(pilot, "r = 164", "✓ Saving reruns")
        await pilot.press("ctrl+s")
        await shows(pilot, "Saved lint.toml")
    assert path.read_text() == TEXT.replace("16", "164")
    async with editing_as_is(path) as pilot:  # once saved, it is no longer offered
        assert "r = 164" in screen_of(pilot.app)


async def test_what_was_typed_can_be_left_for_later_or_dropped(path: Path) -> None:
    await typed_and_ended(path)
    async with opened_again(path) as pilot:
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))
    path.write_text(TEXT + "# theirs\n")
    async with opened_again(path) as pilot:
        await shows(pilot, "The file was changed since then.")
        await pilot.press("d")
        await shows(pilot, "# theirs")
    async with editing_as_is(path) as pilot:
        assert "r = 16" in screen_of(pilot.app)


async def test_half_a_character_that_is_pasted_is_replaced(path: Path) -> None:
    async with editing(path) as pilot:
        pilot.app.post_message(Paste("# \ud800"))
        await shows(pilot, "# �schema", "* not saved")
        await pilot.press("ctrl+s")
        await shows(pilot, "Saved lint.toml")
    assert path.read_text() == "# �" + TEXT


@pytest.mark.parametrize("key", ["d", "s"])
async def test_what_was_dropped_or_saved_is_not_offered_again(path: Path, key: str) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("escape")
        await shows(pilot, "changes that are not saved")
        await pilot.press(key)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Overview))
    assert not list(path.parents[1].glob("cache/ui/drafts/**/*.json"))


async def test_a_second_ctrl_s_during_a_slow_save_is_ignored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saves, go_on, save = [], threading.Event(), TextFile.save

    def slow(file: TextFile, text: str, *, overwrite: bool = False) -> None:
        saves.append(text)
        go_on.wait(20.0)
        save(file, text, overwrite=overwrite)

    monkeypatch.setattr(TextFile, "save", slow)
    async with editing(path) as pilot:
        try:
            await type_at_rank(pilot, "4")
            await pilot.press("ctrl+s")
            await wait_for(pilot, lambda: bool(saves))
            await pilot.press("ctrl+s")
            await shows(pilot, "It is being saved already")
        finally:
            go_on.set()
        await shows(pilot, "Saved lint.toml")
        assert saves == [TEXT.replace("16", "164")]
        assert not isinstance(pilot.app.screen, Question)
        await type_at_rank(pilot, "8")
        await pilot.press("ctrl+s")
        await wait_for(pilot, lambda: len(saves) == 2 and "1648" in path.read_text())


async def test_problems_of_a_text_that_is_gone_are_not_shown(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    go_on = {"bad": threading.Event(), "theirs": threading.Event()}
    problems = EditorDesk.problems

    def slow(desk: EditorDesk, path: Path, text: str, variant: Variant) -> Sequence[Problem]:
        for word, event in go_on.items():
            if word in text:
                begun.append(word)
                event.wait(20.0)
        return problems(desk, path, text, variant)

    monkeypatch.setattr(EditorDesk, "problems", slow)
    async with editing(path) as pilot:
        try:
            await type_at_rank(pilot, "bad")
            await wait_for(pilot, lambda: begun == ["bad"])
            path.write_text("# theirs\n")
            pilot.app.screen._read_again()
            await shows(pilot, "# theirs")
            go_on["bad"].set()
            await wait_for(pilot, lambda: begun == ["bad", "theirs"])
            assert "line 5" not in await shows(pilot, "# theirs")
        finally:
            for event in go_on.values():
                event.set()


@pytest.mark.parametrize(
    ("owner", "question", "keys"),
    [
        (EditorDesk, "manifest", ["m"]),
        (TextFile, "read", ["m"]),
        (Draft, "read", ["m"]),
        (EditorDesk, "fields", ["m"]),
        (EditorDesk, "problems", ["m"]),
        (EditorDesk, "effect", ["m"]),
        (TextFile, "save", ["m", "4", "ctrl+s"]),
    ],
)
def test_the_end_does_not_wait_for_an_answer(
    path: Path, owner: type, question: str, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, real = threading.Event(), getattr(owner, question)

    async def use() -> None:
        app = DashboardApp(EditorDesk(path.parents[1]))
        app.selected = "lint:train"
        async with app.run_test(size=SIZES[0]) as pilot:
            await shows(pilot, sample.RUN)
            for key in keys:
                await pilot.press(key)
                await wait_for(pilot, lambda: begun.is_set() or screen_of(app).count("✓") == 2)  # run and text
            await wait_for(pilot, begun.is_set)

    with unanswered() as answer:

        def slow(*given: Any, **named: Any) -> Any:
            begun.set()
            answer.wait()
            return real(*given, **named)

        monkeypatch.setattr(owner, question, slow)
        asyncio.run(use())  # which waits for the threads that the loop knows


async def test_undo_and_redo(path: Path) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        await shows(pilot, "r = 164")
        await pilot.press("ctrl+z")
        await wait_for(pilot, lambda: "r = 164" not in screen_of(pilot.app))
        await pilot.press("ctrl+y")
        await shows(pilot, "r = 164")


@AT_BOTH_SIZES
async def test_the_field_at_the_cursor_is_explained(path: Path, size: tuple[int, int]) -> None:
    async with editing(path, size) as pilot:
        pilot.app.screen.editor.go_to(R_LINE - 1)
        await shows(pilot, "lora.r: whole number 1–1024, default 16. Rank of the adapter.")
        await pilot.press("ctrl+o")
        await shows(pilot, "alpha  whole number at least 1, default 32", "Scale of the adapter.")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ManifestView))
        await pilot.press("down")
        await shows(pilot, "lora.alpha: whole number at least 1")


async def test_f1_lists_the_keys_and_letters_are_typed(path: Path) -> None:
    async with editing(path) as pilot:
        await pilot.press("f1")
        await shows(pilot, "save; with problems, press it twice")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))
        await pilot.press(*"q?B", "l")
        await shows(pilot, "q?Blschema = 1")


@AT_BOTH_SIZES
async def test_f4_goes_to_fgbuild_toml_and_back(path: Path, size: tuple[int, int]) -> None:
    async with editing(path, size) as pilot:
        await pilot.press("f4")
        await shows(pilot, " fgbuild.toml", "# of the project")
        await pilot.press("x", "f4")
        await shows(pilot, "fgbuild.toml has changes that are not saved")
        await pilot.press("d")
        await shows(pilot, "manifests/lint.toml", "r = 16")


async def test_f9_builds_what_is_saved(path: Path) -> None:
    async with editing(path) as pilot:
        await type_at_rank(pilot, "4")
        await pilot.press("f9")
        await shows(pilot, "Not built: save first, with ^s.")
        await pilot.press("ctrl+s")
        await shows(pilot, "Saved lint.toml")
        await pilot.press("f9")
        await shows(pilot, "Build started")
        assert ("build", ("lint",), None) in pilot.app.desk.asked
    for process in pilot.app.desk.started:
        process.wait()


async def test_f9_says_that_the_build_runs_until_it_has_ended(path: Path) -> None:
    (path.parents[1] / "gate").touch()
    waits = "import pathlib, time\nwhile pathlib.Path('gate').exists():\n    time.sleep(0.02)"
    code = f"import os; os.chdir({str(path.parents[1])!r})\n{waits}"
    async with editing(path, code=code) as pilot:
        await pilot.press("f9")
        await shows(pilot, "Build started with this file; Esc")
        pilot.app.clear_notifications()
        await shows(pilot, "✓ A build runs with this file; Esc shows it.")
        await type_at_rank(pilot, "4")
        await shows(pilot, "Saving reruns lint:train")
        await pilot.press("backspace")
        await shows(pilot, "✓ A build runs with this file")
        (path.parents[1] / "gate").unlink()
        await shows(pilot, "Nothing changes: all is up to date.")
    for process in pilot.app.desk.started:
        process.wait()


async def test_f4_and_back_keeps_the_place(path: Path) -> None:
    async with editing(path) as pilot:
        editor = pilot.app.screen.editor
        await pilot.press(*["down"] * 4, "right")
        assert editor.cursor_location == (4, 1)
        await pilot.press("f4")
        await shows(pilot, "# of the project")
        await wait_for(pilot, lambda: editor.cursor_location == (0, 0))
        await pilot.press("down")
        await pilot.press("f4")
        await shows(pilot, "manifests/lint.toml", "r = 16")
        await wait_for(pilot, lambda: editor.cursor_location == (4, 1))
        await pilot.press("f4")
        await shows(pilot, "# of the project")
        await wait_for(pilot, lambda: editor.cursor_location == (1, 0))


async def test_ctrl_f_finds_words_in_the_file(path: Path) -> None:
    async with editing(path) as pilot:
        app, editor = pilot.app, pilot.app.screen.editor
        type_at_once(app, "ctrl+f", "l", "i", "n", "t")
        await shows(pilot, "1 of 1")
        assert editor.selection == ((1, 8), (1, 12))
        await pilot.press(*["backspace"] * 4, "a", "l")
        await shows(pilot, "1 of 1")
        assert editor.selected_text == "al"
        await pilot.press("backspace")
        for key, place in (
            ("enter", 2),
            ("down", 3),
            ("up", 2),
            ("up", 1),
            ("up", 5),
            ("enter", 1),
            ("up", 5),
            ("up", 4),
            ("up", 3),
        ):
            await pilot.press(key)
            await shows(pilot, f"{place} of 5")
        await pilot.press("z")
        await shows(pilot, "not found")
        await pilot.press("escape", "x")
        await wait_for(pilot, lambda: editor.text == TEXT.replace("[lora]", "[lorx]"))


async def test_f9_does_not_build_a_file_with_problems(path: Path) -> None:
    path.write_text(TEXT.replace("16", "bad"))
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await shows(pilot, "1 problem")
        await pilot.press("f9")
        await shows(pilot, "Not built: the file has problems")
        assert not app.desk.started


async def test_without_any_stage_it_says_what_to_do(path: Path) -> None:
    shutil.rmtree(path.parents[1] / "cache")
    async with DashboardApp(EditorDesk(path.parents[1])).run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "No build has run here yet.")
        await pilot.press("m")
        await shows(pilot, "No domain is chosen")
        await pilot.press("ctrl+s", "f9", "f8", "ctrl+o", "escape")  # nothing to do it with
        await pilot.press("f4")
        await shows(pilot, "# of the project")


async def test_the_shared_base_is_set_in_fgbuild_toml(path: Path) -> None:
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "base"
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await shows(pilot, "# of the project")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), (b"\xff\xfe", "not UTF-8"), (b"a = 1\r\nb = 2\n", "line ends of several kinds")],
)
async def test_a_file_that_cannot_be_edited_says_why(path: Path, content: bytes | None, sentence: str) -> None:
    path.unlink() if content is None else path.write_bytes(content)
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        await wait_for(pilot, lambda: sentence in " ".join(screen_of(app).split()))


async def test_hostile_text_is_inert_and_saved_as_it_was(path: Path) -> None:
    hostile = TEXT + "# \x1b[2J\x1b]0;owned\x07 \u202e [bold]x[/bold]\n"
    path.write_text(hostile)
    app = DashboardApp(EditorDesk(path.parents[1]))
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("m")
        screen = await shows(pilot, "␛[2J", "[bold]x[/bold]")
        assert not set(screen) & set("\x1b\x07\u202e")
        await pilot.press("#", "ctrl+s")
        await wait_for(pilot, lambda: path.read_text() == "#" + hostile)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_the_colours_are_those_of_the_theme(path: Path, theme: str) -> None:
    async with editing(path) as pilot:
        if theme not in pilot.app.available_themes:
            pytest.skip("this textual has no such theme")
        pilot.app.theme = theme
        await pilot.pause(0.1)
        editor = pilot.app.screen.editor
        key = editor.get_component_rich_style("toml-editor--key", partial=True).color
        parts = [part for part in editor.render_line(R_LINE) if "alpha" in part.text]
        assert [part.style.color for part in parts] == [key]
