from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from runs_sample import compare_app as app_of
from tui_sample import AT_BOTH_SIZES, LATER_RUN, SIZES, FolderMade, dashboard, screen_of, shows, wait_for

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import compare
from fgbuild.views.tui.compare import CompareView
from fgbuild.views.tui.graph import GraphView
from fgbuild.views.tui.history import RunsView
from fgbuild.views.tui.overview import Overview


def squeezed(screen: str) -> list[str]:
    """The lines, without the scroll bar and with single spaces."""
    return [" ".join(line.rstrip(" ▁▂▃▄▅▆▇█").split()) for line in screen.splitlines()]


async def test_everything_of_two_runs_side_by_side(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(100, 75)) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        lines = squeezed(await shows(pilot, "lora.r", "Model"))
        assert f"A {sample.RUN} ✓ done 8m 10s fgbuild build --all" in lines
        assert "⣀ A (line) o B (marks) smoothed" in lines
        assert "final loss 0.01266 0.006332 −0.006332" in lines
        assert lines[lines.index("fgbuild") + 1] == "A 1.0 B 2.0"
        assert "cores" not in lines
        assert lines[lines.index("lora.r") + 1] == "A 16 B 32"
        assert "tokenize: output changed" not in lines  # it is told by what changed there
        assert "tool accuracy 97.5 % 87.5 % −10.0 points" in lines
        assert "argument match 85 % 85 % =" in lines
        assert "train 6m 41s 6m 41s =" in lines
        assert "GGUF size 291.544 MB 292.544 MB +1.000 MB" in lines


async def test_on_a_wide_terminal_values_stand_near_their_names(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(160, 75)) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        screen = await shows(pilot, "lora.r", "Model")
        (line,) = (line for line in screen.splitlines() if " tool accuracy" in line)
        assert line.index("97.5 %") < 45


@AT_BOTH_SIZES
async def test_both_losses_are_in_one_chart_and_the_rest_scrolls(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        screen = await shows(pilot, "A (line)", "B (marks)", "final loss")
        chart = "".join(line.split("│")[1] for line in screen.splitlines() if "│" in line)
        assert chart.count("o") >= 5
        assert any("\u2801" <= cell <= "\u28ff" for cell in chart)
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        await pilot.press("end")
        await shows(pilot, "GGUF size")


@AT_BOTH_SIZES
async def test_n_shows_the_next_domain_and_h_goes_back(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(RunsView())
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "lint  1 of 4 domains", "lora.r")
        await pilot.press("n")
        screen = await shows(pilot, "test  2 of 4 domains", "neither run has a loss")
        assert "lora.r" not in screen
        await pilot.press("n", "n", "n")
        await shows(pilot, "lint  1 of 4 domains")
        await pilot.press("h")
        await wait_for(pilot, lambda: isinstance(app.screen, RunsView))


@AT_BOTH_SIZES
async def test_s_swaps_the_runs(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, f"A {sample.RUN}", "lora.r")
        await pilot.press("s")
        lines = squeezed(await shows(pilot, f"A {LATER_RUN}", f"B {sample.RUN}"))
        assert "final loss 0.006332 0.01266 +0.006332" in lines
        assert lines[lines.index("lora.r") + 1] == "A 32 B 16"


async def test_it_begins_with_the_chosen_stages_domain(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    app.selected = "docstring:eval"
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, LATER_RUN)
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "docstring  3 of 4 domains")


async def test_what_the_store_has_stands_in_for_a_log_without_it(tmp_path: Path) -> None:
    metrics = b"".join(json.dumps({"step": step, "loss": 1 / step}).encode() + b"\n" for step in range(1, 9))
    report = json.dumps({"tool_accuracy": 0.75}).encode()
    files = {("test:train", "metrics.jsonl"): metrics, ("test:eval", "report.json"): report}
    app = app_of(tmp_path, made_files=FolderMade(files))
    app.selected = "test:train"
    async with app.run_test(size=(100, 60)) as pilot:
        await shows(pilot, LATER_RUN)
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        lines = squeezed(await shows(pilot, "test  2 of 4 domains", "Model"))
        assert "final loss 0.125 0.125 =" in lines
        assert "tool accuracy 75 % 75 % =" in lines


