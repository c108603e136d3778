"""What is kept for the next build is what all of this build's decisions were made by."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_project import InProcessExecutor, ToyProject, manifest

from fgbuild.engine.build import BuildRequest, build, locked
from fgbuild.engine.observed import look_at_placed, observed, stamps_before
from fgbuild.engine.stamps import stamp
from fgbuild.engine.witness import Seen
from fgbuild.errors import FgbuildError


@pytest.fixture
def two(toy: ToyProject) -> ToyProject:
    """`red` and `blue`; both make their words from one file."""
    (toy.root / "words.txt").write_text("one")
    for name in ("red", "blue"):
        toy.manifests[name] = manifest(name, make={"word": name, "count": 1, "files": ["words.txt"]})
    time.sleep(0.03)
    return toy


def build_and_look(
    toy: ToyProject, during: Callable[[str], object] = lambda stage: None, **options: Any
) -> dict[str, tuple[list[str], Seen]]:
    """during: called with each stage's id when it has ended."""
    graph = toy.graph()

    def listen(event: dict[str, Any]) -> None:
        if event["kind"] == "stage.finished":
            during(event["stage"])

    with toy.open() as workspace, locked(workspace.paths):
        before = stamps_before(graph, toy.root, {})
        result = build(workspace, graph, BuildRequest("toy", jobs=1, **options), InProcessExecutor, lambda: [listen])
        time.sleep(0.03)
        look_at_placed(workspace, graph, [*result.ran, *result.cached])
        return observed(workspace, graph, {*result.ran, *result.cached, *result.skipped}, before, {})


def test_each_domain_has_its_stages_and_its_files(two: ToyProject) -> None:
    found = build_and_look(two)
    stages, seen = found["red"]
    assert stages == ["red:make", "red:join", "red:check", "red:last"]
    paths = [str(two.root / name) for name in ("words.txt", "agents/red/joined.txt")]
    assert seen == {path: stamp(path) for path in paths}
    shared_stages, shared = found[""]
    assert shared_stages == ["base"]
    assert shared is not None
    assert {Path(path).name for path in shared} >= {"base.py", "glue.py"}
    assert not set(shared) & set(paths)
    assert build_and_look(two) == found  # where nothing has to be done, too


def test_a_file_that_changed_between_two_stages_is_not_believed(two: ToyProject) -> None:
    def edit(stage: str) -> None:
        if stage == "red:make":
            (two.root / "words.txt").write_text("two")

    found = build_and_look(two, edit)
    assert (found["red"][1], found["blue"][1]) == (None, None)


def test_an_output_that_somebody_changed_meanwhile_is_not_believed(two: ToyProject) -> None:
    def meddle(stage: str) -> None:
        if stage == "red:last":
            (two.root / "agents/red/joined.txt").write_text("mine")

    found = build_and_look(two, meddle)
    assert found["red"][1] is None
    assert found["blue"][1] is not None


def test_a_domain_that_is_not_up_to_date_is_looked_at_again(two: ToyProject) -> None:
    two.manifests["blue"]["fail"] = {"join": 1}
    with contextlib.suppress(FgbuildError):
        found = build_and_look(two, keep_going=True)
    assert found["blue"][1] is None
    assert found["red"][1] is not None


def test_code_that_changed_meanwhile_leaves_nothing_to_believe(two: ToyProject) -> None:
    def edit(stage: str) -> None:
        if stage == "blue:make":
            two.write_worker("last", 'finish("last.txt", "other")')

    assert build_and_look(two, edit)[""][1] is None
