from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from tui_sample import AT_BOTH_SIZES, LATER_RUN, SIZES, begun_now, dashboard, shows, two_trainings, wait_for

from fgbuild.events import encode
from fgbuild.views.tui import app as app_module
from fgbuild.views.tui import feed as feed_module
from fgbuild.views.tui import launch, loss_chart
from fgbuild.views.tui.app import DashboardApp
from fgbuild.views.tui.help import HelpScreen
from fgbuild.views.tui.loss_chart import LossChart


@pytest.fixture(autouse=True)
def _quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(app_module, "CLOCK_SECONDS", 0.05)


@AT_BOTH_SIZES
async def test_a_finished_run(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        screen = await shows(
            pilot, sample.RUN, "✓ done", "elapsed 8m 10s", "25/25 stages", "≡ current", "Done in 8m 10s"
        )
        assert "291.5 MB ✓" in screen
        assert "250–320 MB" in screen
        assert "✓ 5/5 checks" in screen
        assert "tool 97.5% args 85%" in screen
        assert "loss 0.0127" in screen
        assert "◆ eval 0.0293" in screen
        assert "fp32 on cpu" in screen
        assert {len(line) for line in screen.splitlines()} == {size[0]}
        await shows(pilot, "? Help", "l Log", "w Why")


@AT_BOTH_SIZES
async def test_a_running_build(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        screen = await shows(pilot, "● running", "● 45%", "18/40 steps", "812 tok/s", "3.1 GB", "○ waiting")
        assert "because lora.r: 16 → 32" in screen
        assert "ETA" in screen
        assert "█████░░░░░░░ 45%" in screen
        assert "nothing yet" in screen


async def test_a_growing_log_is_picked_up_and_a_corrupted_line_ignored(tmp_path: Path) -> None:
    events = begun_now()
    path = sample.write_log(tmp_path, events[:-20])
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "● running")
        with path.open("ab") as stream:
            stream.write(b'{"kind": "stage.note", "stage": \xff\xfe}\n[1, 2]\n{"no": "kind"}\n')
            for event in events[-20:]:
                stream.write(encode(event))
            stream.write(b'{"kind": "stage.note", "stage": "lint:train", "te')
            stream.flush()
            await shows(pilot, "18/40 steps")
            stream.write(b'xt": "the rest of a torn line"}\n')
            stream.flush()
            await shows(pilot, "the rest of a torn line")


async def test_a_new_run_is_followed_but_not_in_replay(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    following, replaying = dashboard(tmp_path), dashboard(tmp_path, sample.RUN)
    for app, expected in ((following, LATER_RUN), (replaying, sample.RUN)):
        async with app.run_test(size=SIZES[0]) as pilot:
            await shows(pilot, sample.RUN)
            if app is following:
                sample.write_log(tmp_path, sample.whole_run(LATER_RUN), LATER_RUN)
            await pilot.pause(0.2)
            await shows(pilot, expected)


async def test_a_build_whose_process_died(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.half_run(pid=os.getpid()))  # began long before this process did
    async with dashboard(tmp_path).run_test(size=SIZES[1]) as pilot:
        screen = await shows(pilot, "■ stopped early", "■ stopped", "The build process is gone", "Press B to go on.")
        assert "elapsed 3m 01s" in screen  # up to its last word


async def test_a_failure_names_its_log(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    async with dashboard(tmp_path).run_test(size=SIZES[1]) as pilot:
        screen = await shows(pilot, "✗ failed", "○ not run", "✗ lint:train  the loss is NaN at step 4; lower the rate")
        assert sample.LOG_OF_FAILURE in screen


@AT_BOTH_SIZES
async def test_a_training_whose_loss_rose_is_not_simply_done(tmp_path: Path, size: tuple[int, int]) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    sample.train(recorder)
    for step in range(41, 81):
        recorder.emit("stage.metric", stage="lint:train", step=step, loss=8.0)
    sample.below(recorder)
    sample.write_log(tmp_path, recorder.events)
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "! loss rose " if size[0] > 100 else "! rose ")
        app.choose("lint:train")
        screen = await shows(pilot, "▸ lint:train  ! loss rose · 6m 41s")
        assert "Done in" in screen  # the build itself is
        await pilot.press("question_mark")
        await pilot.press("end")
        await shows(pilot, "loss rose: it trained to the end")


@AT_BOTH_SIZES
@pytest.mark.parametrize("replay", [True, False])
async def test_a_run_that_is_not_the_latest_says_so(tmp_path: Path, size: tuple[int, int], replay: bool) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    app = dashboard(tmp_path, sample.RUN if replay else None)
    async with app.run_test(size=size) as pilot:
        screen = await shows(pilot, sample.RUN)
        assert "not the latest" not in screen
        sample.write_log(tmp_path, sample.whole_run(LATER_RUN), LATER_RUN)
        if replay:
            await shows(pilot, sample.RUN, "✗ failed", "not the latest (r)")
            await pilot.press("r")
        else:
            await shows(pilot, LATER_RUN)
            await pilot.press("h", "down")
            await shows(pilot, f"▸ {sample.RUN}")
            await pilot.press("enter")
            await shows(pilot, sample.RUN, "✗ failed", "not the latest (r)")
            await pilot.press("l")
            await shows(pilot, "what its worker printed", "not the latest (r)")
            await pilot.press("r", "escape")
        assert "not the latest" not in await shows(pilot, LATER_RUN)


async def test_a_long_outcome_takes_the_lines_it_needs(tmp_path: Path) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    ids = [f"a_domain_with_a_long_name_{number}:train" for number in range(4)]
    for stage in ids:
        recorder.emit("stage.failed", stage=stage, message="no", exit_code=1)
    recorder.emit("build.finished", ran=[], cached=[], skipped=[], failed=ids, seconds=40.0, exit_code=1)
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        screen = await shows(pilot, "Failed in 40 s")
        whole = " ".join(screen.split())
        assert f"{', '.join(ids)} (4 failed, 21 up to date, 4 not run)." in whole
        await pilot.resize_terminal(*SIZES[1])
        await shows(pilot, ", ".join(ids[:2]))


async def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "No build has run here yet.", "Press B to build every domain", "no run yet")
        sample.write_log(tmp_path, sample.whole_run())
        await shows(pilot, "✓ done")


@AT_BOTH_SIZES
async def test_q_quits(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "● running")
        await pilot.press("q")
        await wait_for(pilot, lambda: app._exit)
    assert app.return_code == 0
    assert app.feed.going  # so that the command line can say that the build goes on


async def test_question_mark_lists_every_key(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=(100, 60)) as pilot:
        await pilot.press("question_mark")
        screen = await shows(pilot, "Everywhere", "Symbols")
        for binding in DashboardApp.KEYS:
            assert binding.tooltip in screen
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


async def test_a_run_that_begins_behind_the_help_is_there_when_it_closes(tmp_path: Path) -> None:
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await pilot.press("question_mark")
        await shows(pilot, "Everywhere")
        sample.write_log(tmp_path, sample.whole_run())
        await pilot.pause(0.2)
        await pilot.press("escape")
        await shows(pilot, sample.RUN, "✓ done")


@AT_BOTH_SIZES
async def test_r_goes_to_the_latest_run(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    sample.write_log(tmp_path, sample.whole_run(LATER_RUN), LATER_RUN)
    async with dashboard(tmp_path, sample.RUN).run_test(size=size) as pilot:
        await shows(pilot, sample.RUN, "✗ failed")
        await pilot.press("r")
        screen = await shows(pilot, LATER_RUN, "✓ done")
        assert "failed" not in screen


@AT_BOTH_SIZES
async def test_n_shows_the_next_loss(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, two_trainings(5).events)
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        await shows(pilot, "│test:train  loss")  # the one that started last
        await pilot.press("n")
        await shows(pilot, "│lint:train  loss")
        await pilot.press("n")
        await shows(pilot, "│test:train  loss")


@AT_BOTH_SIZES
async def test_capital_b_starts_a_build_once_and_shows_it(tmp_path: Path, size: tuple[int, int]) -> None:
    app = dashboard(tmp_path, code="import time; time.sleep(30)")
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("B")
        await shows(pilot, "Build started")
        await pilot.press("B")
        await shows(pilot, "A build is already running.")
        sample.write_log(tmp_path, begun_now())
        await shows(pilot, sample.RUN, "● running")
    (build,) = app.desk.started
    assert build.poll() is None  # closing the dashboard did not stop it
    build.kill()
    build.wait()


async def test_a_build_that_cannot_begin_says_why(tmp_path: Path) -> None:
    code = "print('manifests/lint.toml:3: [trainer] is not a table\\x1b[2J'); raise SystemExit(2)"
    app = dashboard(tmp_path, code=code)
    async with app.run_test(size=SIZES[1], notifications=True) as pilot:
        await pilot.press("B")
        await shows(pilot, "exit code 2: manifests/lint.toml:3:", "[trainer] is not a table␛[2J")


async def test_a_build_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    (tmp_path / "cache").write_text("a file where a directory belongs")
    async with app.run_test(size=SIZES[1], notifications=True) as pilot:
        await pilot.press("B")
        await shows(pilot, "cache", "put that right", "the key again")


def test_the_build_gets_its_own_session_and_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os; print(os.getsid(0) == os.getpid(), os.getcwd())"
    monkeypatch.setattr(launch, "FGBUILD", (sys.executable, "-c", code))
    assert launch.start_build(tmp_path).wait() == 0
    assert launch.last_line(tmp_path) == f"True {tmp_path.resolve()}"


async def test_hostile_text_is_inert(tmp_path: Path) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\r[bold]x[/bold] [/nothing] $primary \u202e" + "A" * 1_000_000
    recorder = sample.Recorder(start=time.time())
    recorder.emit("run.started", base=hostile, command=hostile, pid=os.getpid(), stages=[{"id": f"{hostile}:train"}])
    recorder.emit("stage.started", stage="[red]d:train", reasons=[{"component": hostile, "old": 1, "new": hostile}])
    recorder.emit("stage.progress", stage="[red]d:train", done=1, total=2, unit=hostile)
    recorder.emit("stage.metric", stage="[red]d:train", step=1, loss=1.0)
    recorder.emit("stage.artifact", stage="[red]d:train", path=hostile, bytes=1, min_mb=0, max_mb=1)
    recorder.emit("stage.check", stage="[red]d:train", name=hostile, passed=False, reason=hostile)
    recorder.emit("stage.failed", stage="[red]d:train", message=hostile, log=hostile)
    recorder.emit("stage.note", stage="lint:train", text=hostile)
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=SIZES[1]) as pilot:
        screen = await shows(pilot, "[red]d", "✗ failed", "␛[2J")
        assert not set(screen) & set("\x1b\x07\r\u202e")


async def test_a_log_of_unexpected_shapes_is_shown(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {"kind": "run.started", "stages": [{"id": "lint:train"}, {"id": 3}, None, {"id": "x", "domain": "lint"}]},
        {"kind": "stage.progress", "stage": "lint:train", "done": 5, "total": 0},
        {"kind": "stage.metric", "stage": "lint:train", "loss": 2},
        {"kind": "stage.artifact", "stage": "lint:train", "min_mb": 3, "max_mb": 1, "bytes": 2_000_000},
        {"kind": "stage.note", "stage": "lint:train", "text": "no time"},
    ]
    sample.write_log(tmp_path, odd)
    async with dashboard(tmp_path).run_test(size=(30, 10)) as pilot:
        await shows(pilot, "fgbuild")
        await pilot.resize_terminal(200, 50)
        await shows(pilot, "lint:train", "no time")


async def test_a_long_log_is_attached_to_quickly(tmp_path: Path) -> None:
    events = begun_now()
    step = [event for event in events if "loss" in event][-1]
    path = sample.write_log(tmp_path, events)
    with path.open("ab") as stream:
        stream.write(b"".join(encode({**step, "step": 20 + index}) for index in range(20_000)))
    app = dashboard(tmp_path)
    started = time.monotonic()
    async with app.run_test(size=SIZES[0]) as pilot:
        await wait_for(pilot, lambda: app.feed.state.stages["lint:train"].metrics.get("step") == 20_019, 10.0)
    assert time.monotonic() - started < 5.0


async def test_a_long_log_leaves_the_loop_time_between_its_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "SLICE_EVENTS", 100)
    monkeypatch.setattr(feed_module, "SLICE_SECONDS", 0.0)  # each batch is a slice
    events = begun_now()
    step = [event for event in events if "loss" in event][-1]
    path = sample.write_log(tmp_path, events)
    with path.open("ab") as stream:
        stream.write(b"".join(encode({**step, "step": 20 + index}) for index in range(3_000)))
    app = dashboard(tmp_path)
    beats = 0
    beats_at: list[int] = []
    fold = app.feed.fold

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    def folded() -> tuple[bool, bool]:
        beats_at.append(beats)
        return fold()

    monkeypatch.setattr(app.feed, "fold", folded)
    async with app.run_test(size=SIZES[0]) as pilot:
        heart = asyncio.create_task(beat())
        app.show_run(sample.RUN)
        beats_at.clear()
        await wait_for(pilot, lambda: len(beats_at) > 30, 20.0)
        heart.cancel()
    assert len(set(beats_at[:30])) > 25


