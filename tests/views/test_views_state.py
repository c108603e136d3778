from __future__ import annotations

import copy
from typing import Any

import pytest
import views_sample as sample
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.views import describe
from fgbuild.views.chart import LIMIT
from fgbuild.views.estimate import build_remaining, stage_remaining
from fgbuild.views.records import CANCELLED, DONE, FAILED, MAX_NOTES, RUNNING, StageState
from fgbuild.views.state import BuildState, apply

STAGE_KINDS = ("started", "progress", "metric", "note", "artifact", "check", "result")
STAGE_ENDS = ("finished", "failed", "cancelled", "imagined")
KINDS = ["run.started", "build.finished", "", *(f"stage.{name}" for name in (*STAGE_KINDS, *STAGE_ENDS))]
FIELDS = [
    *("t", "run", "stage", "stages", "pid", "command", "base", "profile", "reasons", "predicted_seconds"),
    *("done", "total", "unit", "eta_seconds", "step", "loss", "eval_loss", "tokens_per_s", "memory_mb", "text"),
    *("path", "bytes", "predicted_bytes", "min_mb", "max_mb", "name", "passed", "value", "expected", "reason"),
    *("summary", "seconds", "action", "message", "log", "exit_code", "ran", "cached", "skipped", "failed"),
    "checkpoint",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, "id", "kind", "domain", "component", "old"]), inner, max_size=4)
    ),
    max_leaves=8,
)
STAGES = st.sampled_from(["lint:train", "lint:export", "base", "a:b:c", ":", ""]) | JSON
EVENTS = st.builds(
    lambda kind, stage, fields: {**fields, "kind": kind, "stage": stage},
    st.sampled_from(KINDS) | JSON,
    STAGES,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
)


def fold(events: list[dict[str, Any]], state: BuildState | None = None) -> BuildState:
    state = state or BuildState()
    for event in events:
        apply(state, event)
    return state


@settings(max_examples=60, deadline=None)
def trained(losses: list[float], first: int = 1) -> StageState:
    state = BuildState()
    events = [
        {"kind": "stage.started", "stage": "lint:train"},
        *(
            {"kind": "stage.metric", "stage": "lint:train", "step": step, "loss": loss}
            for step, loss in enumerate(losses, first)
        ),
        {"kind": "stage.finished", "stage": "lint:train", "action": "run"},
    ]
    for event in events:
        apply(state, event)
    return state.stages["lint:train"]


@pytest.mark.parametrize(
    ("losses", "rose"),
    [
        ([5.0 / step for step in range(1, 101)], False),
        ([0.5 + 0.1 * step for step in range(100)], True),
        ([0.5, *[0.4] * 50, *[3.0] * 50], True),  # falls first
        ([2.0, *[0.2] * 50, *[1.5] * 50], True),  # ends below its start, most of the way back up
        ([2.0, *[0.2] * 50, *[0.5] * 50], False),
        ([2.0, *[0.2] * 98, 2.5], False),  # one step is no trend
        ([0.2 + 0.1 * (-1) ** step for step in range(101)], False),  # neither
        ([0.0] * 100, False),
        ([3.0, 0.5, 0.5, 0.4, 0.3], False),
        ([0.5, 1.0, 2.0, 3.0, 4.0], True),
        ([0.5, 4.0], False),  # too few to tell
        ([], False),
    ],
)
def test_a_loss_that_rose_is_told_from_one_that_fell(losses: list[float], rose: bool) -> None:
    assert trained(losses).loss_rose is rose


def test_of_a_resumed_training_only_the_end_is_known_so_no_rise_is_told() -> None:
    losses = [0.2 + 0.001 * step for step in range(50)]
    assert trained(losses).loss_rose
    assert not trained(losses, first=301).loss_rose


@given(st.lists(EVENTS, max_size=12))
def test_no_event_makes_the_fold_raise(events: list[dict[str, Any]]) -> None:
    state = fold(events)
    assert state.elapsed(1.0) is None or state.elapsed(1.0) >= 0 or state.seconds is not None
    build_remaining(state, 1.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(EVENTS, max_size=12), st.integers(0, 12))
def test_folding_in_two_parts_equals_folding_at_once(events: list[dict[str, Any]], cut: int) -> None:
    first = copy.deepcopy(fold(events[:cut]))
    assert repr(fold(events[cut:], first)) == repr(fold(events))


@given(st.data())
def test_unknown_kinds_and_extra_fields_change_nothing(data: st.DataObject) -> None:
    events = sample.whole_run()
    plain = fold(events)
    for _ in range(5):
        place = data.draw(st.integers(1, len(events) - 1))
        events.insert(place, {"kind": "stage.imagined", "stage": "lint:train", "v": 9, "t": events[place]["t"]})
    assert fold([{**event, "new_field": {"a": [1]}} for event in events]) == plain


