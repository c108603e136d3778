from __future__ import annotations

import unicodedata

import pytest
import views_sample as sample

from fgbuild.events import Event
from fgbuild.views.announce import Announcer, duration


def told(events: list[Event]) -> list[str]:
    announcer = Announcer()
    return [sentence for event in events for sentence in announcer.announce(event)]


def test_a_whole_run() -> None:
    assert told(sample.whole_run()) == [
        "Build started; 4 stages to run; about 8 minutes 20 seconds of work.",
        "Stage train of lint started; about 6 minutes 40 seconds expected.",
        "It runs because lora.r changed from 16 to 32.",
        "Stage train of lint is 25 percent done; about 5 minutes left.",
        "Stage train of lint is 50 percent done; about 3 minutes 20 seconds left.",
        "Stage train of lint is 75 percent done; about 1 minute 40 seconds left.",
        "Stage train of lint finished after 6 minutes 41 seconds; loss 0.013.",
        "Stage export of lint started; about 20 seconds expected.",
        "The model has 291.5 megabytes, inside its size window.",
        "Stage export of lint finished after 18 seconds.",
        "Stage verify of lint started; about 40 seconds expected.",
        "Stage verify of lint finished after 10 seconds; 5 of 5 checks passed.",
        "Stage eval of lint started; about 40 seconds expected.",
        "Evaluation of lint: tool accuracy 97.5 percent, argument match 85 percent, call validity 100 percent,"
        " abstention precision 95 percent, abstention recall 93 percent.",
        "Stage eval of lint finished after 1 minute.",
        "Build finished after 8 minutes 10 seconds; 4 stages ran.",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"checkpoint": 10}, "Stage train of lint was cancelled; the next build goes on from step 10."),
        ({}, "Stage train of lint was cancelled."),
    ],
)
def test_a_training_that_was_stopped(fields: dict[str, int], said: str) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:train")
    recorder.emit("stage.cancelled", stage="lint:train", **fields)
    assert told(recorder.events)[-1] == said


def test_a_failure_is_said_once() -> None:
    said = told(sample.failed_run())
    assert [line for line in said if "failed" in line] == [
        "Stage train of lint failed: the loss is NaN at step 4.",
        "Build failed after 40 seconds: stage train of lint failed.",
    ]


def test_checks_that_do_not_pass_and_a_build_that_is_not_passed() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:verify")
    recorder.emit("stage.check", stage="lint:verify", name="size", passed=True, value=1)
    recorder.emit(
        "stage.check", stage="lint:verify", name="stop_id", passed=False, value=3, expected="≥ 5", reason="no"
    )
    recorder.emit("stage.finished", stage="lint:verify", seconds=2.0, action="run", passed=False)
    recorder.emit("build.finished", ran=["lint:verify"], failed=[], seconds=3.0, exit_code=1)
    assert told(recorder.events)[2:] == [
        "Check stop id of lint did not pass: 3, expected at least 5: no.",
        "Stage verify of lint finished but did not pass after 2 seconds; 1 of 2 checks passed.",
        "Build finished after 3 seconds, but stage verify of lint did not pass.",
    ]


def test_what_was_stored_and_what_is_up_to_date_is_not_said() -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.check", stage="test:verify", name="size", passed=False, stored=True)
    recorder.emit("stage.finished", stage="test:verify", seconds=0.0, action="skip", passed=True)
    assert len(told(recorder.events)) == 1


def test_standing_tells_where_a_build_is_and_goes_on_from_there() -> None:
    announcer = Announcer()
    for event in sample.half_run():
        announcer.announce(event)
    assert announcer.standing() == [
        "The build is running. Of 25 stages, 21 are done.",
        "Stage train of lint is running, 45 percent done; about 3 minutes 40 seconds left.",
    ]
    later = sample.whole_run()[len(sample.half_run()) :]
    said = [sentence for event in later for sentence in announcer.announce(event)]
    assert said[0] == "Stage train of lint is 50 percent done; about 3 minutes 20 seconds left."


def test_hostile_text_and_shapes_are_spoken_plainly() -> None:
    hostile = "\x1b[2J\x1b]0;x\x07\r [bold]→ ✓ \u202e" + "A" * 100_000
    recorder = sample.Recorder()
    recorder.emit("run.started", stages=[{"id": f"{hostile}:train", "action": "run"}, {"id": 3}, None])
    recorder.emit("stage.started", stage="d:train", reasons=[{"component": hostile, "old": 1, "new": hostile}])
    recorder.emit("stage.progress", stage="d:train", done="x", total=0)
    recorder.emit("stage.check", stage="d:train", name=hostile, passed=False, value=hostile, reason=hostile)
    recorder.emit("stage.artifact", stage="d:train", path="x.gguf", bytes=None)
    recorder.emit("stage.failed", stage="d:train", message=hostile)
    recorder.emit("stage.failed", stage=None, message=3)
    recorder.emit("build.finished", exit_code=1)
    said = told(recorder.events)
    assert any("failed" in sentence for sentence in said)
    for sentence in said:
        assert not [character for character in sentence if unicodedata.category(character) in ("Cc", "Cf", "Zl")]
        assert "→" not in sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "less than a second"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (399, "6 minutes 39 seconds"),
        (3600, "1 hour"),
        (7_330, "2 hours 2 minutes"),
        (-5, "less than a second"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