@AT_BOTH_SIZES
async def test_the_chosen_stage_stays_in_sight_among_many_domains(tmp_path: Path, size: tuple[int, int]) -> None:
    ids = [f"d{number:02d}:{kind}" for number in range(40) for kind in sample.KINDS]
    recorder = sample.Recorder(start=time.time())
    recorder.emit("run.started", pid=os.getpid(), stages=[{"id": name, "action": "run"} for name in ids])
    recorder.emit("stage.started", stage="d30:train")
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        screen = await shows(pilot, "▸ d30:train", "\n d30 ")  # what runs, without a key
        assert "\n d01 " not in screen
        await pilot.press(*["down"] * 9)
        await shows(pilot, "▸ d39:train", "\n d39 ")
        await pilot.press(*["up"] * 39)
        await shows(pilot, "▸ d00:train", "\n d00 ", "\n domain ")
        await pilot.press(*["down"] * 20)
        await shows(pilot, "▸ d20:train", "\n d20 ")


async def test_no_color(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    sample.write_log(tmp_path, sample.failed_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✗ failed", "○ not run", "≡ current")
        for strip in app.screen._compositor.render_strips():
            for part in strip.apply_filter(app._filters[0], app.screen.background_colors[1]):
                for colour in (part.style.color, part.style.bgcolor) if part.style else ():
                    if colour is not None and colour.triplet is not None:
                        assert max(colour.triplet) - min(colour.triplet) <= 2, (part.text, colour)


async def test_arrows_choose_a_stage_and_a_gives_the_choice_back(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "▸ lint:train  ● running")  # what runs is chosen first
        for key, stage in (
            ("left", "lint:tokenize"),
            ("down", "test:tokenize"),
            ("k", "lint:tokenize"),
            ("up", "base"),
        ):
            await pilot.press(key)
            await shows(pilot, f"▸ {stage}  ")
        await pilot.press("up", "down", "right", "right", "right", "right", "right", "right")
        await shows(pilot, "▸ lint:eval  ○ waiting")  # the edge holds
        await pilot.press("a")
        await shows(pilot, "▸ lint:train  ")


@AT_BOTH_SIZES
async def test_a_click_chooses_a_stage(tmp_path: Path, size: tuple[int, int]) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = await shows(pilot, "▸ ")
        lines = screen.splitlines()
        row = next(y for y, line in enumerate(lines) if line.startswith(" docstring "))
        column = lines[1].index("export")
        await pilot.click(offset=(column + 1, row))
        await shows(pilot, "▸ docstring:export")
        await pilot.click(offset=(14, next(y for y, line in enumerate(lines) if line.startswith(" (shared)"))))
        await shows(pilot, "▸ base  ")


async def test_what_went_wrong_is_chosen_first(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run())
    async with dashboard(tmp_path).run_test(size=SIZES[1]) as pilot:
        await shows(pilot, "▸ lint:train  ✗ failed", "the loss is NaN at step 4")


async def test_a_gives_the_chart_back_too(tmp_path: Path) -> None:
    sample.write_log(tmp_path, two_trainings(5).events)
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "│test:train  loss")
        await pilot.press("n")
        await shows(pilot, "│lint:train  loss")
        await pilot.press("a")
        await shows(pilot, "│test:train  loss")


async def test_notes_follow_the_end_across_sizes(tmp_path: Path) -> None:
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    for number in range(40):
        recorder.emit("stage.note", stage="lint:train", text=f"note number {number} of some length, so that it wraps")
    recorder.emit("stage.check", stage="lint:verify", name="smoke", passed=False, reason="the last line")
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "✗ lint:verify  smoke")
        for size in ((80, 24), (200, 50), (120, 40)):
            await pilot.resize_terminal(*size)
            await shows(pilot, "the last line")


