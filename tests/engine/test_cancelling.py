"""One stage of a running build is stopped, or all of it, while the others go on; with real processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from toy_project import WORKERS, ToyProject, manifest

from fgbuild.engine import cancelling
from fgbuild.engine.paths import Paths
from fgbuild.engine.plan import SKIP
from fgbuild.engine.requests import Requests, wake
from fgbuild.events import Event
from fgbuild.executors.local import LocalExecutor

STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


class Asker:
    """A listener that, when an event of that kind of that stage comes, asks for a stop as another process would."""

    def __init__(self, toy: ToyProject, stop: str | None, kind: str, stage: str) -> None:
        self._when = (kind, stage)
        self._toy = toy
        self._stop = stop

    def __call__(self, event: Event) -> None:
        if (event["kind"], event.get("stage")) == self._when:
            ask(self._toy.root, event["run"], self._stop)


def ask(root: Path, run: str, stop: str | None) -> None:
    Requests(Paths(root).requests(run)).put(stop)
    wake(os.getpid(), lambda: True)


def kinds(toy: ToyProject, run: str | None, stage: str) -> list[str]:
    return [event["kind"] for event in toy.events(run) if event.get("stage") == stage]


def build(toy: ToyProject, *listeners: Callable[[Event], None], **options: Any) -> Any:
    return toy.build(executor=LocalExecutor, listeners=listeners, **options)


@pytest.fixture
def two(toy: ToyProject) -> ToyProject:
    """`red:make` sleeps for a minute; `blue` does not."""
    toy.manifests = {"red": manifest("red", sleep={"make": 60}), "blue": manifest("blue")}
    return toy


def test_a_stopped_stage_takes_what_needs_it_along_and_nothing_else(two: ToyProject) -> None:
    started = time.monotonic()
    result = build(two, Asker(two, "red:make", "stage.progress", "red:make"))
    assert time.monotonic() - started < 40
    assert (result.exit_code, result.failed) == (130, [])
    assert result.not_run == ["red:make", "red:join", "red:check", "red:last"]
    assert {"blue:make", "blue:join", "blue:check", "blue:last"} <= set(result.ran)
    assert kinds(two, result.run, "red:make") == ["stage.started", "stage.progress", "stage.cancelled"]
    assert kinds(two, result.run, "red:join") == []
    assert list((two.root / "cache" / "tmp").iterdir()) == []
    assert not Paths(two.root).requests(result.run).exists()
    assert [reason.text for reason in two.plan()["red:make"].reasons] == ["interrupted last time"]
    del two.manifests["red"]["sleep"]
    two.taken()
    assert two.build().exit_code == 0
    assert two.taken() == ["red:check", "red:join", "red:last", "red:make"]


def test_with_keep_going_too_nothing_runs_behind_a_gate_that_was_stopped(toy: ToyProject) -> None:
    toy.manifests["red"]["sleep"] = {"check": 60}
    result = build(toy, Asker(toy, "red:check", "stage.progress", "red:check"), keep_going=True)
    assert (result.exit_code, result.not_run) == (130, ["red:check", "red:last"])


def test_what_it_kept_is_there_for_the_next_attempt(toy: ToyProject) -> None:
    toy.write_worker("make", '(state / "checkpoint").write_text("half")\nfinish("made.txt", "redred")')
    toy.manifests["red"]["sleep"] = {"make": 60}
    build(toy, Asker(toy, "red:make", "stage.progress", "red:make"))
    assert [path.read_text() for path in (toy.root / "cache" / "state").rglob("checkpoint")] == ["half"]


@pytest.mark.parametrize(
    ("kept", "step"),
    [
        ((), None),
        (("checkpoints/unfinished/checkpoint-10",), None),
        (("checkpoints/checkpoint-90", "checkpoints/checkpoint-100", "checkpoints/checkpoint-x"), 100),
    ],
)
def test_it_says_which_checkpoint_the_next_attempt_begins_with(
    toy: ToyProject, kept: tuple[str, ...], step: int | None
) -> None:
    made = "".join(f'(state / "{name}").mkdir(parents=True)\n' for name in kept)
    toy.write_worker("make", f'{made}finish("made.txt", "redred")')
    toy.manifests["red"]["sleep"] = {"make": 60}
    result = build(toy, Asker(toy, "red:make", "stage.progress", "red:make"))
    (event,) = [event for event in toy.events(result.run) if event["kind"] == "stage.cancelled"]
    assert event["checkpoint"] == step


def test_a_worker_that_ignores_sigterm_is_killed_three_seconds_later_while_others_start(
    two: ToyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on when `blue:join` and then `blue:check` start, which is after the stop was asked for."""
    wait = 'while job["stage"] == "blue:make" and not (Path(job["root"]) / "asked").exists():\n    time.sleep(0.01)\n'
    two.write_worker("make", STUBBORN + wait + WORKERS["make"])
    seconds = {"blue:join": 2.9, "blue:check": 0.2}
    now = [0.0]

    def go_on(event: Event) -> None:
        if event["kind"] == "stage.started":
            now[0] += seconds.get(event["stage"], 0.0)
        elif (event["kind"], event.get("stage")) == ("stage.progress", "red:make"):
            (two.root / "asked").touch()

    monkeypatch.setattr(cancelling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    result = build(two, Asker(two, "red:make", "stage.progress", "red:make"), go_on)
    assert result.exit_code == 130
    events = [(event["kind"], event.get("stage")) for event in two.events(result.run)]
    assert events.index(("stage.progress", "red:make")) < events.index(("stage.started", "blue:check"))
    assert events.index(("stage.started", "blue:check")) < events.index(("stage.cancelled", "red:make"))


DONE_WHEN_STOPPED = """
import signal

def end(*_):
    (output / 'made.txt').write_text('redred')
    os._exit(0)

if job["stage"] == "red:make":
    signal.signal(signal.SIGTERM, end)
"""


def test_what_was_done_just_as_it_was_to_stop_is_kept(toy: ToyProject) -> None:
    toy.write_worker("make", DONE_WHEN_STOPPED + WORKERS["make"])
    toy.manifests["red"]["sleep"] = {"make": 60}
    result = build(toy, Asker(toy, "red:make", "stage.progress", "red:make"))
    assert (result.exit_code, result.not_run) == (0, [])
    assert kinds(toy, result.run, "red:make") == ["stage.started", "stage.progress", "stage.finished"]
    assert toy.joined() == "base-+redred16"


def test_a_failure_is_worse_than_a_stop(two: ToyProject) -> None:
    two.manifests["blue"]["fail"] = {"make": 2}
    result = build(two, Asker(two, "red:make", "stage.progress", "red:make"), keep_going=True)
    assert (result.exit_code, result.failed) == (2, ["blue:make"])


def test_a_stop_is_worse_than_a_gate(two: ToyProject) -> None:
    two.manifests["blue"]["fail"] = {"check": 3}
    result = build(two, Asker(two, "red:make", "stage.progress", "red:make"))
    assert (result.exit_code, result.failed) == (130, ["blue:check"])


def test_everything_is_stopped_as_by_a_signal(two: ToyProject) -> None:
    two.manifests["blue"]["sleep"] = {"make": 60}
    result = build(two, Asker(two, None, "stage.progress", "red:make"), jobs=1)
    assert (result.exit_code, result.ran) == (130, ["base"])
    last = two.events(result.run)[-2:]
    assert [(event["kind"], event.get("stage")) for event in last] == [
        ("stage.cancelled", "red:make"),
        ("build.finished", None),
    ]


def test_what_was_done_just_as_everything_was_to_stop_is_kept(two: ToyProject) -> None:
    two.write_worker("make", DONE_WHEN_STOPPED + WORKERS["make"])
    two.manifests["blue"]["sleep"] = {"make": 60}
    at_work: set[str] = set()

    def stop(event: Event) -> None:
        if event["kind"] == "stage.progress" and event["stage"].endswith(":make"):
            at_work.add(event["stage"])
            if at_work == {"red:make", "blue:make"}:
                ask(two.root, event["run"], None)

    result = build(two, stop, jobs=2)
    assert (result.exit_code, result.ran) == (130, ["base", "red:make"])
    assert kinds(two, result.run, "red:make") == ["stage.started", "stage.progress", "stage.finished"]
    assert kinds(two, result.run, "blue:make") == ["stage.started", "stage.progress", "stage.cancelled"]
    assert list((two.root / "cache" / "tmp").iterdir()) == []
    assert two.plan()["red:make"].action == SKIP
    assert two.plan()["blue:make"].reasons[0].text == "interrupted last time"


def test_a_request_without_a_signal_is_heard_too(toy: ToyProject) -> None:
    def put(event: Event) -> None:
        if event["kind"] == "stage.progress":
            Requests(Paths(toy.root).requests(event["run"])).put("red:make")

    toy.manifests["red"]["sleep"] = {"make": 60}
    started = time.monotonic()
    assert build(toy, put, until="make").exit_code == 130
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("stage", ["red:join", "red:make", "nobody", ""])
def test_a_stage_that_waits_or_has_ended_or_is_none_is_left_alone(toy: ToyProject, stage: str) -> None:
    toy.manifests["red"]["sleep"] = {"make": 0.3}
    kind = "stage.finished" if stage == "red:make" else "stage.progress"
    result = build(toy, Asker(toy, stage, kind, "red:make"))
    assert (result.exit_code, result.not_run) == (0, [])


def test_a_wake_up_outside_of_a_stages_work_ends_no_build(toy: ToyProject) -> None:
    """From before its log begins to the end of the process: a signal that comes late hits nobody."""

    def late(event: Event) -> None:
        if event["kind"] in ("run.started", "build.finished"):
            signal.raise_signal(signal.SIGUSR1)

    assert toy.build(listeners=(late,)).exit_code == 0
    signal.raise_signal(signal.SIGUSR1)
