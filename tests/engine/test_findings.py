"""A run that does some work shows the results of all its stages, also of those it leaves alone."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from toy_project import PIPELINE, ToyProject, manifest

from fgbuild.engine.findings import findings
from fgbuild.engine.store import Store
from fgbuild.events import Event
from fgbuild.stages.spec import Manifest, Placed
from fgbuild.views.plain import PlainView

CHECK = {"name": "size", "passed": True, "value": 291.5, "expected": "250–320 MB", "reason": ""}
REPORT = {"passed": True, "path": "x.gguf", "checks": [CHECK], "tool_accuracy": 0.75, "thresholds": {"a": 1}}


def _placed(manifest: Manifest) -> tuple[Placed, ...]:
    return (Placed("joined.txt", f"agents/{manifest['name']}/joined.txt", 1, 2),)


@pytest.fixture
def reporting(toy: ToyProject) -> ToyProject:
    """The toy project, its gate with a report and its placed file with a size window."""
    toy.write_worker("check", f'finish("report.json", json.dumps({{**{REPORT!r}, "r": manifest["join"]["r"]}}))')
    base, make, join, check, last = PIPELINE
    toy.pipeline = (base, make, replace(join, placed=_placed), replace(check, report="report.json"), last)
    return toy


def _about(events: list[Event], stage: str) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in event.items() if name not in ("v", "t", "run", "stage", "seconds")}
        for event in events
        if event.get("stage") == stage
    ]


def test_what_is_up_to_date_is_shown_in_a_run_that_builds_something_else(reporting: ToyProject) -> None:
    first = reporting.events(reporting.build().run)
    made = [event["outputs"] for event in _about(first, "red:check") if event["kind"] == "stage.finished"]
    reporting.manifests["blue"] = manifest("blue")
    events = reporting.events(reporting.build().run)
    window = {"bytes": 14, "min_mb": 1, "max_mb": 2}
    assert _about(events, "red:join") == [
        {"kind": "stage.artifact", "path": "agents/red/joined.txt", **window, "stored": True}
    ]
    assert _about(events, "red:check") == [
        {"kind": "stage.check", **CHECK, "stored": True},
        {"kind": "stage.result", "summary": {"tool_accuracy": 0.75, "r": 16}, "stored": True},
        {"kind": "stage.finished", "action": "skip", "passed": True, "outputs": made[0]},
    ]


def test_what_is_restored_is_shown_with_its_own_report(reporting: ToyProject) -> None:
    reporting.build()
    reporting.manifests["red"]["join"] = {"r": 32}
    reporting.build()
    reporting.manifests["red"]["join"] = {"r": 16}
    events = reporting.events(reporting.build().run)
    (artifact, finished) = _about(events, "red:join")
    assert (artifact["min_mb"], artifact["max_mb"], artifact["stored"]) == (1, 2, False)
    assert finished["action"] == "cached"
    (check, result, finished) = _about(events, "red:check")
    assert (check["name"], result["summary"]["r"], finished["action"]) == ("size", 16, "cached")


def test_the_table_is_complete_and_the_lines_say_nothing_twice(reporting: ToyProject) -> None:
    reporting.build()
    reporting.manifests["blue"] = manifest("blue")
    stream = io.StringIO()
    view = PlainView(stream, color=False, width=200)
    reporting.build(listeners=(view.handle,))
    view.close()
    text = stream.getvalue()
    assert view.state.stages["red:check"].checks["size"].passed is True
    assert view.state.stages["red:check"].summary["tool_accuracy"] == 0.75
    assert not [line for line in text.splitlines() if line.startswith(("red:check", "red:join"))]


def test_a_damaged_report_is_passed_over(reporting: ToyProject) -> None:
    reporting.build()
    with reporting.open() as workspace:
        standing = workspace.actions.standing("red:check")
    assert standing is not None
    report = reporting.root / "cache" / "store" / standing[1] / "report.json"
    report.chmod(0o644)
    report.write_text('{"tool_accuracy": 1.0}')
    reporting.manifests["blue"] = manifest("blue")
    result = reporting.build()
    assert result.exit_code == 0
    assert [event["kind"] for event in _about(reporting.events(result.run), "red:check")] == ["stage.finished"]


def test_no_report_is_read_where_nothing_runs(reporting: ToyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    reporting.build()

    def read(self: Store, digest: str, path: str) -> bytes | None:
        raise AssertionError("a build with nothing to do read a report")

    monkeypatch.setattr(Store, "read", read)
    assert reporting.build().run is None


def test_a_report_of_another_shape_gives_nothing() -> None:
    assert list(findings({"checks": [], "passed": True, "note": "x", "nothing": None})) == []