def test_a_whole_run() -> None:
    state = fold(sample.whole_run())
    assert state.run == sample.RUN
    assert state.domains() == list(sample.DOMAINS)
    assert state.kinds() == list(sample.KINDS)
    assert [stage.id for stage in state.by_domain()[""]] == ["base"]
    assert state.finished
    assert state.exit_code == 0
    assert state.settled() == len(state.stages) == 25

    train = state.stages["lint:train"]
    assert (train.status, train.action, train.seconds) == (DONE, "run", 401.0)
    assert (train.reasons[0].component, train.reasons[0].old, train.reasons[0].new) == ("lora.r", "16", "32")
    assert len(train.loss) == 40
    assert train.loss.y[0] == 6.7
    assert train.eval_loss.x == [10, 20, 30, 40]
    assert train.metrics["tokens_per_s"] == 812.0

    [artifact] = state.stages["lint:export"].artifacts.values()
    assert artifact.bytes == 291_543_648
    assert artifact.inside is True
    assert list(state.stages["lint:verify"].checks) == ["size", "load", "template", "stop", "smoke"]
    assert state.stages["lint:eval"].summary["tool_accuracy"] == 0.975


def test_progress_and_eta_while_it_runs() -> None:
    state = fold(sample.half_run())
    train = state.stages["lint:train"]
    now = state.updated_at or 0.0
    assert train.status == RUNNING
    assert train.fraction == 18 / 40
    assert stage_remaining(train, now) == 220.0
    assert stage_remaining(train, now + 20) == 200.0
    # train's 220 s, then export 20, verify 40, eval 40 by their predictions
    assert build_remaining(state, now) == 320.0


def test_the_build_has_no_eta_while_a_stage_to_come_has_no_estimate() -> None:
    events = sample.half_run()
    for stage in events[0]["stages"]:
        stage["predicted_seconds"] = None
    state = fold(events)
    assert build_remaining(state, state.updated_at or 0.0) is None


def test_two_domains_side_by_side_share_the_eta() -> None:
    plan = [
        {"id": f"{domain}:train", "kind": "train", "domain": domain, "action": "run", "predicted_seconds": 100.0}
        for domain in "abcd"
    ]
    events = [{"kind": "run.started", "t": 0.0, "stages": plan}]
    events += [{"kind": "stage.started", "t": 0.0, "stage": f"{domain}:train"} for domain in "ab"]
    assert build_remaining(fold(events), 0.0) == 200.0


def test_a_failed_stage_keeps_its_message_when_the_log_comes_later() -> None:
    state = fold(sample.failed_run())
    train = state.stages["lint:train"]
    assert train.status == FAILED
    assert train.message == "the loss is NaN at step 4;\nlower the rate"
    assert (train.log, train.exit_code) == (sample.LOG_OF_FAILURE, 1)


def test_an_interrupted_build_leaves_no_stage_running() -> None:
    state = fold([*sample.half_run(), {"kind": "build.finished", "exit_code": 130, "seconds": 9.0}])
    assert state.stages["lint:train"].status == CANCELLED


def test_a_retried_stage_starts_afresh() -> None:
    events = sample.half_run()
    state = fold([*events, {"kind": "stage.started", "stage": "lint:train", "t": sample.START + 900}])
    train = state.stages["lint:train"]
    assert (train.status, train.done, len(train.loss)) == (RUNNING, None, 0)
    assert train.predicted_seconds == 400.0


def test_memory_stays_bounded_over_a_long_run() -> None:
    state = BuildState()
    for step in range(20_000):
        apply(state, {"kind": "stage.metric", "stage": "lint:train", "step": step, "loss": float(step % 97)})
        apply(state, {"kind": "stage.note", "stage": "lint:train", "text": "x" * 10_000})
    train = state.stages["lint:train"]
    assert len(train.loss) <= LIMIT
    assert (min(train.loss.y), max(train.loss.y), train.loss.last) == (0.0, 96.0, 19_999 % 97)
    assert len(state.notes) == MAX_NOTES
    assert all(len(note.text) <= 2_000 for note in state.notes)


def test_hostile_text_is_made_inert_on_its_way_in() -> None:
    hostile = "a\x1b[2Jb\rc\x07\u202ed\x9bm\n[bold]e[/bold]"
    state = fold([{"kind": "stage.note", "stage": "lint:\x1btrain", "text": hostile}])
    [note] = state.notes
    assert note.text == "a␛[2Jb␍c␇�d�m ⏎ [bold]e[/bold]"
    assert note.stage == "lint:␛train"


@pytest.mark.parametrize(
    "end",
    [
        {"kind": "stage.finished", "action": "run", "passed": False},
        {"kind": "stage.failed", "message": "no"},
        {"kind": "stage.cancelled"},
    ],
)
@pytest.mark.parametrize("told", [True, False])  # whether the log says what waits for what
def test_what_needs_a_stage_that_went_wrong_does_not_run(end: dict[str, Any], told: bool) -> None:
    kinds = ("train", "export", "verify", "eval")
    stages = [
        {"id": f"{domain}:{kind}", "domain": domain, "kind": kind, "action": "run"}
        | ({"after": [f"{domain}:{before}"] if before else []} if told else {})
        for domain in ("lint", "test")
        for before, kind in zip(("", *kinds), kinds)
    ]
    state = fold([{"kind": "run.started", "stages": stages}, {"kind": "stage.started", "stage": "lint:export"}])

    def words() -> list[str]:
        return [describe.status(state, stage)[1] for stage in state.stages.values()]

    assert words()[2:] == ["waiting"] * 6
    fold([{**end, "stage": "lint:export"}], state)
    assert words()[2:] == ["not run"] * 2 + ["waiting"] * 4
    assert state.stages["lint:eval"].blocked_by == "lint:export"
    fold([{"kind": "stage.started", "stage": "lint:export"}], state)  # tried again
    assert words()[2:] == ["waiting"] * 6