async def test_a_desk_that_cannot_tell_the_inputs_says_why_not(tmp_path: Path) -> None:
    app = app_of(tmp_path, differ=FgbuildError("cache/index.sqlite: damaged; remove it and build again"))
    async with app.run_test(size=SIZES[1]) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "final loss", "cache/index.sqlite: damaged; remove it and build again")
        await pilot.press("s")
        await shows(pilot, f"A {LATER_RUN}")


async def test_an_error_that_nobody_expected_is_a_sentence(tmp_path: Path) -> None:
    app = app_of(tmp_path, differ=sqlite3.OperationalError("database is locked"))
    async with app.run_test(size=SIZES[1]) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "final loss", "database is locked")


async def test_without_the_store_the_overview_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(tmp_path)
    asked: list[str] = []

    def locked(run: str) -> None:
        asked.append(run)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(app.desk, "made", locked)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, LATER_RUN, "│lint:train  loss")
        await wait_for(pilot, lambda: bool(asked))
        await pilot.pause(0.05)
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "database is locked")


async def test_a_view_opened_from_here_lies_over_the_overview_alone(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, LATER_RUN)
        await app.push_screen(RunsView())
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        await shows(pilot, "lora.r")
        await pilot.press("g")
        await wait_for(pilot, lambda: isinstance(app.screen, GraphView))
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, Overview))


async def test_inputs_that_nobody_knows_say_why(tmp_path: Path) -> None:
    app = app_of(tmp_path, differ={"lint:train": []})
    sample.write_log(tmp_path, sample.refused_run(), "20261105-1")
    sample.write_log(tmp_path, sample.half_run(pid=0), "20261106-1")
    async with app.run_test(size=SIZES[1]) as pilot:
        await app.push_screen(CompareView(sample.RUN, "20261105-1"))
        screen = await shows(pilot, "inputs not known: lint:generate, lint:tokenize (no longer in the store); ")
        words = " ".join(screen.split())
        assert "lint:verify (not passed in B)" in words
        assert "lint:eval (not run in B)" in words
        assert "lint:train" not in words.partition("not known: ")[2].partition(")")[0]
        await app.push_screen(CompareView("20261106-1", "20261105-1"))
        screen = await shows(pilot, "not run in A")
        words = " ".join(screen.split())
        assert "lint:export, lint:eval (not run in A, not run in B); lint:verify (not run in A, not passed" in words


def went_on(run: str) -> list[dict[str, Any]]:
    """The whole run, with a training that went on from the checkpoint of step 30, and other times."""
    events = [event for event in sample.whole_run(run) if event.get("step", 40) > 30 and event.get("done", 40) > 30]
    for event in events:
        if event["kind"] == "stage.finished" and event["stage"] == "lint:train":
            event["seconds"] = 101.0
        if event["kind"] == "stage.finished" and event["stage"] == "lint:export":
            event["seconds"] = 0.46
        if event["kind"] == "stage.finished" and event["stage"] == "lint:verify":
            event["seconds"] = 10.4
    return events


async def test_a_resumed_training_and_times_differ_as_they_are_shown(tmp_path: Path) -> None:
    first = sample.whole_run()
    for event in first:
        if event["kind"] == "stage.finished" and event["stage"] == "lint:export":
            event["seconds"] = 0.34
    sample.write_log(tmp_path, first)
    sample.write_log(tmp_path, went_on(LATER_RUN), LATER_RUN)
    app = dashboard(tmp_path, LATER_RUN)
    async with app.run_test(size=(100, 75)) as pilot:
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        lines = squeezed(await shows(pilot, "whole build"))
        assert "export 0.3 s 0.5 s +0.2 s" in lines
        assert "verify 10 s 10 s =" in lines
        place = lines.index("train 6m 41s 1m 41s")
        assert lines[place + 1] == "from step 1 31 resumed"


