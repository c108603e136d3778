"""What runs again after which change, on whole builds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from toy_project import ToyProject, manifest

from fgbuild.engine.plan import CACHED, RUN, SKIP
from fgbuild.errors import DataError, FgbuildError

ALL = ["base", "red:check", "red:join", "red:last", "red:make"]


def test_second_build_runs_nothing_and_leaves_no_run(toy: ToyProject) -> None:
    first = toy.build()
    assert (first.exit_code, sorted(first.ran)) == (0, ALL)
    assert toy.taken() == ALL
    assert toy.joined() == "base-+redred16"
    second = toy.build()
    assert second.run is None
    assert sorted(second.skipped) == ALL
    assert toy.taken() == []
    assert len(list((toy.root / "cache" / "runs").glob("2*"))) == 1


def test_a_field_reruns_only_the_stages_that_declare_it_and_those_below(toy: ToyProject) -> None:
    toy.manifests["blue"] = manifest("blue")
    toy.build()
    toy.taken()
    toy.manifests["red"]["join"] = {"r": 32}
    result = toy.build()
    assert toy.taken() == ["red:check", "red:join", "red:last"]
    assert result.ran == ["red:join", "red:check", "red:last"]
    assert toy.joined("red").endswith("32")
    assert toy.joined("blue") == "base-+blueblue16"


def test_reverting_restores_from_the_store_without_work(toy: ToyProject) -> None:
    toy.build()
    toy.manifests["red"]["join"] = {"r": 32}
    toy.build()
    toy.taken()
    toy.manifests["red"]["join"] = {"r": 16}
    result = toy.build()
    assert toy.taken() == []
    assert result.cached == ["red:join", "red:check", "red:last"]
    assert toy.joined().endswith("16")


def test_early_cutoff_stops_where_the_output_is_the_same(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    toy.manifests["red"]["make"] = {"word": "RED", "count": 2}  # the worker writes lower case
    assert toy.plan()["red:join"].action == RUN
    result = toy.build()
    assert toy.taken() == ["red:make"]
    assert result.ran == ["red:make"]
    assert set(result.skipped) == {"base", "red:join", "red:check", "red:last"}
    cut = [event["stage"] for event in toy.events(result.run) if event.get("action") == "skip"]
    assert cut == ["red:join", "red:check", "red:last"]


@pytest.mark.parametrize("damage", ["removed", "modified"])
def test_a_placed_file_that_was_changed_is_restored(toy: ToyProject, damage: str) -> None:
    toy.build()
    toy.taken()
    path = toy.root / "agents" / "red" / "joined.txt"
    path.unlink() if damage == "removed" else path.write_text("mine now")
    result = toy.build()
    assert result.cached == ["red:join"]
    assert toy.taken() == []
    assert toy.joined() == "base-+redred16"


def test_editing_a_placed_file_leaves_the_store_alone(toy: ToyProject) -> None:
    toy.build()
    (toy.root / "agents" / "red" / "joined.txt").write_text("mine now")
    with toy.open() as workspace:
        assert all(workspace.store.is_sound(path.name) for path in toy.stored())


def test_touch_reruns_nothing(toy: ToyProject) -> None:
    (toy.root / "own.txt").write_text("data")
    toy.manifests["red"]["make"]["files"] = ["own.txt"]
    toy.build()
    toy.taken()
    later = time.time() + 10
    os.utime(toy.root / "own.txt", (later, later))
    for path in (toy.root / "toy").glob("*.py"):
        os.utime(path, (later, later))
    os.utime(toy.root / "agents" / "red" / "joined.txt", (later, later))
    assert toy.build().run is None


def test_an_edit_in_the_same_second_and_of_the_same_size_is_seen(toy: ToyProject) -> None:
    own = toy.root / "own.txt"
    own.write_text("data")
    status = own.stat()
    toy.manifests["red"]["make"]["files"] = ["own.txt"]
    toy.build()
    toy.taken()
    own.write_text("atad")
    os.utime(own, ns=(status.st_atime_ns, status.st_mtime_ns))
    toy.build()
    assert toy.taken() == ["red:make"]


def test_comments_and_docstrings_of_worker_code_rerun_nothing_and_code_does(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    (toy.root / "toy" / "glue.py").write_text('"""Glue."""\n# a comment\nGLUE  =  "+"\n')
    assert toy.build().run is None
    (toy.root / "toy" / "glue.py").write_text('GLUE = "*"\n')
    reasons = [reason.text for reason in toy.plan()["red:join"].reasons]
    assert reasons == ["code: changed (toy/glue.py)"]
    toy.build()
    assert toy.taken() == ["red:check", "red:join", "red:last"]
    assert toy.joined() == "base-*redred16"


def test_a_missing_artifact_is_built_again(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    with toy.open() as workspace:
        digest = workspace.actions.standing("red:make")
        assert digest is not None
        workspace.store.remove(digest[1])
    assert [reason.text for reason in toy.plan()["red:make"].reasons] == ["stored output missing"]
    toy.build()
    assert toy.taken() == ["red:make"]


def test_a_damaged_input_is_found_before_it_is_used_and_built_again(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    with toy.open() as workspace:
        standing = workspace.actions.standing("red:make")
    assert standing is not None
    damaged = toy.root / "cache" / "store" / standing[1] / "made.txt"
    damaged.chmod(0o644)
    damaged.write_text("REDRED")
    toy.manifests["red"]["join"] = {"r": 32}
    result = toy.build()
    assert result.exit_code == 0
    assert toy.taken() == ["red:check", "red:join", "red:last", "red:make"]
    assert toy.joined() == "base-+redred32"


def test_a_damaged_artifact_is_not_placed_but_built_again(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    with toy.open() as workspace:
        standing = workspace.actions.standing("red:join")
    assert standing is not None
    damaged = toy.root / "cache" / "store" / standing[1] / "joined.txt"
    damaged.chmod(0o644)
    damaged.write_text("wrong")
    (toy.root / "agents" / "red" / "joined.txt").unlink()
    assert toy.build().exit_code == 0
    assert "red:join" in toy.taken()
    assert toy.joined() == "base-+redred16"


def test_until_and_domains_choose_and_force_runs_what_is_up_to_date(toy: ToyProject) -> None:
    toy.manifests["blue"] = manifest("blue")
    toy.build("red", until="make")
    assert toy.taken() == ["red:make"]
    toy.build("red", until="join")
    assert toy.taken() == ["base", "red:join"]
    result = toy.build("red", until="join", force=True)
    assert toy.taken() == ["base", "red:join", "red:make"]
    assert result.ran == ["base", "red:make", "red:join"]
    actions = {name: decision.action for name, decision in toy.plan().items()}
    assert actions["red:join"] == SKIP
    assert actions["blue:join"] == actions["red:check"] == RUN


def test_plan_predicts_what_build_does_and_changes_nothing(toy: ToyProject) -> None:
    assert {decision.action for decision in toy.plan().values()} == {RUN}
    assert [reason.text for reason in toy.plan()["red:join"].reasons] == [
        "never built",
        "base: will be rebuilt",
        "make: will be rebuilt",
    ]
    assert not (toy.root / "cache" / "store").exists()
    toy.build()
    toy.manifests["red"]["join"] = {"r": 32}
    toy.build()
    toy.manifests["red"]["join"] = {"r": 16}
    decision = toy.plan()["red:join"]
    assert decision.action == CACHED
    assert [reason.text for reason in decision.reasons] == ["join.r: 32 → 16"]


def test_a_lost_database_costs_work_and_nothing_else(toy: ToyProject) -> None:
    toy.build()
    toy.taken()
    for path in (toy.root / "cache").glob("index.sqlite*"):
        path.unlink()
    assert toy.build().exit_code == 0
    assert toy.taken() == ALL
    assert toy.joined() == "base-+redred16"


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda path: path.unlink(), "does not exist; put it there or no longer name it"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), "a link to nowhere, which does not exist; restore"),
        (lambda path: (path.unlink(), path.mkdir()), "is not a file; put one there"),
    ],
)
def test_an_input_that_is_no_file_says_what_to_do(
    toy: ToyProject, break_it: Callable[[Path], object], words: str
) -> None:
    (toy.root / "data.txt").write_text("x")
    toy.manifests["red"]["make"]["files"] = ["data.txt"]
    toy.build()
    break_it(toy.root / "data.txt")
    with pytest.raises(DataError, match=f"data.txt: .*{words}"):
        toy.plan()


def test_a_file_that_changes_while_it_is_read_makes_no_wrong_skip(toy: ToyProject) -> None:
    """The worker sees NEW under the key of OLD; putting OLD back must not find NEW's output."""
    data = toy.root / "data.txt"
    data.write_text("OLD")
    toy.manifests["red"]["make"]["files"] = ["data.txt"]
    toy.write_worker(
        "make",
        'data = Path(job["root"]) / "data.txt"\ndata.write_text("NEW")\nfinish("made.txt", data.read_text())',
    )
    result = toy.build()
    assert (result.exit_code, result.failed) == (1, ["red:make"])
    (failure,) = (event for event in toy.events(result.run) if event["kind"] == "stage.failed")
    assert "data.txt" in failure["message"]
    assert "build again" in failure["message"]
    data.write_text("OLD")
    toy.write_worker("make", 'finish("made.txt", (Path(job["root"]) / "data.txt").read_text())')
    assert toy.build().exit_code == 0
    assert "OLD" in toy.joined()


def test_code_that_changes_before_a_stage_starts_is_the_code_of_its_key(toy: ToyProject) -> None:
    """`make` edits the code that `join` will import: a long build outlives the plan it was started with."""
    toy.write_worker(
        "make",
        '(Path(job["root"]) / "toy" / "glue.py").write_text(\'GLUE = "-"\\n\')\nfinish("made.txt", "red")',
    )
    assert toy.build().exit_code == 0
    assert "-red" in toy.joined()
    assert toy.build().run is None
    (toy.root / "toy" / "glue.py").write_text('GLUE = "+"\n')
    toy.build()
    assert "+red" in toy.joined()


@pytest.mark.parametrize(("domains", "until"), [((), None), ((), "join"), (("red",), "base")])
def test_a_project_without_domains_says_so(toy: ToyProject, domains: tuple[str, ...], until: str | None) -> None:
    toy.manifests = {}
    with pytest.raises(FgbuildError, match="the project has no domain"):
        toy.graph(*domains, until=until)


def test_the_shared_stages_need_no_domain(toy: ToyProject) -> None:
    toy.manifests = {}
    assert toy.build(until="base").ran == ["base"]
