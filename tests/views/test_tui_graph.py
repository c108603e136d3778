from __future__ import annotations

from pathlib import Path

import pytest
import views_sample as sample
from runs_sample import graph_app as app_of
from tui_sample import AT_BOTH_SIZES, SIZES, dashboard, screen_of, shows, wait_for

from fgbuild.views.tui import graph


@AT_BOTH_SIZES
async def test_stages_their_states_and_what_they_wait_for(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_of(tmp_path, "lint:export")
    async with app.run_test(size=size) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("g")
        screen = await shows(pilot, "base", "lint", "✓ done 6m 41s", "≡ current", "because lora.r: 16 → 32", "▸export")
        assert "lint:export waits for lint:train; for it wait lint:verify, lint:eval" in screen
        rows = {line.split("▶")[1].split()[0].strip("▸"): line for line in screen.splitlines()[:10] if "▶" in line}
        assert rows["verify"].split("▶")[0].strip() == "│   ├─"
        assert rows["eval"].split("▶")[0].strip() == "│   ╰─"
        assert {len(line) for line in screen.splitlines()} == {size[0]}


@AT_BOTH_SIZES
async def test_arrows_choose_and_the_choice_is_always_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, sample.RUN)
        await pilot.press("g")
        await shows(pilot, "▸eval", "lint:eval waits for")  # what one would look at first
        await pilot.press(*["up"] * 7)
        await shows(pilot, "▸base")
        await wait_for(pilot, lambda: app.selected == "base")
        await pilot.press("up", *["down"] * 3)
        await wait_for(pilot, lambda: app.selected == "lint:train")
        await pilot.press("right")
        await wait_for(pilot, lambda: app.selected == "test:train")
        await pilot.press("left", "left")
        await wait_for(pilot, lambda: app.selected == "sample_data:train")
        await pilot.press(*["down"] * 9)
        await wait_for(pilot, lambda: app.selected == "sample_data:eval")
        await shows(pilot, "▸eval", "sample_data:eval waits for")
        if size[1] == 24:
            assert "base" not in screen_of(app).splitlines()[1]
        await pilot.press(*["up"] * 30)
        await shows(pilot, "▸base")


async def test_enter_opens_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    app = app_of(tmp_path, "lint:train")
    monkeypatch.setattr(app, "action_open", opened.append)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await app.push_screen(graph.GraphView())
        await shows(pilot, "▸train")
        await pilot.press("enter")
        await wait_for(pilot, lambda: opened == ["log"])


async def test_the_wheel_moves_the_choice(tmp_path: Path) -> None:
    app = app_of(tmp_path, "lint:train")
    async with app.run_test(size=SIZES[0]) as pilot:
        await app.push_screen(graph.GraphView())
        await shows(pilot, "▸train")
        app.screen.query_one(graph.GraphPanel).post_message(graph.Listing.Moved(1))
        await shows(pilot, "▸export")


async def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("g")
        await shows(pilot, graph.EMPTY)
        await pilot.press("down", "right")
        await pilot.press("escape")
        await shows(pilot, "No build has run here yet.")


async def test_many_domains_are_drawn_quickly(tmp_path: Path) -> None:
    recorder = sample.Recorder()
    stages = [{"id": f"d{number}:{kind}", "action": "skip"} for number in range(500) for kind in sample.KINDS]
    recorder.emit("run.started", stages=stages)
    sample.write_log(tmp_path, recorder.events)
    app = dashboard(tmp_path, sample.RUN)
    app.selected = "d400:train"
    async with app.run_test(size=SIZES[0]) as pilot:
        await app.push_screen(graph.GraphView())
        await shows(pilot, "d400", "▸train")
