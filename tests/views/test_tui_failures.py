from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from browse_sample import FAILURES
from browse_sample import failures_app as opened
from textual.pilot import Pilot
from tui_sample import AT_BOTH_SIZES, SIZES, SampleDesk, begun_now, dashboard, screen_of, shows, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui.failures import FailuresView
from fgbuild.views.tui.help import HelpScreen
from fgbuild.views.tui.side_by_side import marked, side_by_side


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.05)


async def failures_of(pilot: Pilot[Any], *words: str) -> str:
    await shows(pilot, sample.RUN)
    await pilot.press("f")
    return await shows(pilot, *words)


async def test_scores_that_are_too_long_for_a_line_go_on_in_the_next(tmp_path: Path) -> None:
    scores = " ".join(("✗ abst.r 60 % < 80 %", "tool 80 % (base 10 %, bf16 85 %)", "args 70 %"))
    async with opened(tmp_path).run_test(size=(60, 24)) as pilot:
        screen = await failures_of(pilot, "✗ abst.r 60 %", "failure 1 of 22")
        assert scores in " ".join(screen.split())
        await pilot.resize_terminal(*SIZES[1])
        await shows(pilot, scores.replace("% tool", "%  tool").replace(") args", ")  args"))


@AT_BOTH_SIZES
async def test_scores_failures_and_the_chosen_one(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "✗ abst.r 60 % < 80 %", "tool 80 % (base 10 %, bf16 85 %)")
        screen = await shows(pilot, "failure 1 of 22 · 40 examples", "≠ Hello")
        assert "▶ lint-00002 clarify  other words" in screen  # of the scenario that fared worst
        assert "asked Mend [b]␍" in screen
        assert "≠ Which file?" in screen
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        await pilot.press("tab", "end")
        await shows(pilot, "≠ and reversed: where the two differ", "The last messages of the prompt", "Mind you")
        await shows(pilot, "Esc Back", "e Reason", "c Confusion")


async def test_beside_the_text_a_reason_is_whole_and_a_long_name_is_cut(tmp_path: Path) -> None:
    rows = [*FAILURES, {**FAILURES[2], "scenario": "s" * 40}]
    async with opened(tmp_path, rows).run_test(size=SIZES[1]) as pilot:
        screen = await failures_of(pilot, "words instead of a c")
        (long,) = (line for line in screen.splitlines() if "ssss" in line.partition("│")[0])
        heading = next(line for line in screen.splitlines() if " reason" in line)
        assert long.index("words") == heading.index("reason")
        assert "s" * 17 + "… words" in long
    async with opened(tmp_path).run_test(size=SIZES[1]) as pilot:
        await failures_of(pilot, "lint-00003 check    words instead of a call ")


@AT_BOTH_SIZES
async def test_keys_move_between_failures(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        page = pilot.app.screen.rows.page  # type: ignore[attr-defined]
        for key, place in (
            *(("down", 2), ("up", 1), ("end", 22), ("down", 22), ("home", 1)),
            *(("pagedown", min(page + 1, 22)), ("pageup", 1)),
        ):
            await pilot.press(key)
            await shows(pilot, f"failure {place} of 22")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, FailuresView))


