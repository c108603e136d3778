from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from tui_sample import AT_BOTH_SIZES, LATER_RUN, dashboard, screen_of, shows, wait_for, write_output

from fgbuild.errors import FgbuildError
from fgbuild.views.records import BuildState
from fgbuild.views.state import apply
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.standing import NOTHING, Standing, look, stamp


def entries(*due: str) -> list[dict[str, Any]]:
    """The plan of everything, with a domain that no run has built; `due` would run, each because its rank changed."""
    reasons = [{"component": "lora.r", "old": "16", "new": "32"}]
    plan = [*sample.stages(()), {"id": "new:train", "kind": "train", "domain": "new", "action": "run"}]
    for each in plan:
        if each["id"] in due:
            each |= {"action": "run", "reasons": reasons, "predicted_seconds": 60.0}
    return plan


def lint_alone(start: float = sample.START) -> sample.Recorder:
    """A later run that planned no stage but those of lint, and has not ended."""
    recorder = sample.Recorder(LATER_RUN, start)
    sample.begin(recorder)
    recorder.events[0]["stages"] = [each for each in sample.stages() if each["domain"] == "lint"]
    del recorder.events[1:]
    return recorder


def one_after_all(root: Path) -> sample.Recorder:
    """Logs of a run of everything, and of one of lint alone that has ended."""
    sample.write_log(root, sample.whole_run())
    recorder = lint_alone()
    sample.train(recorder)
    sample.below(recorder)
    sample.write_log(root, recorder.events, LATER_RUN)
    return recorder


def test_what_a_run_did_not_plan_is_as_the_last_run_that_did_left_it(tmp_path: Path) -> None:
    recorder = one_after_all(tmp_path)
    state = BuildState()
    for event in recorder.events:
        apply(state, event)
    standing = look(tmp_path, LATER_RUN, set(state.stages), entries("lint:train"))
    assert set(standing.others) == {each["id"] for each in entries()} - set(state.stages)
    assert standing.runs["test:train"] == sample.RUN
    assert "new:train" not in standing.runs
    assert standing.others["test:train"].action == "skip"
    assert list(standing.whole(state).stages) == [each["id"] for each in entries()]
    assert standing.due == ["lint:train", "new:train"]
    assert standing.seconds is None
    assert NOTHING.whole(state) is state


def test_no_later_run_is_looked_at(tmp_path: Path) -> None:
    one_after_all(tmp_path)
    assert not look(tmp_path, sample.RUN, set(), entries()).runs


@AT_BOTH_SIZES
async def test_domains_that_a_build_left_out_are_still_there(tmp_path: Path, size: tuple[int, int]) -> None:
    one_after_all(tmp_path)
    async with dashboard(tmp_path, entries=entries()).run_test(size=size) as pilot:
        screen = await shows(pilot, LATER_RUN, " docstring ", " sample_data ", "○ not built" if size[0] > 100 else "○ ")
        assert " lint " in screen
        assert "≠" not in screen
        await pilot.press("down")
        await shows(pilot, "▸ test:", "≡ current · in run " + sample.RUN)
        for key, words in (("d", "test"), ("escape", LATER_RUN), ("p", "Ask test"), ("escape", LATER_RUN)):
            await pilot.press(key)
            await shows(pilot, words)
        pilot.app.choose("test:eval")  # type: ignore[attr-defined]
        await pilot.press("b")
        assert pilot.app.desk.asked[-1] == ("build", ("test",), "eval")  # type: ignore[attr-defined]


