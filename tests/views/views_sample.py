"""A made-up run for the views' tests: four domains, `lint` retrained, the rest up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fgbuild.events import Event, encode

RUN = "20261103-101500-0001"
START = 1_793_700_900.0
DOMAINS = ("lint", "test", "docstring", "sample_data")
KINDS = ("generate", "tokenize", "train", "export", "verify", "eval")
LOG_OF_FAILURE = "cache/runs/20261103-101500-0001/lint.train.log"


class Recorder:
    """Makes events with a clock that the caller moves."""

    def __init__(self, run: str = RUN, start: float = START) -> None:
        self.run = run
        self.start = self.now = start
        self.events: list[Event] = []

    def emit(self, kind: str, after: float = 0.0, **fields: Any) -> None:
        self.now += after
        self.events.append({"v": 1, "t": self.now, "run": self.run, "kind": kind, **fields})


def stages(to_run: tuple[str, ...] = ("lint",)) -> list[dict[str, Any]]:
    """The plan: train and below of `to_run`, everything else up to date."""
    plan: list[dict[str, Any]] = [{"id": "base", "kind": "base", "domain": None, "action": "skip"}]
    for domain in DOMAINS:
        for kind in KINDS:
            run = domain in to_run and kind not in ("generate", "tokenize")
            plan.append(
                {
                    "id": f"{domain}:{kind}",
                    "kind": kind,
                    "domain": domain,
                    "action": "run" if run else "skip",
                    "predicted_seconds": {"train": 400.0, "export": 20.0}.get(kind, 40.0) if run else None,
                }
            )
    return plan


def begin(recorder: Recorder, pid: int | None = None) -> None:
    recorder.emit(
        "run.started",
        command="fgbuild build --all",
        base="embedded",
        profile="default",
        pid=os.getpid() if pid is None else pid,
        stages=stages(),
    )
    for stage in stages():
        if stage["action"] == "skip":
            recorder.emit("stage.finished", stage=stage["id"], seconds=0.0, action="skip")


def train(recorder: Recorder, steps: int = 40, of: int = 40, stage: str = "lint:train") -> None:
    recorder.emit(
        "stage.started",
        1.0,
        stage=stage,
        reasons=[{"component": "lora.r", "old": 16, "new": 32}],
        predicted_seconds=400.0,
    )
    recorder.emit("stage.note", stage=stage, text="fp32 on cpu, 3,796,992 trainable parameters")
    for step in range(1, steps + 1):
        left = (of - step) * 10.0
        recorder.emit("stage.progress", 10.0, stage=stage, done=step, total=of, unit="steps", eta_seconds=left)
        recorder.emit(
            "stage.metric",
            stage=stage,
            step=step,
            loss=6.7 / step**1.7,
            learning_rate=1e-3,
            grad_norm=1.5,
            tokens_per_s=812.0,
            memory_mb=3100.0,
        )
        if step % 10 == 0:
            recorder.emit("stage.metric", stage=stage, step=step, eval_loss=7.4 / step**1.5)


def below(recorder: Recorder) -> None:
    """Finish lint: train, export, verify, eval, and the build."""
    recorder.emit("stage.finished", 1.0, stage="lint:train", seconds=401.0, action="run", peak_memory_mb=3200.0)
    recorder.emit("stage.started", stage="lint:export", reasons=[])
    recorder.emit(
        "stage.artifact",
        18.0,
        stage="lint:export",
        path="agents/lint/models/lint_functiongemma_q8.gguf",
        bytes=291_543_648,
        predicted_bytes=291_500_000,
        min_mb=250,
        max_mb=320,
    )
    recorder.emit("stage.finished", stage="lint:export", seconds=18.0, action="run")
    recorder.emit("stage.started", stage="lint:verify", reasons=[])
    for name, value in (("size", 291.5), ("load", True), ("template", "same"), ("stop", 50), ("smoke", "3 of 3")):
        recorder.emit("stage.check", 2.0, stage="lint:verify", name=name, passed=True, value=value)
    recorder.emit("stage.finished", stage="lint:verify", seconds=10.0, action="run", passed=True)
    recorder.emit("stage.started", stage="lint:eval", reasons=[])
    recorder.emit(
        "stage.result",
        60.0,
        stage="lint:eval",
        summary={
            "examples": 40,
            "call_validity": 1.0,
            "tool_accuracy": 0.975,
            "argument_match": 0.85,
            "abstention_precision": 0.95,
            "abstention_recall": 0.93,
            "decode_tokens_per_s": 55.0,
        },
    )
    recorder.emit("stage.finished", stage="lint:eval", seconds=60.0, action="run", passed=True)
    recorder.emit(
        "build.finished",
        ran=[f"lint:{kind}" for kind in KINDS[2:]],
        cached=[],
        skipped=[stage["id"] for stage in stages() if stage["action"] == "skip"],
        failed=[],
        seconds=recorder.now - recorder.start,
        exit_code=0,
    )


def whole_run(run: str = RUN) -> list[Event]:
    recorder = Recorder(run)
    begin(recorder)
    train(recorder)
    below(recorder)
    return recorder.events


def half_run(pid: int | None = None, start: float = START) -> list[Event]:
    """Up to step 18 of 40 of lint:train."""
    recorder = Recorder(start=start)
    begin(recorder, pid)
    train(recorder, steps=18)
    return recorder.events


def failed_run() -> list[Event]:
    recorder = Recorder()
    begin(recorder)
    train(recorder, steps=3)
    recorder.emit("stage.failed", 1.0, stage="lint:train", message="the loss is NaN at step 4;\nlower the rate")
    recorder.emit("stage.failed", stage="lint:train", message="", log=LOG_OF_FAILURE, exit_code=1)
    recorder.emit("build.finished", ran=[], cached=[], skipped=[], failed=["lint:train"], seconds=40.0, exit_code=1)
    return recorder.events


def refused_run() -> list[Event]:
    """lint:verify misses one of its checks, once more."""
    recorder = Recorder()
    begin(recorder)
    train(recorder)
    recorder.emit("stage.finished", 1.0, stage="lint:train", seconds=401.0, action="run")
    recorder.emit("stage.started", stage="lint:verify", reasons=[{"text": "did not pass last time"}])
    recorder.emit("stage.check", 2.0, stage="lint:verify", name="size", passed=True, value=291.5)
    missed = {"value": "1 of 3", "expected": "3 of 3", "reason": "no call came"}
    recorder.emit("stage.check", 2.0, stage="lint:verify", name="smoke", passed=False, **missed)
    recorder.emit("stage.finished", stage="lint:verify", seconds=10.0, action="run", passed=False)
    recorder.emit("build.finished", ran=["lint:train"], cached=[], skipped=[], failed=["lint:verify"], exit_code=3)
    return recorder.events


def write_log(root: Path, events: list[Event], run: str = RUN) -> Path:
    """The events as that run's log under `root`."""
    path = root / "cache" / "runs" / run / "events.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        for event in events:
            stream.write(encode(event))
    return path
