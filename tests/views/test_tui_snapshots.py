"""Every view and dialog at two sizes, in colour and with NO_COLOR, as it is meant to look."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tui_snapshot
import views_sample as sample
from browse_sample import data_app, failures_app
from editor_sample import TEXT, EditorDesk, type_at_rank, write_manifest
from runs_sample import FAILED_RUN, GOING_RUN, compare_app, graph_app, run_with_reasons, why_app, write_runs
from textual.drivers.headless_driver import HeadlessDriver
from textual.filter import Monochrome
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from tui_sample import (
    ANSWER,
    HOSTILE_OUTPUT,
    LATER_RUN,
    SIZES,
    WORDS,
    SampleDesk,
    dashboard,
    shows,
    wait_for,
    write_output,
)

from fgbuild.events import Event
from fgbuild.views import runs
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui import feed, manifest
from fgbuild.views.tui.app import DashboardApp
from fgbuild.views.tui.compare import CompareView
from fgbuild.views.tui.draft import Draft
from fgbuild.views.tui.meters import Gpu, Meter, Reading
from fgbuild.views.tui.snapshot import Snapshot

NOW = sample.START + 185.0
READING = Reading(0.42, 9_400.0, 33_000.0, 3_150.0, (Gpu(0.87, 4_200.0, 24_000.0),))


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing on the screen depends on when and where it is drawn."""
    with monkeypatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TZ", "UTC")
        time.tzset()
        for typed_in in (Input, TextArea):
            patch.setattr(typed_in.cursor_blink, "_default", False)
        patch.setattr(feed.Feed, "snapshot", lambda self: Snapshot(self.state, NOW, self.going))
        patch.setattr(runs, "is_alive", lambda pid, started_at: pid is not None)
        patch.setattr(Meter, "read", lambda self, pid: READING)
        patch.setattr(app_module, "POLL_SECONDS", 0.02)
        patch.setattr(manifest, "DEBOUNCE_SECONDS", 0.02)
        yield
    time.tzset()


def of(events: list[Event], stage: str | None = None, **desk: Any) -> Callable[[Path], DashboardApp]:
    """A dashboard on these events, with that stage chosen."""

    def make(root: Path) -> DashboardApp:
        sample.write_log(root, events)
        app = dashboard(root, **desk)
        app.selected = stage
        return app

    return make


def hostile(root: Path) -> DashboardApp:
    write_output(root, HOSTILE_OUTPUT)
    return of(sample.half_run(), "lint:train")(root)


def past_runs(root: Path) -> DashboardApp:
    write_runs(root)
    sample.write_log(root, sample.half_run(), GOING_RUN)
    return dashboard(root, sample.RUN)


def why_trained(root: Path) -> DashboardApp:
    return why_app(root, "lint:train", run_with_reasons({"component": "dataset.count", "old": 1000, "new": 1500}))


def editor(root: Path) -> DashboardApp:
    write_manifest(root)
    app = DashboardApp(EditorDesk(root))
    app.selected = "lint:train"
    return app


def editor_with_draft(root: Path) -> DashboardApp:
    path = write_manifest(root)
    Draft(root, path).keep(TEXT.replace("16", "64"), TEXT)
    app = DashboardApp(EditorDesk(root))
    app.selected = "lint:train"
    return app


async def compare(pilot: Pilot[Any]) -> None:
    await pilot.app.push_screen(CompareView(sample.RUN, LATER_RUN))


