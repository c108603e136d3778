"""The report: whatever log and artifacts hold, one page that is whole, inert and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from views_sample import Recorder, begin, below, failed_run, half_run, train, whole_run

from fgbuild.events import Event
from fgbuild.views.chart import Series
from fgbuild.views.report import RunLog, render
from fgbuild.views.report.drawing import Drawn, chart, linear_ticks, smoothed
from fgbuild.views.report.scores import scores_of

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover='alert(3)\u202e"


@dataclass
class Earlier:
    run: str
    passed: bool
    metrics: bytes


@dataclass
class Files:
    """Artifacts in memory: (stage, name) → content."""

    content: dict[tuple[str, str], Any] = field(default_factory=dict)
    before: Earlier | None = None

    def folder(self, stage: str) -> Path | None:
        return None

    def read(self, stage: str, name: str) -> bytes | None:
        found = self.content.get((stage, name))
        if found is None or isinstance(found, bytes):
            return found
        rows = found if isinstance(found, list) else [found]
        return "\n".join(json.dumps(row) for row in rows).encode()

    def made_by(self, stage: str) -> str | None:
        return None

    def training_before(self, domain: str) -> Earlier | None:
        return self.before


class Page(HTMLParser):
    """Every tag of a page with its attributes, and what stands in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts.append(data)


def page(events: list[Event] | None = None, made: Files | None = None) -> str:
    return render(RunLog(whole_run() if events is None else events), made or Files(), project="toys")


def report(**more: Any) -> dict[str, Any]:
    return {
        "examples": 40,
        "tool_accuracy": 0.975,
        "argument_match": 0.6,
        "abstention_recall": 0.5,
        "thresholds": {"argument_match": 0.65, "tool_accuracy": 0.9},
        "below": {"argument_match": {"value": 0.6, "minimum": 0.65}},
        "confusion": {"(words)": {"(words)": 7, "run": 1}, "run": {"run": 9}, "run+run": {"run": 2}},
        **more,
    }


def inert(text: str) -> Page:
    """The page, if nothing of it can act but its own script."""
    found = Page(text)
    names = [tag for tag, _ in found.tags]
    assert names.count("script") == 1
    assert not {"img", "iframe", "object", "embed", "base", "form", "input"} & set(names)
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            assert re.fullmatch(r"#[\w-]+|data:,", attributes.get(name) or "data:,")
    (policy,) = (of["content"] for tag, of in found.tags if tag == "meta" and "http-equiv" in of)
    digest = base64.b64encode(hashlib.sha256("".join(found.scripts).encode()).digest()).decode()
    assert policy is not None
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    return found


def test_a_whole_run_is_told() -> None:
    text = page()
    inert(text)
    for said in ("toys", "6m 41s", "lora.r: 16 → 32", "97.5 %", "291.5 MB", "3.2 GB", "5 of 5 checks", "fgbuild build"):
        assert said in text
    assert "http" not in text.replace('http-equiv="Content-Security-Policy"', "")


def test_the_same_run_gives_the_same_bytes() -> None:
    made = Files({("lint:eval", "report.json"): report()})
    assert page(made=made) == page(made=made)


@pytest.mark.parametrize(("events", "said"), [(failed_run(), "the loss is NaN at step 4;"), (half_run(), "No end yet")])
def test_a_run_that_did_not_end_well_is_told(events: list[Event], said: str) -> None:
    assert said in page(events)
    inert(page(events))


def test_a_log_without_events_is_a_page_too() -> None:
    inert(page([]))