@AT_BOTH_SIZES
async def test_e_and_t_filter(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("e")
        await shows(pilot, "words instead of a call  20", "wrong arguments  1")
        await pilot.press("down", "enter")
        await shows(pilot, "failure 1 of 20 (of 22)", "reason words instead of a call", "lint-00003")
        await pilot.press("t")
        await shows(pilot, "clarify  1", "check  21")
        await pilot.press("down", "enter")
        await shows(pilot, "no failure (of 22)", "No failure fits; press e or t")
        await pilot.press("y")
        await pilot.press("e", "home", "enter")
        await shows(pilot, "failure 1 of 1 (of 22)", "scenario clarify")
        await pilot.press("t", "escape")
        await shows(pilot, "failure 1 of 1 (of 22)")
        await pilot.press("t", "home", "enter")
        await shows(pilot, "failure 1 of 22")


@AT_BOTH_SIZES
async def test_c_shows_what_was_called_for_what(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("c")
        screen = await shows(pilot, "should be called", "called in its place")
        (no_call,) = (line for line in screen.splitlines() if "no call" in line)
        assert no_call.split("no call")[1].split() == ["8", "6", "✗", "fix_lint", "2"]
        (right,) = (line for line in screen.splitlines() if " 9 " in line)
        assert right.split("run_ruff")[1].split() == ["9", "9", "✓"]
        await pilot.press("c")
        await shows(pilot, "≠ Which file?")


@AT_BOTH_SIZES
async def test_s_shows_scores_and_scenarios(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("s")
        screen = await shows(pilot, "score", "at least", "base", "bf16")
        (tools,) = (line for line in screen.splitlines() if "Right tools" in line)
        assert tools.split("✓ Right tools")[1].split()[:8] == ["80", "%", "75", "%", "10", "%", "85", "%"]
        assert "✗ Abstention recall" in screen
        await pilot.press("tab", "end")
        screen = await shows(pilot, "scenario, worst first", "as it is remembered")
        assert screen.rindex("clarify ") < screen.rindex("check ")
        await pilot.press("s")
        await shows(pilot, "≠ Which file?")


@AT_BOTH_SIZES
async def test_y_copies_the_failure(tmp_path: Path, size: tuple[int, int]) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("y")
        await shows(pilot, "Copied the row as JSON, also to cache/ui/copied.txt.")
        assert json.loads(app.clipboard) == FAILURES[1]  # as the model wrote it


@pytest.mark.parametrize("key", ["enter", "p"])
async def test_the_request_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        names: list[str] = []
        monkeypatch.setattr(app, "action_open", names.append)
        await pilot.press(key)
        await wait_for(pilot, lambda: names == ["prompt"])
        assert app.prompt_text == "Mend [b]\r"  # the user's last words
        assert app.selected == "lint:eval"


@AT_BOTH_SIZES
async def test_left_and_right_go_to_other_domains(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path).run_test(size=size) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("right")
        await shows(pilot, "test  tool 100 %", "The evaluation has no failures")
        await pilot.press("c")
        await shows(pilot, "no table of tools")
        await pilot.press("left")
        await shows(pilot, "lint  ✗ abst.r", "failure 1 of 22")


async def test_a_report_that_is_gone_leaves_the_scores_of_the_log(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    app.selected = "lint:eval"
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "lint  tool 97.5 %", "no longer in the store", "Press b to")
        assert app.selected == "lint:eval"
        await pilot.press("right")
        await shows(pilot, "The evaluation of test is no longer in the store (cache/store): b makes")


async def test_before_an_evaluation_it_says_when(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "There is no evaluation of lint yet: lint:eval is waiting.")


async def test_a_run_that_ended_before_its_evaluation(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    app = dashboard(tmp_path)
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "lint:train failed, so lint:eval did not run: l shows its log.")


async def test_a_gate_that_did_not_pass_is_named_and_its_log_is_a_key_away(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.refused_run())
    app = dashboard(tmp_path)
    app.selected = "lint:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "lint:verify did not pass, so lint:eval did not run: l shows its log.")
        await pilot.press("l")
        await shows(pilot, "lint:verify", "smoke")


async def test_an_evaluation_that_a_build_would_make_has_its_key(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.half_run(pid=0))
    app = dashboard(tmp_path)
    app.selected = "lint:train"
    desk = app.desk
    assert isinstance(desk, SampleDesk)
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "lint:eval did not end in this run, so there is no evaluation: b builds")
        await pilot.press("b")
        await wait_for(pilot, lambda: desk.asked[-1:] == [("build", ("lint",), "eval")])
    desk.started[0].wait()


@pytest.mark.parametrize("error", [FgbuildError("the index is damaged; remove it"), PermissionError(13, "No", "index")])
async def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    app = opened(tmp_path)

    def refuse(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(app.desk, "made", refuse)
    async with app.run_test(size=SIZES[0]) as pilot:
        await failures_of(
            pilot, "index", "remove it" if isinstance(error, FgbuildError) else "Press r to read it again."
        )


async def test_help_lists_the_keys(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 60)) as pilot:
        await failures_of(pilot, "failure 1 of 22")
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        screen = screen_of(pilot.app)
        for binding in FailuresView.KEYS:
            assert binding.tooltip in screen


async def test_lines_of_unexpected_shapes_are_shown(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {"id": 3},
        {"id": None, "prompt": 4, "expected": [1], "got": {"a": None}, "reason": ["x"], "scenario": {}},
        {"prompt": [7, {"role": "user", "content": ["parts"]}, {"tool_calls": "no"}]},
    ]
    async with opened(tmp_path, odd).run_test(size=SIZES[0]) as pilot:
        await failures_of(pilot, "failure 1 of 3", "asked (nothing)")
        await pilot.press("down", "down")
        await shows(pilot, "failure 3 of 3")


def reversed_in(content: Any) -> list[str]:
    return [content.plain[span.start : span.end] for span in content.spans if "reverse" in str(span.style)]


def test_what_differs_is_marked() -> None:
    left = [(True, "<escape>"), (False, "src/app.py, line 3")]
    right = [(True, "<escape>"), (False, "src/lib.py, line 4")]
    one, other = marked(left, right)
    assert (reversed_in(one), reversed_in(other)) == (["app", "3"], ["lib", "4"])
    same = marked(left, left)
    assert [reversed_in(content) for content in same] == [[], []]


def test_long_texts_are_told_apart_from_where_they_begin_to_differ() -> None:
    left, right = [(False, "same " + "a b " * 700 + "end")], [(False, "same " + "c d " * 700 + "end")]
    one, other = marked(left, right)
    assert reversed_in(one)[0] == "a"
    assert "same" not in reversed_in(one)
    assert "end" not in reversed_in(other)


def test_narrow_columns_stand_one_under_the_other() -> None:
    told = side_by_side("expected", [(False, "yes")], "got", [], 30).plain
    assert told.splitlines() == ["  expected", "≠ yes", "  got", "≠ (nothing)"]
    assert "│" in side_by_side("expected", [(False, "yes")], "got", [], 60).plain
