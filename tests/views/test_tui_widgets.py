from __future__ import annotations

from collections.abc import Callable

import pytest
import views_sample as sample

from fgbuild.events import Event
from fgbuild.views.state import BuildState, apply
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.widgets import ModelsPanel


def models(events: list[Event], width: int) -> list[str]:
    """The lines of the panel at that width."""
    state = BuildState()
    for event in events:
        apply(state, event)
    parts = ModelsPanel(id="models").parts(Snapshot(state, state.updated_at or 0.0, going=True), width, 10)
    return "".join(part if isinstance(part, str) else part[0] for part in parts).splitlines()


@pytest.mark.parametrize(
    ("width", "size", "results"),
    [
        (60, "291.5 MB ✓ inside 250–320 MB", "✓ 5/5 checks  ✓ tool 97.5% args 85% valid 100%"),
        (34, "291.5 MB ✓ 250–320 MB", "✓ 5/5 checks  ✓ tool 97.5%"),
        (24, "291.5 MB ✓", "✓ 5/5 checks  ✓ 97.5%"),
        (21, "291.5 MB", "✓ 5/5 checks  ✓"),
    ],
)
def test_a_score_that_does_not_fit_is_shortened(width: int, size: str, results: str) -> None:
    lines = models(sample.whole_run(), width)
    assert lines[0].startswith(f"lint        {size}")
    assert lines[1].startswith(f" {results}")
    assert "–" not in lines[1]


@pytest.mark.parametrize("width", range(16, 61))
@pytest.mark.parametrize("events", [sample.whole_run, sample.half_run])
def test_no_line_is_wider_than_the_panel(width: int, events: Callable[[], list[Event]]) -> None:
    assert max(map(len, models(events(), width))) <= width


@pytest.mark.parametrize(("verdict", "shown"), [(True, "2 checks so far"), (False, "✗ 1/2 checks so far")])
def test_while_verify_runs_nothing_has_passed(verdict: bool, shown: str) -> None:
    recorder = sample.Recorder()
    sample.begin(recorder)
    recorder.emit("stage.started", stage="lint:verify", reasons=[])
    for name, passed in (("size", True), ("load", verdict)):
        recorder.emit("stage.check", stage="lint:verify", name=name, passed=passed, value=1)
    line = models(recorder.events, 40)[1]
    assert line.startswith(f" {shown}")
    assert "✓" not in line
