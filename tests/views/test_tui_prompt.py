from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from textual.widgets import Input
from tui_sample import ANSWER, AT_BOTH_SIZES, SIZES, WORDS, dashboard, screen_of, shows, type_at_once, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.prompt import PromptView

OTHERS = ("test:", "docstring:", "sample_data:")


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.05)


def asked(app: Any) -> list[tuple[str, str]]:
    return [each[1:] for each in app.desk.asked if each[0] == "call"]


async def opened(pilot: Any, chosen: str | None = None) -> None:
    await shows(pilot, "✓ done")
    pilot.app.selected = chosen
    await pilot.press("p")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, PromptView) and isinstance(pilot.app.focused, Input))
    await shows(pilot, "press enter")


@AT_BOTH_SIZES
async def test_enter_asks_and_shows_calls_and_how_it_ended(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=ANSWER)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, "test:train")
        await shows(pilot, "Ask test  2 of 4 domains")
        app.screen.query_one(Input).value = "What is F841?"
        await pilot.press("enter")
        screen = await shows(
            pilot,
            "test › What is F841?",
            '"name": "explain_rule"',
            '"rule": "F841"',
            "start_function_response",
            "1.2 s",
        )
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        app.desk.answer = WORDS
        await pilot.press("h", "i", "enter")
        await shows(pilot, "test › hi", "no call", "says  Which file?", "Say its path.", "<end_of_turn> · 0.4 s")
    assert asked(app) == [("test", "What is F841?"), ("test", "hi")]


@AT_BOTH_SIZES
async def test_tab_asks_another_domain(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=WORDS)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await shows(pilot, "Ask lint  1 of 4 domains")
        await pilot.press("tab")
        await shows(pilot, "Ask test  2 of 4 domains")
        await pilot.press("shift+tab", "shift+tab")
        await shows(pilot, "Ask sample_data  4 of 4 domains")
        await pilot.click("DomainLine")
        await shows(pilot, "Ask lint  1 of 4 domains")
        await pilot.press("x", "enter")  # the input has kept the focus
        await wait_for(pilot, lambda: asked(app) == [("lint", "x")])


async def test_up_and_down_bring_prompts_back(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=WORDS)
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot)
        for prompt in ("a", "b"):
            await pilot.press(prompt, "enter")
            await shows(pilot, f"lint › {prompt}")
            await wait_for(pilot, lambda: "answers…" not in screen_of(app))
        field = app.screen.query_one(Input)
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(field.value)
        assert seen == ["b", "a", "a", "b", "", ""]


async def test_prompts_that_are_typed_at_once(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=WORDS)
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot)
        type_at_once(app, *"at", "left", "tab", "shift+tab", *"bc", "delete", "enter", "tab", *"de")
        await shows(pilot, "lint › abc", "Ask test", "Which file?")
        assert asked(app) == [("lint", "abc")]
        assert app.screen.query_one(Input).value == "de"
        type_at_once(app, "f", "up", "d", "enter", "g", "escape", "h")
        await shows(pilot, "how it ended")
        assert asked(app) == [("lint", "abc"), ("test", "abcd")]


async def test_while_a_model_answers_it_says_so_and_takes_no_other_prompt(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=WORDS, thinks=True)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("a", "enter")
        await shows(pilot, "lint › a", "● lint answers…")
        await pilot.press("b", "enter")
        await shows(pilot, "lint still answers; press enter")
        assert app.screen.query_one(Input).value == "b"
        app.desk.thinks = False
        await shows(pilot, "Which file?")
        assert "answers…" not in screen_of(app)
    assert asked(app) == [("lint", "a")]


@pytest.mark.parametrize("key", ["escape", "quit"])
async def test_leaving_does_not_wait_for_the_answer(tmp_path: Path, key: str) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=WORDS, thinks=True)
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot)
        await pilot.press("a", "enter")
        await shows(pilot, "● lint answers…")
        started = time.monotonic()
        if key == "quit":
            app.exit()
        else:
            await pilot.press(key)
            await wait_for(pilot, lambda: isinstance(app.screen, Overview))
    assert time.monotonic() - started < 8


async def test_what_goes_wrong_is_a_sentence(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=FgbuildError("lint has no GGUF; run `fgbuild build lint` [/x]\x1b[2J"))
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await shows(pilot, "The prompt is empty: write what the user says")
        await pilot.press("a", "enter")
        await shows(pilot, "✗ lint has no GGUF; run `fgbuild build lint` [/x]␛[2J")


async def test_an_error_that_nobody_expected_is_a_sentence(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=sqlite3.OperationalError("database is locked"))
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot)
        await pilot.press("a", "enter")
        await shows(pilot, "✗ It failed unexpectedly (OperationalError: database is locked)")


async def test_before_the_first_build_it_says_what_to_do(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.press("p")
        await shows(pilot, "No domain is known yet", "B to build.")
        await pilot.press("a", "enter")
        await pilot.press("tab")
        sample.write_log(tmp_path, sample.whole_run())
        await shows(pilot, "Ask lint  1 of 4 domains")
    assert asked(app) == []


async def test_an_answer_of_odd_shape_or_hostile_text_is_inert(tmp_path: Path) -> None:
    odd = {
        "calls": [{"name": "\u202e[bold]x[/nothing]", "arguments": {"a": ["$primary"]}}],
        "text": "\x1b[2J" + "A" * 100_000,
        "malformed": "it does\x07 not end",
        "raw": "<x>\r",
        "stopped_on": None,
        "seconds": "soon",
    }
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, answer=odd)
    async with app.run_test(size=SIZES[1]) as pilot:
        await opened(pilot)
        await pilot.press("a", "enter")
        screen = await shows(pilot, "✗ not well formed: it does", "wrote  <x>", "stopped on nothing · ? s")
        await pilot.press(*["pageup"] * 5)
        screen += await shows(pilot, "lint › a", "[bold]x[/nothing]", "␛[2J")
        assert not set(screen) & set("\x1b\x07\r\u202e")
        await pilot.press(*["pagedown"] * 5)
        await shows(pilot, "stopped on nothing")


async def test_f1_lists_its_keys(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=(100, 60)) as pilot:
        await opened(pilot)
        await pilot.press("f1")
        screen = await shows(pilot, "Everywhere")
        for binding in PromptView.KEYS:
            assert binding.tooltip in screen


async def test_keys_are_spelled_alike_in_footer_and_help_and_stand_apart_from_what_they_do(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=(100, 50)) as pilot:
        await shows(pilot, "✓ done")
        await pilot.press("p")
        await shows(pilot, "Esc Back", "Tab Next domain", "F1 Help")
        await pilot.press("f1")
        screen = await shows(pilot, "Shift+Tab ask the one before", "F1        show this help")
        assert "Esc       go back to the overview" in screen


async def test_of_one_domain_its_place_is_not_told(tmp_path: Path) -> None:
    events = sample.whole_run()
    events[0]["stages"] = [stage for stage in sample.stages() if stage["domain"] in (None, "lint")]
    sample.write_log(tmp_path, [event for event in events if not str(event.get("stage", "lint:")).startswith(OTHERS)])
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✓ done")
        await pilot.press("p")
        screen = await shows(pilot, "Ask lint")
        assert "of 1" not in screen