async def test_the_top_names_no_third_run_and_the_help_says_where_escape_goes(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    sample.write_log(tmp_path, sample.whole_run(), "20261106-1")
    app.feed.show("20261106-1")
    async with app.run_test(size=(100, 50)) as pilot:
        await app.push_screen(RunsView())
        await app.push_screen(CompareView(sample.RUN, LATER_RUN))
        screen = await shows(pilot, "two runs compared", "lora.r")
        assert "20261106-1" not in screen
        await pilot.press("question_mark")
        await shows(pilot, "go back to the past runs")


async def test_runs_without_stages(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await app.push_screen(CompareView("gone-1", "gone-2"))
        await shows(pilot, compare.NO_DOMAIN[:60])
        await pilot.press("n", "s")
        assert compare.NO_DOMAIN[:60] in screen_of(app)


@AT_BOTH_SIZES
async def test_the_last_good_builds_loss_lies_behind_the_present_one(tmp_path: Path, size: tuple[int, int]) -> None:
    rows = [{"step": step, "loss": 6.7 - step / 10} for step in range(1, 41)]
    metrics = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    earlier = Earlier("20261101-111111-0009", True, metrics)
    app = app_of(tmp_path, made_files=FolderMade(earlier={"lint": earlier}))
    asked: list[str] = []
    real = app.desk.made
    app.desk.made = lambda run: (asked.append(run), real(run))[1]  # type: ignore[method-assign]
    async with app.run_test(size=size) as pilot:
        screen = await shows(pilot, "· last good 20261101-111111-0009")
        chart = [line.split("│")[2] for line in screen.splitlines() if line.count("│") >= 4]
        assert sum(line.count("·") for line in chart) >= 5
        assert any("\u2801" <= cell <= "\u28ff" for line in chart for cell in line)
        app.draw()
        await pilot.pause(0.1)
        assert asked == [LATER_RUN]
        await pilot.resize_terminal(60, 24)
        await shows(pilot, "─ · last good ─")  # and no piece of the run's name


def nothing_trained() -> list[dict[str, Any]]:
    """A run in which every stage was up to date."""
    recorder = sample.Recorder()
    sample.begin(recorder)
    for kind in sample.KINDS[2:]:
        recorder.emit("stage.finished", stage=f"lint:{kind}", seconds=0.1, action="cached")
    recorder.emit("build.finished", ran=[], cached=[], skipped=[], failed=[], seconds=1.0, exit_code=0)
    return recorder.events


@AT_BOTH_SIZES
@pytest.mark.parametrize("maker", ["20261030-101010-0007", None])
async def test_a_training_that_was_not_run_shows_the_curve_it_was_made_with(
    tmp_path: Path, size: tuple[int, int], maker: str | None
) -> None:
    sample.write_log(tmp_path, nothing_trained())
    rows = [*({"step": step, "loss": 6.7 / step} for step in range(1, 41)), {"step": 40, "eval_loss": 0.2}]
    metrics = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    files = FolderMade({("docstring:train", "metrics.jsonl"): metrics}, makers={"docstring:train": maker or ""})
    app = dashboard(tmp_path, made_files=files)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "≡ current", "lint:train was not trained in")
        app.choose("docstring:eval")
        screen = await shows(pilot, "│docstring:train  loss 0.168", "◆", f"of {maker or 'an earlier run'}")
        chart = [line.split("│")[2] for line in screen.splitlines() if line.count("│") >= 4]
        assert any("\u2801" <= cell <= "\u28ff" for line in chart for cell in line)
        app.choose("lint:train")
        await shows(pilot, "lint:train was not trained in")


async def test_a_curve_of_this_run_goes_before_one_of_an_earlier_run(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    files = FolderMade({("docstring:train", "metrics.jsonl"): b'{"step": 1, "loss": 2.0}'})
    app = dashboard(tmp_path, made_files=files)
    async with app.run_test(size=SIZES[1]) as pilot:
        app.choose("docstring:train")
        await shows(pilot, "▸ docstring:train", "│lint:train  loss 0.0127")


class Earlier:
    def __init__(self, run: str, passed: bool, metrics: bytes) -> None:
        self.run, self.passed, self.metrics = run, passed, metrics
