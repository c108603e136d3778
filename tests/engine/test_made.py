"""Which artifact a past run's stage made, and which training came before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.engine.actions import FAILED, GATE, Action, Attempt
from fgbuild.engine.made import Made
from fgbuild.engine.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path, packages={}) as opened:
        yield opened


def publish(workspace: Workspace, name: str, content: str) -> str:
    folder = workspace.paths.tmp / "artifact"
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    return workspace.store.publish(folder)


def record(workspace: Workspace, stage: str, outputs: str, run: str, at: float, **inputs: str) -> None:
    components = {"inputs": inputs, "fields": {}}
    kind = stage.rpartition(":")[2]
    workspace.actions.record(Action(f"{stage}{run}", stage, kind, outputs, 1.0, 1.0, 10.0, components, run, at))


def made(workspace: Workspace, run: str = "now", until: float = 10.0, **more: str) -> Made:
    return Made(workspace, run, more, {"lint:generate"}, until)


def test_the_log_decides(workspace: Workspace) -> None:
    old, new = (publish(workspace, "report.json", text) for text in ("old", "new"))
    record(workspace, "lint:eval", new, "now", 5.0)
    assert made(workspace).read("lint:eval", "report.json") == b"new"
    assert Made(workspace, "now", {"lint:eval": old}, (), 10.0).read("lint:eval", "report.json") == b"old"


def test_without_digests_the_action_of_that_run_counts_and_for_the_untouched_the_last_before(
    workspace: Workspace,
) -> None:
    first, second, third = (publish(workspace, "stats.json", text) for text in "123")
    for outputs, run, at in ((first, "a", 1.0), (second, "b", 8.0), (third, "c", 20.0)):
        record(workspace, "lint:generate", outputs, run, at)
        record(workspace, "lint:train", outputs, run, at)
    assert made(workspace, "a").digest("lint:generate") == first
    assert made(workspace).digest("lint:generate") == second
    assert made(workspace).digest("lint:train") is None  # it did not get there in that run


def test_a_gate_that_did_not_pass_made_a_report_too(workspace: Workspace) -> None:
    outputs = publish(workspace, "report.json", "{}")
    workspace.actions.record_attempt(Attempt("lint:eval", "key", GATE, outputs, [], {}, "now", 1.0, 5.0))
    assert made(workspace).read("lint:eval", "report.json") == b"{}"
    assert made(workspace, "other").read("lint:eval", "report.json") is None


def test_what_is_gone_or_damaged_is_not_read(workspace: Workspace) -> None:
    outputs = publish(workspace, "report.json", "{}")
    record(workspace, "lint:eval", outputs, "now", 5.0)
    assert made(workspace).read("lint:eval", "failures.jsonl") is None
    path = workspace.store.path(outputs) / "report.json"
    path.chmod(0o644)
    path.write_text("[]")
    assert made(workspace).read("lint:eval", "report.json") is None
    workspace.store.remove(outputs)
    assert made(workspace).folder("lint:eval") is None


def test_the_run_that_made_an_artifact_is_the_first_that_recorded_it(workspace: Workspace) -> None:
    outputs = publish(workspace, "metrics.jsonl", "x")
    record(workspace, "lint:train", outputs, "second", 2.0)
    record(workspace, "lint:train", outputs, "first", 1.0)
    found = made(workspace, **{"lint:train": outputs})
    assert found.made_by("lint:train") == "first"
    assert found.made_by("lint:export") is None


def test_the_training_before_is_the_last_whose_model_passed(workspace: Workspace) -> None:
    digests = {}
    for at, run in enumerate(("good", "bad", "now"), 1):
        digests[run] = publish(workspace, "metrics.jsonl", run)
        record(workspace, "lint:train", digests[run], run, float(at))
    found = made(workspace).training_before("lint")
    assert found is not None
    assert (found.run, found.passed, found.metrics) == ("bad", False, b"bad")
    record(workspace, "lint:export", "e" * 64, "good", 1.5, train=digests["good"])
    record(workspace, "lint:eval", "f" * 64, "later", 9.0, export="e" * 64)
    found = made(workspace).training_before("lint")
    assert found is not None
    assert (found.run, found.passed, found.metrics) == ("good", True, b"good")
    assert made(workspace, "good", until=1.0).training_before("lint") is None


def test_the_components_are_those_of_the_runs_own_action_or_of_what_it_found(workspace: Workspace) -> None:
    first, second = (publish(workspace, "stats.json", text) for text in "12")
    record(workspace, "lint:generate", first, "a", 1.0, base="one")
    record(workspace, "lint:generate", second, "b", 8.0, base="two")
    record(workspace, "lint:generate", second, "c", 20.0, base="three")  # later, with the same output
    for run, base in (("a", "one"), ("b", "two"), ("now", "two")):
        found = made(workspace, run).components("lint:generate")
        assert found is not None
        assert found["inputs"] == {"base": base}
    assert made(workspace).components("lint:train") is None


def test_the_components_of_a_try_that_failed(workspace: Workspace) -> None:
    workspace.actions.record_attempt(Attempt("lint:train", "key", FAILED, None, [], {"version": 7}, "now", 1.0, 5.0))
    assert made(workspace).components("lint:train") == {"version": 7}
    assert made(workspace, "before").components("lint:train") is None
