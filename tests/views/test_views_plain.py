from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import Any

import pytest
import views_sample as sample

from fgbuild.views import plain
from fgbuild.views.narration import Narration
from fgbuild.views.plain import PlainView
from fgbuild.views.text import cell_width


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(events: list[dict[str, Any]], stream: io.StringIO | None = None, **options: Any) -> str:
    stream = stream if stream is not None else io.StringIO()
    view = PlainView(stream, color=options.pop("color", False), **options)
    for event in events:
        view.handle(event)
    view.close()
    return stream.getvalue()


def lines_with(output: str, *words: str) -> list[str]:
    return [line for line in output.splitlines() if all(word in line for word in words)]


@pytest.mark.parametrize(
    ("stage", "fields", "line"),
    [
        ("lint:train", {"checkpoint": 10}, "cancelled  the next build goes on from step 10"),
        ("lint:train", {"checkpoint": None}, "cancelled  no checkpoint yet: the next build begins it anew"),
        ("lint:train", {}, "cancelled"),  # of a log from before checkpoints were told
        ("lint:export", {"checkpoint": None}, "cancelled"),
    ],
)
def test_a_stage_that_was_stopped_says_where_the_next_build_goes_on(
    stage: str, fields: dict[str, Any], line: str
) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage=stage)
    recorder.emit("stage.cancelled", stage=stage, **fields)
    assert shown(recorder.events).splitlines()[-1].endswith(f"  {line}")
    narration = Narration()
    (told,) = [line for event in recorder.events for line in narration.tell(event)][-1:]
    assert f"{told.word}  {told.text}".rstrip() == line


def test_a_loss_that_rose_is_said_where_the_training_ends() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    sample.train(recorder)
    for step in range(41, 81):
        recorder.emit("stage.metric", stage="lint:train", step=step, loss=8.0)
    recorder.emit("stage.finished", 1.0, stage="lint:train", seconds=401.0, action="run", peak_memory_mb=3200.0)
    assert lines_with(shown(recorder.events), "finished", "6m 41s · loss 8, which rose · peak 3.2 GB")
    assert not lines_with(shown(sample.whole_run()), "which rose")
    recorder.emit("build.finished", ran=["lint:train"], cached=[], skipped=[], failed=[], seconds=402.0, exit_code=0)
    assert lines_with(shown(recorder.events), "lint", "1 loss rose")


def test_the_header_says_what_will_run() -> None:
    output = shown(sample.half_run())
    assert lines_with(output, "fgbuild run", sample.RUN, "fgbuild build --all")
    assert lines_with(output, "base embedded", "profile default", "25 stages: 4 to run, 21 up to date", "8m 20s")
    assert lines_with(output, "lint", "to run: train, export, verify, eval")
    assert lines_with(output, "docstring", "up to date: all 6")


def test_the_header_says_why_where_the_plan_does() -> None:
    events = sample.half_run()
    own = {"component": "lora.r", "old": 16, "new": 32, "text": "lora.r: 16 → 32"}
    below = {"component": "train", "old": "aa", "new": "bb", "text": "train: output changed", "upstream": "train"}
    for stage in events[0]["stages"]:
        if stage["action"] == "run":
            stage["reasons"] = [own] if stage["kind"] == "train" else [below]
    output = shown(events[:1])
    assert lines_with(output, "train because lora.r: 16 → 32")
    assert not lines_with(output, "output changed")


def test_a_stage_says_why_it_starts_and_how_it_ends() -> None:
    output = shown(sample.whole_run())
    assert lines_with(output, "lint:train", "started", "because lora.r: 16 → 32")
    assert lines_with(output, "lint:train", "note", "fp32 on cpu")
    assert lines_with(output, "lint:train", "finished", "6m 41s", "loss 0.01266", "peak 3.2 GB")
    assert lines_with(output, "lint:export", "wrote", "lint_functiongemma_q8.gguf", "291.5 MB", "250–320 MB: inside")
    assert lines_with(output, "lint:verify", "finished", "5 of 5 checks passed")
    assert lines_with(output, "lint:eval", "finished", "tool 97.5 %", "args 85 %")


def test_progress_in_a_log_comes_now_and_then() -> None:
    output = shown(sample.whole_run())
    progress = lines_with(output, "lint:train", "running")
    assert 5 <= len(progress) <= 10  # 400 s: not each of its 40 steps
    assert all(re.search(r"\d+ % · \d+/40 steps · loss .* left", line) for line in progress)
    assert "\x1b" not in output
    assert "\r" not in output


def test_a_slow_stage_is_not_silent_for_long() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:train", reasons=[])
    for step in range(1, 61):
        recorder.emit("stage.progress", 5.0, stage="lint:train", done=step, total=100_000, unit="steps")
    assert len(lines_with(shown(recorder.events), "lint:train", "running")) == 5  # one a minute


def test_the_result_table() -> None:
    output = shown(sample.whole_run())
    [heading] = lines_with(output, "domain", "stages", "GGUF")
    assert heading.split() == ["domain", "stages", "train", "loss", "GGUF", "verify", "eval", "total", "memory"]
    [row] = lines_with(output, "lint ", "4 done, 2 current")
    for fact in (
        "6m 41s",
        "0.01266",
        "291.5 MB",
        "✓ 5/5",
        "✓ tool 97.5 % · args 85 % · valid 100 %",
        "8m 09s (~8m 20s)",
        "3.2 GB",
    ):
        assert fact in row
    assert row.index("291.5 MB") == heading.index("GGUF")
    assert output.rstrip().endswith("Done in 8m 10s: 4 ran, 21 up to date.")