async def test_models_are_those_of_all_domains(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    recorder = lint_alone()
    recorder.events[0]["stages"] = [each for each in sample.stages() if each["domain"] == "test"]
    sample.write_log(tmp_path, recorder.events, LATER_RUN)
    async with dashboard(tmp_path, entries=entries()).run_test(size=(120, 40)) as pilot:
        await shows(pilot, LATER_RUN, "291.5 MB ✓ inside", "✓ 5/5 checks  ✓ tool 97.5%")


async def test_the_log_of_a_stage_that_the_run_left_out_is_that_of_its_own_run(tmp_path: Path) -> None:
    one_after_all(tmp_path)
    write_output(tmp_path, "printed then\n", "test:train", sample.RUN)
    app = dashboard(tmp_path, entries=entries())
    async with app.run_test() as pilot:
        await shows(pilot, " docstring ")
        app.choose("test:train")
        await pilot.press("l", "tab")
        await shows(pilot, "test:train", "printed then")
        await pilot.press("left", "left")
        await shows(pilot, "lint:")


@AT_BOTH_SIZES
async def test_what_has_changed_since_is_stale(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    below = [f"lint:{kind}" for kind in ("train", "export", "verify", "eval")]
    app = dashboard(tmp_path, entries=entries(*below)[:-1])
    app.selected = "lint:train"
    async with app.run_test(size=size) as pilot:
        screen = await shows(pilot, "≠ Inputs have changed since: B builds 4 stages, about 4m 00s; w says why")
        assert "▸ lint:train  ≠ stale · b would run it, as lora.r: 16 → 32 · about 1m 00s" in screen
        assert screen.count("≠ stale") == 5


async def test_files_are_looked_at_again_when_they_change(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path, entries=entries()[:-1])
    async with app.run_test() as pilot:
        await shows(pilot, "✓ done")
        await wait_for(pilot, lambda: bool(app.feed.standing.plan))
        assert "≠" not in screen_of(app)
        app.desk.entries = FgbuildError("manifests/lint.toml:4: no good")  # type: ignore[attr-defined]
        (tmp_path / "manifests").mkdir()
        (tmp_path / "manifests" / "lint.toml").write_text("no")
        await shows(pilot, "✗ manifests/lint.toml:4: no good")


async def test_nothing_is_stale_while_a_build_runs_nor_of_a_past_run(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    recorder = lint_alone(time.time())
    sample.train(recorder, steps=20)
    sample.write_log(tmp_path, recorder.events, LATER_RUN)
    app = dashboard(tmp_path, entries=entries("lint:export", "test:train"))
    async with app.run_test() as pilot:
        await shows(pilot, " docstring ")  # which says that it was looked
        assert "≠" not in screen_of(app)
        app.show_run(sample.RUN)
        await pilot.pause(1.5)
        assert "≠" not in screen_of(app)
        assert app.feed.standing is NOTHING


@pytest.mark.parametrize("name", ["fgbuild.toml", "manifests/lint.toml", "data/rows.jsonl"])
def test_the_stamp_changes_with_the_files(tmp_path: Path, name: str) -> None:
    before = stamp(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    between = stamp(tmp_path)
    (tmp_path / name).write_text("x")
    assert len({before, between, stamp(tmp_path)}) == 3


@AT_BOTH_SIZES
async def test_why_tells_of_a_stale_stage_why_it_ran_and_why_it_would(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    because = ["lint:train would run", "  because lora.r: 16 → 32"]
    app = dashboard(tmp_path, entries=entries("lint:train"), because=because)
    app.selected = "lint:train"
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "≠ stale")
        await pilot.press("w")
        await shows(pilot, "lint:train  ≠ stale", "and took 6m 41s", "As things are now:", "because lora.r: 16 → 32")
        app.choose("new:train")
        await shows(pilot, "○ not built", "It was never built.", "As things are now:")


def test_what_was_due_when_a_build_ran_is_no_news_of_its_end() -> None:
    state = BuildState()
    for event in sample.whole_run():
        apply(state, event)
    plan = apply(BuildState(), {"kind": "run.started", "stages": entries("lint:train")}).stages
    stage = state.stages["lint:train"]
    assert Snapshot(state, sample.START, False, standing=Standing(plan)).status(stage) == ("≠", "stale")
    assert Snapshot(state, sample.START, False, standing=Standing(plan, going=True)).status(stage) == ("✓", "done")


async def test_why_tells_of_which_run_it_is(tmp_path: Path) -> None:
    one_after_all(tmp_path)
    app = dashboard(tmp_path, entries=entries())
    app.selected = "test:train"
    async with app.run_test() as pilot:
        await shows(pilot, " docstring ")
        await pilot.press("w")
        await shows(pilot, f"In run {sample.RUN}: It was up to date")
