"""What the dashboard is told about a real project."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fgbuild.cli import main
from fgbuild.cli.desk import ProjectDesk
from fgbuild.errors import FgbuildError
from fgbuild.events import read_events
from fgbuild.views import runs
from fgbuild.views.tui.desk import Variant

BUILD = ["build", "bell", "--until", "generate", "--headless"]


@pytest.fixture(autouse=True)
def _restore_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def two_runs(project: Path) -> Path:
    """Two builds of the domain's data; a row differs, and the share that is kept for the evaluation."""
    assert main(BUILD) == 0
    data, manifest = project / "data" / "bell.jsonl", project / "manifests" / "bell.toml"
    data.write_text(data.read_text().replace("Ring 3", "Ring!"))
    manifest.write_text(manifest.read_text().replace("[dataset]", "[dataset]\neval_fraction = 0.25"))
    assert main(BUILD) == 0
    return project


def test_why_tells_when_the_outputs_were_made(two_runs: Path) -> None:
    desk = ProjectDesk(two_runs)
    lines = desk.why("bell:generate", Variant())
    assert lines[0] == "bell:generate is up to date"
    assert f"run {runs.run_ids(two_runs)[-1]}" in lines[1]
    (two_runs / "data" / "bell.jsonl").write_text((two_runs / "data" / "bell.jsonl").read_text().replace("Ring 4", "R"))
    lines = desk.why("bell:generate", Variant())
    assert lines[0].startswith("its outputs were built on ")
    assert lines[1:] == ["bell:generate would run", "  because data/bell.jsonl: changed"]


def test_the_plan_has_every_stage_as_it_stands(two_runs: Path) -> None:
    plan = {entry["id"]: entry for entry in ProjectDesk(two_runs).plan(Variant())}
    assert [*plan][-1] == "bell:eval"
    assert plan["bell:generate"]["action"] == "skip"
    assert plan["bell:train"]["action"] == "run"
    assert plan["bell:train"]["reasons"]


def test_why_of_a_stage_that_is_not_there(two_runs: Path) -> None:
    with pytest.raises(FgbuildError, match="no stage"):
        ProjectDesk(two_runs).why("bell:nothing", Variant())


def test_differences_are_those_of_the_inputs(two_runs: Path) -> None:
    first, second = runs.run_ids(two_runs)
    found = ProjectDesk(two_runs).differences(first, second, ["bell:generate", "bell:train"])
    assert list(found) == ["bell:generate"]
    entries = {entry["component"]: (entry["old"], entry["new"]) for entry in found["bell:generate"]}
    assert entries["dataset.eval_fraction"][1] == 0.25
    assert "data/bell.jsonl" in entries
    assert ProjectDesk(two_runs).differences(first, first, ["bell:generate"]) == {"bell:generate": []}


def test_the_log_says_which_stages_come_first(two_runs: Path) -> None:
    (run, _) = runs.run_ids(two_runs)
    started = next(iter(read_events(runs.log_path(two_runs, run))))
    assert {entry["id"]: entry["after"] for entry in started["stages"]} == {"bell:generate": []}