def hostile() -> tuple[list[Event], Files]:
    """A run in which everything that has a name or a text is hostile."""
    recorder = Recorder(run=EVIL)
    stages = [{"id": f"{EVIL}:{kind}", "kind": kind, "domain": EVIL, "action": "run"} for kind in ("train", "eval")]
    stages.append({"id": "x:verify", "kind": EVIL, "domain": "x", "action": "run", "outputs": "../../etc"})
    made_with = {EVIL: EVIL, "memory_mb": EVIL}
    recorder.emit("run.started", command=EVIL, base=EVIL, profile=EVIL, made_with=made_with, stages=stages)
    for stage in stages:
        reasons = [{"component": EVIL, "old": EVIL, "new": EVIL, "text": EVIL}]
        recorder.emit("stage.started", stage=stage["id"], reasons=reasons)
        recorder.emit("stage.note", stage=stage["id"], text=f"training in {EVIL}")
        for step in (1, 2):
            recorder.emit("stage.metric", stage=stage["id"], step=step, loss=1.0 / step, grad_norm=EVIL)
        recorder.emit("stage.check", stage=stage["id"], name=EVIL, passed=False, value=EVIL, expected=EVIL, reason=EVIL)
        sizes = {"bytes": 1, "predicted_bytes": 0, "min_mb": 1, "max_mb": 2}
        recorder.emit("stage.artifact", stage=stage["id"], path=f"{EVIL}.gguf", **sizes)
        recorder.emit("stage.result", stage=stage["id"], summary={EVIL: 1})
        recorder.emit("stage.failed", stage=stage["id"], message=EVIL, log=EVIL, exit_code=1)
    talk = {"role": EVIL, "content": EVIL, "tool_calls": [{"function": {"name": EVIL, "arguments": {EVIL: EVIL}}}]}
    failure = {"id": EVIL, "scenario": EVIL, "reason": EVIL, "prompt": [talk], "expected": EVIL, "got": [EVIL]}
    split = {"rows": 3, "tools": {EVIL: 2}, "kinds": {EVIL: 1}, "scenarios": {EVIL: 1}}
    metrics = [{"step": step, "loss": 1.0, "learning_rate": 1e-3, EVIL: EVIL} for step in (1, 2)]
    made = Files(
        {
            (f"{EVIL}:eval", "report.json"): report(
                confusion={EVIL: {EVIL: 1}},
                scenarios={EVIL: {"examples": 1}},
                notes=[EVIL],
                thresholds={EVIL: 0.5},
                base={EVIL: 0.1},
                **{EVIL: 0.4},
            ),
            (f"{EVIL}:eval", "failures.jsonl"): [failure] * 6,
            (f"{EVIL}:train", "metrics.jsonl"): metrics,
            (f"{EVIL}:train", "train.json"): {EVIL: EVIL},
            (f"{EVIL}:generate", "stats.json"): {"train": split, "eval": split},
        },
        Earlier(EVIL, True, json.dumps({"step": 1, "loss": 2}).encode()),
    )
    return recorder.events, made


def test_nothing_that_a_log_or_a_model_says_is_markup() -> None:
    events, made = hostile()
    text = page(events, made)
    found = inert(text)
    assert text.count("&lt;script&gt;alert(1)") > 30
    assert not [name for _, attributes in found.tags for name in attributes if name == "onmouseover"]
    assert "\u202e" not in text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_KEYS = (
    *("tool_accuracy", "thresholds", "below", "confusion", "scenarios", "intervals", "base", "notes", "train", "eval"),
    *("near_duplicates", "tools", "characters", "prompt", "expected", "got", "reason", "step", "loss", "input_ids"),
)
_CONTENT = st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=5) | st.binary()
_FILES = (
    *(("lint:eval", "report.json"), ("lint:eval", "failures.jsonl"), ("lint:generate", "stats.json")),
    *(("lint:train", "metrics.jsonl"), ("lint:train", "train.json"), ("lint:tokenize", "train.jsonl")),
    ("base", "base.json"),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(_FILES), _CONTENT))
def test_whatever_the_files_hold_there_is_a_page(content: dict[tuple[str, str], Any]) -> None:
    inert(page(made=Files(content)))