async def test_what_has_not_changed_is_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "lint:train  loss", "18/40 steps")
        chart = app.screen.query_one(LossChart)
        drawn: list[object] = []
        monkeypatch.setattr(chart, "refresh", lambda *regions, **_: drawn.append(regions))
        app.draw()
        await pilot.pause()
        assert drawn == []


@pytest.mark.parametrize("size", [(80, 24), (50, 20), (30, 16)])
async def test_the_last_note_begins_in_sight_on_a_small_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    for domain in sample.DOMAINS:
        sample.train(recorder, steps=2, stage=f"{domain}:train")
    recorder.emit("stage.note", stage="lint:train", text=" ".join(f"word{number}" for number in range(60)))
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        await shows(pilot, "● running", "lint:train  word0" if size[0] > 30 else "word0", "…")


async def test_headings_do_not_run_into_each_other(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=(50, 20)) as pilot:
        screen = await shows(pilot, " domain ")
        heading = screen.splitlines()[1]
        assert heading.split() == ["domain", "gene…", "toke…", "train", "expo…", "veri…", "eval"]


async def test_the_chart_is_computed_where_a_point_was_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not each second, for the clock in the title."""
    made: list[object] = []
    real = loss_chart.braille
    monkeypatch.setattr(loss_chart, "braille", lambda *given: made.append(given) or real(*given))
    log = sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "lint:train  loss", "18/40 steps")
        made.clear()
        app.draw()
        assert made == []
        metric = {"kind": "stage.metric", "stage": "lint:train", "step": 39, "loss": 0.25}
        with log.open("ab") as stream:
            stream.write(encode({**begun_now()[-1], **metric}))
        await shows(pilot, "lint:train  loss 0.25")
        assert made


async def test_tab_goes_round_and_the_choice_moves_from_everywhere(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "▸ lint:train  ● running")
        for focused, title in (("models-scroll", " Models "), ("notes", "Notes"), ("grid", " domain ")):
            await pilot.press("tab")
            await wait_for(pilot, lambda id=focused: app.focused.id == id)
            await wait_for(pilot, lambda title=title: title in bold_and_reversed(app))
            assert len([name for name in (" Models ", "Notes", " domain ") if name in bold_and_reversed(app)]) == 1
        for key, stage in (("right", "lint:export"), ("left", "lint:train"), ("j", "test:train"), ("k", "lint:train")):
            await pilot.press("tab", "tab", key)
            await shows(pilot, f"▸ {stage}  ")
            await wait_for(pilot, lambda: app.focused.id == "grid")


async def test_escape_and_coming_back_give_the_keys_to_the_stages(tmp_path: Path) -> None:
    sample.write_log(tmp_path, begun_now())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "▸ lint:train  ● running")
        for keys in (["escape"], ["g", "escape"]):
            await pilot.press("tab", *keys, "down")
            await shows(pilot, "▸ test:train  ")
            await pilot.press("up")
            await shows(pilot, "▸ lint:train  ")


async def test_the_first_run_finds_the_stages_focused(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "No build has run here yet.")
        sample.write_log(tmp_path, begun_now())
        await shows(pilot, "▸ lint:train  ● running")
        await wait_for(pilot, lambda: app.focused is not None and app.focused.id == "grid")


def bold_and_reversed(app: Any) -> list[str]:
    """What stands out on the screen without colour."""
    return [
        part.text
        for strip in app.screen._compositor.render_strips()
        for part in strip
        if part.style and part.style.bold and part.style.reverse
    ]


async def test_the_chart_says_how_far_the_loss_came_and_leaves_room_up_to_the_goal(tmp_path: Path) -> None:
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:train", reasons=[])
    recorder.emit("stage.progress", stage="lint:train", done=4, total=200, unit="steps")
    for step, loss in enumerate((17.1, 16.0, 15.0, 14.1), 1):
        recorder.emit("stage.metric", stage="lint:train", step=step, loss=loss)
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        screen = await shows(
            pilot, "─ Loss of lint · 17.1 → 14.6 ─", "│lint:train  loss 14.1", "   17.1 │", "      0 │"
        )
        assert re.search(r"step 1 +200│", screen)
        await pilot.resize_terminal(40, 24)
        await shows(pilot, "─ Loss of lint ─")


async def test_a_resumed_training_is_drawn_from_its_beginning(tmp_path: Path) -> None:
    stopped = sample.Recorder()
    sample.begin(stopped)
    sample.train(stopped, steps=25)
    stopped.emit("stage.cancelled", stage="lint:train", checkpoint=20)
    sample.write_log(tmp_path, stopped.events)
    resumed = sample.Recorder(LATER_RUN, start=time.time())
    sample.begin(resumed)
    resumed.emit("stage.started", stage="lint:train", reasons=[])
    resumed.emit("stage.progress", stage="lint:train", done=22, total=40, unit="steps")
    for step in (21, 22):
        resumed.emit("stage.metric", stage="lint:train", step=step, loss=5.0)
    sample.write_log(tmp_path, resumed.events, LATER_RUN)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await shows(pilot, "─ Loss of lint · 6.7 → 5 ─")
        assert re.search(r"step 1,.* 40│", screen)
        chart = app.screen.query_one(LossChart)
        before = chart._curve
        app.draw()
        assert chart._curve is before


@pytest.mark.parametrize(("width", "word"), [(120, "■ cancelled"), (80, "■ stopped"), (50, "■   ")])
async def test_a_cancelled_stage_says_so_where_there_is_room(tmp_path: Path, width: int, word: str) -> None:
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    sample.train(recorder, steps=2)
    recorder.emit("stage.cancelled", stage="lint:train")
    sample.write_log(tmp_path, recorder.events)
    async with dashboard(tmp_path).run_test(size=(width, 24)) as pilot:
        screen = await shows(pilot, "\n lint ")
        assert word in screen.splitlines()[3]
