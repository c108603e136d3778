"""The engine reads a stored report as the events that its worker sent when it wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fgbuild.engine.findings import findings
from fgbuild.stages import PIPELINE
from fgbuild.workers import eval as eval_worker
from fgbuild.workers import verify as verify_worker
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.verifying.checks import Check

REPORTS = {spec.kind: spec.report for spec in PIPELINE}
CHECKS = [Check("size", True, 291.5, "250–320 MB"), Check("load", False, None, "at most 120 s", "too slow")]
SCORES = {"examples": 40, "tool_accuracy": 0.975, "abstention_recall": None, "decode_tokens_per_s": 55.0}


class Recorder(Reporter):
    def __init__(self) -> None:
        super().__init__("lint:any")
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def emit(self, kind: str, **fields: Any) -> None:
        if kind in ("stage.check", "stage.result"):
            self.sent.append((kind, fields))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"GGUF")
    manifest = {"tool": [], "quant": {}, "verify": {}, "eval": {"thresholds": {"tool_accuracy": 0.5}}}
    options = {"gguf": str(gguf)}
    inputs = {"base": tmp_path}
    return Job("lint:any", "any", "lint", manifest, inputs, tmp_path, tmp_path, tmp_path, options)


def stored(job: Job, kind: str) -> list[tuple[str, dict[str, Any]]]:
    report = json.loads((job.output / REPORTS[kind]).read_text("utf-8"))
    return list(findings(report))


def test_verify(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: verify_worker.Verification) -> list[Check]:
        for check in CHECKS:
            self._record(check)
        return CHECKS

    monkeypatch.setattr(verify_worker, "PromptEncoder", lambda base: None)
    monkeypatch.setattr(verify_worker.Verification, "run", run)
    reporter = Recorder()
    assert not verify_worker.work(job, reporter)
    assert len(reporter.sent) == 2
    assert stored(job, "verify") == reporter.sent


def test_eval(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eval_worker, "evaluation_key", lambda job, path: "key")
    monkeypatch.setattr(eval_worker, "_measure", lambda job, path, reporter: SCORES)
    thresholds = job.manifest["eval"]["thresholds"]
    thresholds.update(tool_accuracy=0.98, abstention_recall=0.8, decode_tokens_per_s=0.0)
    reporter = Recorder()
    assert not eval_worker.work(job, reporter)
    checks = [(fields["name"], fields["passed"]) for kind, fields in reporter.sent if kind == "stage.check"]
    assert checks == [("tool_accuracy", False)]  # not what is undefined on the split or asks for nothing
    assert len(reporter.sent) == 2
    assert stored(job, "eval") == reporter.sent


def test_the_loss_of_a_training_that_is_left_alone() -> None:
    summary = {"steps": 40, "loss_first": 2.5, "loss": 0.1, "eval_loss": None, "precision": "fp32"}
    assert REPORTS["train"] == "train.json"
    assert list(findings(summary)) == [("stage.result", {"summary": {"steps": 40, "loss_first": 2.5, "loss": 0.1}})]
