"""Runs for the views that tell of several, of why a stage ran and of what waits for what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import views_sample as sample
from tui_sample import LATER_RUN, dashboard

from fgbuild.views.tui.app import DashboardApp

FAILED_RUN, GOING_RUN = "20261102-080000-0003", "20261105-090000-0004"


def write_runs(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.failed_run(), FAILED_RUN)
    sample.write_log(tmp_path, sample.whole_run(), sample.RUN)
    sample.write_log(tmp_path, sample.whole_run(LATER_RUN), LATER_RUN)


DIFFER = {
    "base": [],
    "lint:train": [
        {"component": "lora.r", "old": 16, "new": 32, "text": "lora.r: 16 → 32"},
        {"component": "tokenize", "old": "a", "new": "b", "text": "tokenize: output changed", "upstream": "tokenize"},
    ],
    "test:train": [],
}


def later_run() -> list[dict[str, Any]]:
    """As the whole run, with half the loss, ten points fewer of right tools, and another machine."""
    events = sample.whole_run(LATER_RUN)
    events[0]["made_with"] = {"fgbuild": "2.0", "cores": 4}
    for event in events:
        if "loss" in event:
            event["loss"] /= 2
        if event["kind"] == "stage.result":
            event["summary"]["tool_accuracy"] -= 0.1
        if event["kind"] == "stage.artifact":
            event["bytes"] += 1_000_000
    return events


def compare_app(tmp_path: Path, **desk: Any) -> DashboardApp:
    events = sample.whole_run()
    events[0]["made_with"] = {"fgbuild": "1.0", "cores": 4}
    sample.write_log(tmp_path, events)
    sample.write_log(tmp_path, later_run(), LATER_RUN)
    return dashboard(tmp_path, LATER_RUN, **{"differ": DIFFER, **desk})


DIGESTS = ("a1" * 32, "b2" * 32)


def run_with_reasons(*own: dict[str, Any]) -> list[dict[str, Any]]:
    """lint: train for reasons of its own and because tokenize ran anew, which is because of `own`."""
    recorder = sample.Recorder()
    recorder.emit("run.started", stages=sample.stages(), pid=1)
    recorder.emit("stage.started", stage="lint:tokenize", reasons=list(own))
    recorder.emit("stage.finished", 3.0, stage="lint:tokenize", action="run", seconds=3.0)
    upstream = {"component": "tokenize", "old": DIGESTS[0], "new": DIGESTS[1], "upstream": "tokenize"}
    changed = {"component": "trainer.max_steps", "old": 100, "new": 150, "text": "trainer.max_steps: 100 → 150"}
    upstream["text"] = "tokenize: output changed"
    recorder.emit("stage.started", stage="lint:train", reasons=[changed, upstream])
    recorder.emit("stage.finished", 401.0, stage="lint:train", action="run", seconds=401.0)
    return recorder.events


def why_app(tmp_path: Path, stage: str | None, events: list[dict[str, Any]], **desk: Any) -> DashboardApp:
    sample.write_log(tmp_path, events)
    app = dashboard(tmp_path, sample.RUN, **desk)
    app.selected = stage
    return app


UPSTREAM = {
    "tokenize": ["generate"],
    "train": ["tokenize"],
    "export": ["train"],
    "verify": ["export"],
    "eval": ["export"],
}


def with_edges(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for entry in events[0]["stages"]:
        entry["after"] = ["base"] * (entry["kind"] == "tokenize")
        entry["after"] += [f"{entry['domain']}:{kind}" for kind in UPSTREAM.get(entry["kind"], [])]
    return events


def graph_app(tmp_path: Path, stage: str | None = None) -> DashboardApp:
    sample.write_log(tmp_path, with_edges(sample.whole_run()))
    app = dashboard(tmp_path, sample.RUN)
    app.selected = stage
    return app