def typed(words: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Into the manifest, behind the adapter's rank."""

    async def type_it(pilot: Pilot[Any]) -> None:
        await type_at_rank(pilot, words)

    return type_it


async def ask_twice(pilot: Pilot[Any]) -> None:
    for prompt, answer in (("What is F841?", ANSWER), ("hi", WORDS)):
        pilot.app.desk.answer = answer  # type: ignore[attr-defined]
        pilot.app.screen.query_one(Input).value = prompt
        await pilot.press("enter")
        await shows(pilot, f"lint › {prompt}", str(answer["stopped_on"]))


Step = tuple[str | Callable[[Pilot[Any]], Awaitable[None]], str]
"""Keys to press, one after the other, or what to do in their place; then words to wait for."""


@dataclass(frozen=True)
class Sight:
    """What is looked at: where the steps lead from the overview, once the words of each are on the screen."""

    name: str
    app: Callable[[Path], DashboardApp]
    steps: tuple[Step, ...]

    async def show(self, pilot: Pilot[Any]) -> None:
        await shows(pilot, "? Help")
        for do, words in self.steps:
            if isinstance(do, str):
                await pilot.press(*do.split())
            else:
                await do(pilot)
            await shows(pilot, words)


DATA: Step = ("d", "row 1 of 43")
FAILURES: Step = ("f", "failure 1 of 22")
MANIFEST: Step = ("m", "✓ Nothing changes")
PROMPT: Step = ("p", "press enter")
SIGHTS = [
    Sight("overview-done", of(sample.whole_run()), (("", "✓ done"),)),
    Sight("overview-failed", of(sample.failed_run()), (("", "✗ failed"),)),
    Sight("overview-running", of(sample.half_run()), (("", "cpu"),)),
    Sight("overview-empty", dashboard, (("", "No build has run here yet"),)),
    Sight("log-events", of(sample.whole_run(), "lint:train"), (("l", "finished   6m 41s"),)),
    Sight("log-output", hostile, (("l", "Tab Output"), ("tab", "last"), ("home", "␛[2J␛[31mred␛]0;owned␇"))),
    Sight("why", why_trained, (("w", "dataset.count"),)),
    Sight("graph", graph_app, (("g", "▸eval"),)),
    Sight("runs", past_runs, (("h", "0/0/1"), ("space down", f"▸ {FAILED_RUN}"))),
    Sight("compare", compare_app, ((compare, "lora.r"),)),
    Sight("data", data_app, (DATA,)),
    Sight("data-tools", data_app, (DATA, ("u", "level: string"))),
    Sight("data-prompt", data_app, (DATA, ("e", "<start_of_turn>"))),
    Sight("data-scenarios", data_app, (DATA, ("t", "check  41"))),
    Sight("failures", failures_app, (FAILURES,)),
    Sight("failures-confusion", failures_app, (FAILURES, ("c", "should be called"))),
    Sight("failures-scores", failures_app, (FAILURES, ("s", "at least"))),
    Sight("manifest", editor, (MANIFEST,)),
    Sight("manifest-problem", editor, (MANIFEST, (typed("bad"), "must be at least 1"))),
    Sight("manifest-cost", editor, (MANIFEST, (typed("4"), "✓ Saving reruns"))),
    Sight("manifest-unsaved", editor, (MANIFEST, (typed("4"), "✓ Saving reruns"), ("escape", "keep editing"))),
    Sight("manifest-draft", editor_with_draft, (("m", "were not saved"),)),
    Sight("manifest-fields", editor, (MANIFEST, ("ctrl+o", "The adapter."))),
    Sight("prompt", of(sample.whole_run(), "lint:train"), (PROMPT,)),
    Sight("prompt-answered", of(sample.whole_run(), "lint:train"), (PROMPT, (ask_twice, "Say its path."))),
    Sight("stop", of(sample.half_run(), "lint:train"), (("x", "Stop the whole build"),)),
    Sight("palette", of(sample.whole_run()), (("ctrl+p", "Build (b)"),)),
    Sight("help", of(sample.whole_run()), (("question_mark", "Everywhere"),)),
]


def size_name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=size_name)
@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
async def test_it_looks_as_before(tmp_path: Path, sight: Sight, size: tuple[int, int]) -> None:
    async with sight.app(tmp_path).run_test(size=size) as pilot:
        await sight.show(pilot)
        await tui_snapshot.check(pilot, f"{sight.name}-{size_name(size)}")


async def test_a_small_terminal(tmp_path: Path) -> None:
    async with of(sample.failed_run())(tmp_path).run_test(size=(50, 20)) as pilot:
        await shows(pilot, "✗ failed")
        await tui_snapshot.check(pilot, "overview-failed-50x20")


async def test_the_light_theme(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = DashboardApp(SampleDesk(tmp_path), theme="light")
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✓ done")
        await tui_snapshot.check(pilot, "overview-done-80x24-light")


@pytest.mark.parametrize("theme", ["textual-light", "textual-dark"])
@pytest.mark.parametrize("name", ["overview-failed", "overview-running", "log-events", "runs", "data", "failures"])
async def test_words_stand_out_from_their_ground(tmp_path: Path, name: str, theme: str) -> None:
    [sight] = [sight for sight in SIGHTS if sight.name == name]
    app = sight.app(tmp_path)
    app.theme = theme
    async with app.run_test(size=SIZES[0]) as pilot:
        await sight.show(pilot)
        await wait_for(pilot, lambda: not tui_snapshot.faint(app))


async def test_below_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeadlessDriver, "is_inline", True)
    async with of(sample.whole_run())(tmp_path).run_test(size=SIZES[1]) as pilot:
        await shows(pilot, "✓ done")
        await tui_snapshot.check(pilot, "overview-done-120x40-inline")


async def test_the_variable_takes_the_colour_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert any(isinstance(each, Monochrome) for each in of(sample.whole_run())(tmp_path)._filters)