def test_a_narrow_result_table_shows_fewer_numbers() -> None:
    rows = lines_with(shown(sample.whole_run(), width=90), "4 done, 2 current")
    assert len(rows) == 1
    assert len(rows[0]) <= 90
    assert "✓ tool 97.5 %" in rows[0]


def test_untouched_stages_take_one_line() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    for kind in ("train", "export"):
        recorder.emit("stage.finished", stage=f"lint:{kind}", seconds=0.1, action="cached")
    recorder.emit("stage.finished", stage="lint:verify", seconds=0.0, action="skip")
    recorder.emit("stage.started", stage="lint:eval", reasons=[])
    output = shown(recorder.events)
    assert lines_with(output, "restored from the cache: lint: train, export")
    assert lines_with(output, "up to date: lint: verify")  # planned to run, cut off early
    assert not lines_with(output, "test:train")


def test_a_build_with_nothing_to_do_is_short() -> None:
    plan = [{**stage, "action": "skip"} for stage in sample.stages()]
    recorder = sample.Recorder()
    recorder.emit("run.started", command="fgbuild build --all", stages=plan)
    skipped = [stage["id"] for stage in plan]
    recorder.emit("build.finished", 0.3, ran=[], cached=[], skipped=skipped, failed=[], seconds=0.3, exit_code=0)
    output = shown(recorder.events)
    assert "Everything is up to date in 0.3 s (25 up to date)." in output
    assert len(output.splitlines()) <= 5


def test_a_failure_shows_message_and_log() -> None:
    output = shown(sample.failed_run())
    assert lines_with(output, "lint:train", "failed", "the loss is NaN at step 4;")
    assert lines_with(output, "    lower the rate")
    assert len(lines_with(output, sample.LOG_OF_FAILURE)) == 2  # where it failed, and at the end
    assert lines_with(output, "Failed in 40 s: lint:train (1 failed, 21 up to date, 3 not run).")


def test_a_gate_that_does_not_pass() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:verify", reasons=[])
    failing = {"name": "size", "passed": False, "value": 350.1, "expected": "250–320 MB", "reason": "too large"}
    recorder.emit("stage.check", stage="lint:verify", **failing)
    recorder.emit("stage.finished", stage="lint:verify", seconds=2.0, action="run", passed=False)
    recorder.emit("build.finished", failed=["lint:verify"], seconds=3.0, exit_code=3)
    output = shown(recorder.events)
    assert lines_with(output, "lint:verify", "size did not pass: 350.1, expected 250–320 MB: too large")
    assert lines_with(output, "lint:verify", "not passed", "0 of 1 checks passed")
    assert lines_with(output, "✗ 0/1")
    assert lines_with(output, "Built in 3.0 s, but not passed: lint:verify")


def test_colour_only_where_asked() -> None:
    events = sample.whole_run()
    coloured = shown(events, color=True)
    assert "\x1b[32mfinished\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == shown(events)


def test_a_terminal_gets_one_live_line_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(plain, "REDRAW_SECONDS", 0.0)
    events = sample.half_run()
    output = shown(events, Terminal(), width=60, clock=lambda: events[-1]["t"])
    drawn = [part for part in output.split("\r\x1b[2K") if "█" in part]
    assert drawn
    assert all(cell_width(part) < 60 and "\n" not in part for part in drawn)
    assert not lines_with(output, "running")  # progress stays in the live line
    assert "21/25" in drawn[-1]
    assert output.endswith("\r\x1b[2K")  # close clears it


def test_a_dumb_terminal_gets_no_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(sample.half_run(), Terminal())


def test_a_terminal_that_wants_none_gets_no_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    output = shown(sample.half_run(), Terminal(), live=False)
    assert "\x1b" not in output
    assert lines_with(output, "lint:train", "running")  # as in a log


def test_hostile_text_is_inert() -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\r[bold]x[/bold]\u202e" + "A" * 1_000_000
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:train", reasons=[{"component": hostile, "old": hostile, "new": 1}])
    recorder.emit("stage.note", stage="lint:train", text=hostile)
    recorder.emit("stage.artifact", stage="lint:train", path=hostile + ".gguf", bytes=1, min_mb=0, max_mb=1)
    recorder.emit("stage.check", stage="lint:train", name=hostile, passed=False, reason=hostile)
    recorder.emit("stage.failed", stage=hostile, message=hostile, log=hostile)
    output = shown(recorder.events)
    assert not set(output) & set("\x1b\x07\r\u202e")
    assert "[bold]x[/bold]" in output
    assert max(len(line) for line in output.splitlines()) < 11_000  # of five million


@pytest.mark.parametrize("kind", ["stage.imagined", "", None, 7])
def test_events_it_does_not_know_print_nothing(kind: Any) -> None:
    assert shown([{"kind": kind, "stage": "lint:train", "text": "x"}]) == ""


@pytest.mark.parametrize("kind", ["stage.note", "stage.check", "stage.progress", "stage.artifact", "stage.failed"])
def test_events_without_their_fields_do_not_raise(kind: str) -> None:
    shown([{"kind": kind}, {"kind": kind, "stage": 3}, {"kind": kind, "stage": "lint:train"}])


def test_a_reader_that_went_away_stops_nothing() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    shown(sample.whole_run(), Broken())


def test_an_ascii_stream_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    view = PlainView(stream, color=False)
    for event in sample.whole_run():
        view.handle(event)
    view.close()
    assert b"because lora.r: 16 -> 32" in raw.getvalue()


def test_plain_views_import_nothing_heavy() -> None:
    code = (
        "import sys, fgbuild.views.plain, fgbuild.views.jsonl, fgbuild.views.state, fgbuild.views.runs;"
        "print([name for name in ('textual', 'rich', 'numpy', 'torch', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
