from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from runs_sample import run_with_reasons
from runs_sample import why_app as why_of
from tui_sample import AT_BOTH_SIZES, SIZES, dashboard, screen_of, shows, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import reasons, why
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.view import NO_RUN

TEXT = "".join(f"line {number} of the prompt\n" for number in range(30))
OTHER_TEXT = TEXT.replace("line 7 of", "line seven of")


@AT_BOTH_SIZES
async def test_reasons_with_both_values_and_those_of_the_stage_above(tmp_path: Path, size: tuple[int, int]) -> None:
    events = run_with_reasons({"component": "dataset.count", "old": 1000, "new": 1500})
    app = why_of(tmp_path, "lint:train", events)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        screen = await shows(pilot, "lint:train  ✓ done", "4 of 25", "took 6m 41s, because", "dataset.count")
        lines = [" ".join(line.split()) for line in screen.splitlines()]
        assert lines.index("was 100 is 150") == lines.index("trainer.max_steps") + 1
        assert "was a1a1a1a1a1a1… is b2b2b2b2b2b2…" in lines
        nested = lines.index("lint:tokenize ✓ done in 3.0 s, because")
        assert lines.index("tokenize: output changed") < nested < lines.index("was 1000 is 1500")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, Overview))


async def test_texts_are_shown_as_what_changed_in_them(tmp_path: Path) -> None:
    events = run_with_reasons({"component": "prompt", "old": TEXT, "new": OTHER_TEXT})
    app = why_of(tmp_path, "lint:tokenize", events)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        screen = await shows(pilot, "- line 7 of the prompt", "+ line seven of the prompt", "lines the same")
        assert "line 20 of" not in screen


async def test_long_values_are_wrapped_and_whole(tmp_path: Path) -> None:
    long = " ".join(f"word{number}" for number in range(120))
    app = why_of(tmp_path, "lint:tokenize", run_with_reasons({"component": "x", "old": "short", "new": long}))
    async with app.run_test(size=(120, 60)) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        screen = await shows(pilot, "word118", "word119")
        shown = "".join(line[60:].strip() for line in screen.splitlines())
        assert "word57" in shown.replace(" ", "")


@AT_BOTH_SIZES
async def test_left_and_right_go_to_other_stages(tmp_path: Path, size: tuple[int, int]) -> None:
    app = why_of(tmp_path, None, run_with_reasons())
    async with app.run_test(size=size) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, "lint:", "of 25")  # what one would look at first
        app.choose("base")
        await shows(pilot, "base  ≡ current", "1 of 25")
        await pilot.press("left")
        await shows(pilot, "sample_data:eval", "25 of 25")
        await pilot.press("right")
        await shows(pilot, "1 of 25")
        assert app.selected == "base"


async def test_of_an_untouched_stage_the_desk_tells_when_it_was_made(tmp_path: Path) -> None:
    told = ["test:train is up to date", "  it last ran on 2026-11-02 09:00 (7m 05s, run 20261102-1)\x1b[2J"]
    app = why_of(tmp_path, "test:train", run_with_reasons(), because=told)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, "this run left it alone", "As things are now:", "it last ran on 2026-11-02", "␛[2J")
        await pilot.pause(0.1)
    assert app.desk.asked.count(("why", "test:train")) == 1


async def test_while_the_desk_looks_it_says_so_and_answers_keys(tmp_path: Path) -> None:
    gate = threading.Event()
    app = why_of(tmp_path, "test:train", run_with_reasons())
    app.desk.why = lambda stage, variant: [f"told of {stage}"] if gate.wait(8) else []  # type: ignore[method-assign]
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, why.LOOKING)
        await pilot.press("right")
        await shows(pilot, "test:export")
        gate.set()
        await shows(pilot, "told of test:export")


async def test_a_desk_that_cannot_tell_says_why_not(tmp_path: Path) -> None:
    app = why_of(tmp_path, "test:train", run_with_reasons(), because=FgbuildError("manifests/test.toml:3: no such key"))
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, "manifests/test.toml:3: no such key")


async def test_an_error_that_nobody_expected_is_a_sentence(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("database is locked")
    app = why_of(tmp_path, "test:train", run_with_reasons(), because=error)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, "database is locked")


async def test_another_run_is_asked_about_anew(tmp_path: Path) -> None:
    app = why_of(tmp_path, "test:train", run_with_reasons(), because=["it last ran on Monday"])
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, "it last ran on Monday")
        app.desk.because = ["it last ran on Tuesday"]  # type: ignore[attr-defined]
        app.show_run(sample.RUN)
        await shows(pilot, "it last ran on Tuesday")


async def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("w")
        await shows(pilot, NO_RUN)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (sample.failed_run(), ["✗ failed", "It failed:", "the loss is NaN at step 4;", "lower the rate"]),
        (sample.refused_run(), ["did not pass last time", "It did not pass:", "✗ smoke: 1 of 3, expected 3 of 3: no"]),
        (sample.failed_run(), ["l shows its log."]),
        (sample.half_run(pid=-1), ["■ stopped", "lora.r", "It ran"]),
    ],
)
async def test_how_a_stage_ended(tmp_path: Path, events: list[dict[str, Any]], words: list[str]) -> None:
    refused = any(event["kind"] == "stage.check" for event in events)
    app = why_of(tmp_path, "lint:verify" if refused else "lint:train", events)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        screen = await shows(pilot, *words)
        assert "size:" not in screen  # which passed


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (sample.failed_run(), "It does not run: it needs lint:train (failed)"),
        (sample.failed_run()[:-1], "It does not run: it needs lint:train (failed)"),  # the build still goes
        ([*sample.half_run(), sample.failed_run()[-1] | {"failed": []}], "It did not run: the build ended before its"),
    ],
)
async def test_stages_that_did_not_run_say_so(tmp_path: Path, events: list[dict[str, Any]], words: str) -> None:
    app = why_of(tmp_path, "lint:eval", events)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        await shows(pilot, words)


async def test_hostile_reasons_are_inert_and_quick(tmp_path: Path) -> None:
    hostile = "\x1b[2J[bold]x[/bold] [/nothing]\u202e\n" * 5_000
    own = [
        {"component": hostile, "old": hostile, "new": hostile + "y", "text": hostile},
        {"component": 3, "new": [hostile]},
    ]
    app = why_of(tmp_path, "lint:tokenize", run_with_reasons(*own))
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("w")
        screen = await shows(pilot, "[bold]x[/bold]")
        assert not set(screen_of(app)) & set("\x1b\u202e")
        assert screen
    reasons.reason_parts.cache_clear()