def test_the_curve_of_the_last_good_build_lies_behind() -> None:
    metrics = "\n".join(json.dumps({"step": step, "loss": 3.0 / step}) for step in range(1, 30)).encode()
    text = page(made=Files(before=Earlier("20261101-000000-0001", True, metrics)))
    assert '<path class="before"' in text
    assert "last good build, run 20261101-000000-0001" in text
    failed = page(made=Files(before=Earlier("20261101-000000-0001", False, metrics)))
    assert "last build (did not pass), run 20261101-000000-0001" in failed


def test_an_evaluation_shows_thresholds_intervals_and_the_base() -> None:
    found = scores_of(
        report(
            base={"tool_accuracy": 0.2},
            intervals={"tool_accuracy": [0.9, 0.99], "argument_match": {"low": 0.5, "high": 0.7}},
            closed_loop_accuracy=0.7,
            made_up_accuracy=0.4,
            ttft=0.21,
            unheard_of=3,
        ),
        {},
    )
    named = {score.name: score for score in found.shares}
    assert list(named) == [
        *("tool_accuracy", "argument_match", "closed_loop_accuracy", "abstention_recall"),
        "made_up_accuracy",
    ]
    assert found.beside == ["base"]
    assert (named["tool_accuracy"].passed, named["tool_accuracy"].beside) == (True, (0.2,))
    assert (named["argument_match"].passed, named["argument_match"].interval) == (False, (0.5, 0.7))
    assert named["abstention_recall"].passed is None
    assert dict(found.numbers) == {"Examples": "40", "Time to first token": "0.21 s", "Unheard of": "3"}
    assert [score.name for score in found.headline()] == ["tool_accuracy", "argument_match"]


def test_without_its_report_an_evaluation_is_what_the_log_kept() -> None:
    text = page()
    assert "no longer in the store" in text
    assert "no longer in the store" not in page(made=Files({("lint:eval", "report.json"): report()}))


def test_what_was_taken_for_what() -> None:
    text = page(made=Files({("lint:eval", "report.json"): report()}))
    assert "no call → run" in text
    assert "run ×2" in text


def test_a_run_says_what_it_was_made_with() -> None:
    events = [{**whole_run()[0], "made_with": {"fgbuild": "9.9", "cores": 2, "memory_mb": 24000}}, *whole_run()[1:]]
    text = page(events)
    assert "9.9" in text
    assert "24.0 GB" in text
    assert "not in the log" in page()


def test_a_restarted_training_has_the_curve_of_its_second_start() -> None:
    recorder = Recorder()
    begin(recorder)
    train(recorder, steps=10)
    train(recorder)
    below(recorder)
    log = RunLog(recorder.events)
    assert len(log.measured["lint:train"]["grad_norm"]) == 40


finite = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(finite, finite, st.integers(1, 8))
def test_ticks_are_round_in_order_and_inside(first: float, second: float, most: int) -> None:
    low, high = sorted((first, second))
    ticks = linear_ticks(low, high, most)
    slack = (high - low) * 1e-6
    assert len(ticks) <= most + 1
    assert ticks == sorted(ticks)
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=300))
def test_a_chart_stays_in_its_box(values: list[float]) -> None:
    series = Series()
    for step, value in enumerate(values):
        series.add(step, value)
    found = chart([Drawn("now", series, "loss"), Drawn("smooth", smoothed(series))])
    assert found is not None
    coordinates = [float(number) for line in found.lines for number in re.findall(r"\d+", line.path)]
    assert all(0 <= number <= 1000 for number in coordinates)
    assert all(0 <= tick.at <= 100 for tick in (*found.across, *found.up))
    assert all(0 <= at <= 100 for at, _ in found.hover)
    assert len(found.hover) <= 202


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_smoothing_stays_between_the_extremes_and_keeps_what_is_constant(values: list[float]) -> None:
    series = Series([*map(float, range(len(values)))], values)
    slack = 1e-6 * max(map(abs, values), default=0) + 1e-12
    assert all(min(values) - slack <= y <= max(values) + slack for y in smoothed(series).y)
    level = Series(series.x, [values[0]] * len(values))
    assert smoothed(level).y == pytest.approx(level.y)
