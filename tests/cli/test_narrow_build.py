"""Where files of some domains alone have changed, a build of many looks at those alone, and does what it would have
done anyway."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from bell_project import MANIFEST, PROJECT, row
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from instant import InstantExecutor

from fgbuild.cli import building, main
from fgbuild.engine import build as engine_build
from fgbuild.engine.digests import Digests
from fgbuild.engine.fingerprint import CodeFingerprints
from fgbuild.engine.plan import Planner
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import InterruptedBuild
from fgbuild.events import read_events

NAMES = ("ape", "bee", "cat")
ASKED = ["--all", "--until", "export"]
KINDS = ("generate", "tokenize", "train", "export")
TICK_SECONDS = 0.03


class Tree:
    """A project of three domains, every build of which would be narrow if it could."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("manifests", "data"):
            (root / folder).mkdir(parents=True)
        (root / "fgbuild.toml").write_text(PROJECT)
        for name in NAMES:
            self.add(name)
        self.planned_stages: list[str] = []
        self.during: dict[str, Callable[[], object]] = {}
        """Stage → what is done while it runs, once."""
        self._patches = ExitStack()
        self._patches.enter_context(mock.patch.object(building, "_executor", self.executor))
        for module in (building, engine_build):
            self._patches.enter_context(mock.patch.object(module, "SHOWN_WHOLE", 0))
        plan = Planner.plan

        def noted(planner: Planner, graph: Any) -> Any:
            self.planned_stages = list(graph.stages)
            return plan(planner, graph)

        self._patches.enter_context(mock.patch.object(Planner, "plan", noted))

    def executor(self) -> InstantExecutor:
        return InstantExecutor(lambda stage: self.during.pop(stage, lambda: None)())

    def close(self) -> None:
        self._patches.close()

    def manifest(self, name: str) -> Path:
        return self.root / "manifests" / f"{name}.toml"

    def data(self, name: str) -> Path:
        return self.root / "data" / f"{name}.jsonl"

    def model(self, name: str) -> Path:
        return self.root / "agents" / name / "models" / f"{name}_functiongemma_q8.gguf"

    def add(self, name: str) -> None:
        self.data(name).write_text(rows(0))
        self.write_manifest(name)

    def write_manifest(self, name: str, rank: int = 16, domain: str = "") -> None:
        text = MANIFEST.replace('"bell"', f'"{domain or name}"').replace("bell.jsonl", f"{name}.jsonl")
        self.manifest(name).write_text(f"{text}\n[lora]\nr = {rank}\n")

    def run(self, command: str, *asked: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        self.planned_stages = []
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = main(["--root", str(self.root), command, *(asked or ASKED), "--json"])
        return code, out.getvalue(), err.getvalue()

    def build(self) -> dict[str, Any]:
        code, events, error = self.run("build")
        assert code == 0, error
        return json.loads(events.splitlines()[-1])

    def planned(self) -> dict[str, dict[str, Any]]:
        """What there is to do, worked out in full and without leaving a trace."""
        with mock.patch.object(Digests, "save"), mock.patch.object(CodeFingerprints, "save"):
            code, document, error = self.run("plan")
        assert code == 0, error
        return {stage["id"]: stage for stage in json.loads(document)["stages"]}

    def settle(self) -> None:
        """Build until nothing at all has to be looked at again."""
        for _ in range(5):
            time.sleep(TICK_SECONDS)
            self.build()
            if not self.planned_stages:
                return
        raise AssertionError("the shortest way is never taken")


def rows(version: int) -> str:
    return row(version).replace("Ring", "RING" if version % 2 else "Ring") + "\n"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    tree.settle()
    yield tree
    tree.close()


def stages(name: str) -> list[str]:
    return [f"{name}:{kind}" for kind in KINDS]


def test_one_edit_looks_at_one_domain_and_its_run_shows_it_alone(tree: Tree) -> None:
    tree.write_manifest("bee", rank=8)
    events = [json.loads(line) for line in tree.run("build")[1].splitlines()]
    assert tree.planned_stages == ["base", *stages("bee")]
    started, finished = events[0], events[-1]
    assert [stage["id"] for stage in started["stages"]] == ["base", *stages("bee")]
    assert started["beside"] == 8
    assert finished["ran"] == ["bee:train", "bee:export"]
    everything = {"base", *(stage for name in NAMES for stage in stages(name))}
    assert set(finished["skipped"]) == everything - set(finished["ran"])


EDITS: dict[str, Callable[[Tree], object]] = {
    "own data": lambda tree: tree.data("bee").write_text(rows(2)),
    "a model that is gone": lambda tree: tree.model("bee").unlink(),
    "a model that is another": lambda tree: tree.model("bee").write_text("mine"),
    "a touch": lambda tree: tree.manifest("bee").touch(),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_file_of_a_domain_concerns_it_alone(tree: Tree, edit: str) -> None:
    EDITS[edit](tree)
    expected = {stage for stage, entry in tree.planned().items() if entry["action"] != "skip"}
    finished = tree.build()
    assert tree.planned_stages == ["base", *stages("bee")]
    assert {*finished["ran"], *finished["cached"]} == expected
    tree.settle()


def test_two_edits_look_at_two_domains(tree: Tree) -> None:
    for name in ("cat", "ape"):
        tree.write_manifest(name, rank=8)
    assert tree.build()["ran"] == ["ape:train", "ape:export", "cat:train", "cat:export"]
    assert "bee:train" not in tree.planned_stages


def test_a_domain_that_got_another_name_makes_it_look_at_all(tree: Tree) -> None:
    tree.write_manifest("bee", domain="bear")
    finished = tree.build()
    assert {"ape:train", "bear:train", "cat:train"} <= set(tree.planned_stages)
    assert "bear:export" in [*finished["ran"], *finished["cached"]]


def test_a_name_that_another_domain_has_is_refused(tree: Tree) -> None:
    tree.write_manifest("bee", domain="cat")
    code, _, error = tree.run("build")
    assert code == 2
    assert 'manifests/cat.toml:3: name: "cat" is the name of manifests/bee.toml:3 too' in error


def test_a_mistake_in_one_manifest_is_told_as_ever(tree: Tree) -> None:
    tree.write_manifest("bee", rank=0)
    code, _, error = tree.run("build")
    assert (code, "manifests/bee.toml" in error, "lora.r: must be at least 1" in error) == (2, True, True)
    tree.write_manifest("bee")
    assert tree.build()["ran"] == []


def test_outputs_that_are_gone_in_all_domains_come_back_beside_an_edit_of_one(tree: Tree) -> None:
    shutil.rmtree(tree.root / "agents")
    tree.write_manifest("bee", rank=8)
    finished = tree.build()
    assert set(finished["cached"]) == {"ape:export", "cat:export"}
    assert all(tree.model(name).exists() for name in NAMES)


def known(tree: Tree, stage: str) -> list[Path]:
    """The stage's artifact in the store; none where the database was removed since it was made."""
    with Workspace(tree.root) as workspace:
        standing = workspace.actions.standing(stage)
    return [] if standing is None else [tree.root / "cache" / "store" / standing[1]]


def stored(tree: Tree, stage: str) -> Path:
    (artifact,) = known(tree, stage)
    return artifact


def damage(artifact: Path) -> None:
    for path in artifact.iterdir():
        path.chmod(0o644)
        path.write_text("damaged")


def remove(artifact: Path) -> None:
    artifact.chmod(0o755)
    shutil.rmtree(artifact)


MEANWHILE: dict[str, Callable[[Tree], object]] = {
    "a manifest is added": lambda tree: tree.add("dog"),
    "a manifest is removed": lambda tree: tree.manifest("cat").unlink(),
    "another domain's manifest is edited": lambda tree: tree.write_manifest("cat", rank=4),
    "its own manifest is edited": lambda tree: tree.write_manifest("bee", rank=4),
    "another domain's data is edited": lambda tree: tree.data("cat").write_text(rows(2)),
    "an output is removed": lambda tree: tree.model("ape").unlink(),
    "a stored artifact is removed": lambda tree: [remove(path) for path in known(tree, "ape:export")],
    "the database is removed": lambda tree: [path.unlink() for path in (tree.root / "cache").glob("index.sqlite*")],
    "the project's file is edited": lambda tree: (tree.root / "fgbuild.toml").write_text(PROJECT + "# more"),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_happens_while_a_build_runs_is_seen_by_the_next(tree: Tree, meanwhile: str) -> None:
    tree.during["bee:train"] = lambda: MEANWHILE[meanwhile](tree)
    tree.write_manifest("bee", rank=8)
    tree.run("build")
    assert not tree.during
    time.sleep(TICK_SECONDS)
    left = {stage: entry["action"] for stage, entry in tree.planned().items() if entry["action"] != "skip"}
    tree.build()
    assert set(left) <= {*tree.planned_stages}
    assert all(entry["action"] == "skip" for entry in tree.planned().values())
    tree.settle()
    assert all(entry["action"] == "skip" for entry in tree.planned().values())


def test_where_what_all_share_was_damaged_nobody_is_left_out(tree: Tree) -> None:
    """The base's artifact turns out damaged when the one training reads it; made again it may be another."""
    damage(stored(tree, "base"))
    tree.write_manifest("bee", rank=8)
    with mock.patch("instant.SALT", "other "):
        finished = tree.build()
    assert {"ape:train", "cat:train"} <= {*finished["ran"], *finished["cached"]}
    assert all(entry["action"] == "skip" for entry in tree.planned().values())


def test_a_base_whose_folder_grows_during_a_build_is_looked_at_again(tree: Tree) -> None:
    (tree.root / "weights").mkdir()
    (tree.root / "weights" / "model.safetensors").write_text("1")
    path_base = '\n[base.tiny]\nkind = "path"\npath = "weights"\n'
    (tree.root / "fgbuild.toml").write_text(PROJECT.replace('\n[base.tiny]\nkind = "tiny"\nseed = 1\n', path_base))
    tree.settle()
    for change in (
        lambda: (tree.root / "weights" / "checkpoint").mkdir(),
        lambda: (tree.root / "weights" / "more.safetensors").write_text("2"),
    ):
        tree.during["bee:train"] = change
        tree.write_manifest("bee", rank=random.randint(20, 1000))
        assert tree.build()["exit_code"] == 0
        assert not tree.during
        time.sleep(TICK_SECONDS)
        tree.build()
        assert tree.planned_stages
    assert all(entry["action"] == "skip" for entry in tree.planned().values())


def test_a_copied_project_has_no_witness(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copies") / "copy"
    shutil.copytree(tree.root, copy, symlinks=True)
    tree.root = copy
    tree.model("bee").unlink()
    assert tree.build()["cached"] == ["bee:export"]


def test_a_file_that_only_another_domain_names_has_to_be_there_as_ever(tree: Tree) -> None:
    asked = ("bee", "--until", "export")
    for _ in range(3):
        assert tree.run("build", *asked)[0] == 0
        time.sleep(TICK_SECONDS)
    assert not tree.planned_stages
    tree.data("cat").unlink()
    code, _, error = tree.run("build", *asked)
    assert (code, "data/cat.jsonl" in error) == (2, True)


def test_a_cache_without_its_folder_for_running_stages_is_fine(tree: Tree) -> None:
    (tree.root / "cache" / "tmp").rmdir()
    tree.build()
    assert not tree.planned_stages


def test_an_interrupt_after_the_build_does_not_undo_its_success(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise InterruptedBuild("stopped")

    tree.write_manifest("bee", rank=8)
    with monkeypatch.context() as patched:
        patched.setattr(building, "look_at_placed", interrupted)
        assert tree.build()["exit_code"] == 0
    tree.build()
    assert tree.planned_stages  # and nothing was kept


HARMLESS = {name for name in MEANWHILE if "manifest is removed" not in name and "manifest is added" not in name}
"""What may happen at any time in a tree of these domains."""


class Builds(RuleBasedStateMachine):
    """Whatever is done to files: a build runs all that a full look finds changed, and nothing else."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="fgbuild-narrow-")
        self.tree = Tree(Path(self.directory.name))
        self.tree.settle()

    def teardown(self) -> None:
        if hasattr(self, "tree"):
            self.tree.close()
            self.directory.cleanup()

    @rule(name=st.sampled_from(NAMES), rank=st.sampled_from([4, 8, 16]))
    def edit_manifest(self, name: str, rank: int) -> None:
        self.tree.write_manifest(name, rank)

    @rule(name=st.sampled_from(NAMES), version=st.integers(0, 3))
    def edit_data(self, name: str, version: int) -> None:
        self.tree.data(name).write_text(rows(version))

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(["", "mine"]))
    def meddle_with_an_output(self, name: str, text: str) -> None:
        self.tree.model(name).unlink(missing_ok=True)
        if text:
            self.tree.model(name).write_text(text)

    @rule(name=st.sampled_from(NAMES))
    def replace_by_a_copy(self, name: str) -> None:
        """As editors and `git checkout` do."""
        manifest = self.tree.manifest(name)
        shutil.copy2(manifest, manifest.with_suffix(".new"))
        os.replace(manifest.with_suffix(".new"), manifest)

    @rule(name=st.sampled_from(NAMES), domain=st.sampled_from(["dog", "eel"]))
    def rename_domain(self, name: str, domain: str) -> None:
        if not any(f'name = "{domain}"' in self.tree.manifest(other).read_text() for other in NAMES if other != name):
            self.tree.write_manifest(name, domain=domain)

    @rule(name=st.sampled_from(["fly", "gnu"]))
    def add_or_remove_a_domain(self, name: str) -> None:
        if self.tree.manifest(name).exists():
            self.tree.manifest(name).unlink()
        else:
            self.tree.add(name)

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(KINDS), meanwhile=st.sampled_from(sorted(HARMLESS)))
    def build_with_something_happening_meanwhile(self, name: str, kind: str, meanwhile: str) -> None:
        """Where that fails a stage whose input changed under it, the next build makes it good."""
        time.sleep(TICK_SECONDS)
        self.tree.during[f"{name}:{kind}"] = lambda: MEANWHILE[meanwhile](self.tree)
        self.tree.run("build")
        self.tree.during.clear()

    @rule()
    def change_the_project(self) -> None:
        with (self.tree.root / "fgbuild.toml").open("a") as stream:
            stream.write("# more\n")

    @rule(rested=st.booleans())
    def build(self, rested: bool) -> None:
        """rested: files were left alone long enough for their stamps to be believed."""
        time.sleep(TICK_SECONDS if rested else 0)
        before = self.tree.planned()
        finished = self.tree.build()
        became = {name: set(finished[name]) for name in ("ran", "cached", "skipped")}
        for stage, entry in before.items():
            own = [reason for reason in entry["reasons"] if "upstream" not in reason]
            expected = {"run": "ran" if own else "", "cached": "cached", "skip": "skipped"}[entry["action"]]
            assert not expected or stage in became[expected], (stage, entry, finished)
        assert became["ran"] | became["cached"] | became["skipped"] == set(before)
        left = {stage: entry for stage, entry in self.tree.planned().items() if entry["action"] != "skip"}
        assert not left


TestBuilds = Builds.TestCase
TestBuilds.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)


def test_a_log_of_many_domains_tells_how_many_are_left_out(tree: Tree) -> None:
    tree.write_manifest("bee", rank=4)
    run = tree.build()["run"]
    events = list(read_events(tree.root / "cache" / "runs" / run / "events.jsonl"))
    assert events[0]["beside"] == 8
    with redirect_stdout(StringIO()) as out:
        assert main(["--root", str(tree.root), "log", run]) == 0
    assert "13 stages: 2 to run, 11 up to date" in out.getvalue()
    assert "2 ran, 11 up to date" in out.getvalue()
