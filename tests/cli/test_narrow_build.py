"""Where files of some domains alone have changed, a build of many looks at those alone, and does what it would have
done anyway."""

from __future__ import annotations

import json
import os
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
            self.write_manifest(name)
            self.data(name).write_text(rows(0))
        self.planned_stages: list[str] = []
        self._patches = ExitStack()
        self._patches.enter_context(mock.patch.object(building, "_executor", InstantExecutor))
        for module in (building, engine_build):
            self._patches.enter_context(mock.patch.object(module, "SHOWN_WHOLE", 0))
        plan = Planner.plan

        def noted(planner: Planner, graph: Any) -> Any:
            self.planned_stages = list(graph.stages)
            return plan(planner, graph)

        self._patches.enter_context(mock.patch.object(Planner, "plan", noted))

    def close(self) -> None:
        self._patches.close()

    def manifest(self, name: str) -> Path:
        return self.root / "manifests" / f"{name}.toml"

    def data(self, name: str) -> Path:
        return self.root / "data" / f"{name}.jsonl"

    def model(self, name: str) -> Path:
        return self.root / "agents" / name / "models" / f"{name}_functiongemma_q8.gguf"

    def write_manifest(self, name: str, rank: int = 16, domain: str = "") -> None:
        text = MANIFEST.replace('"bell"', f'"{domain or name}"').replace("bell.jsonl", f"{name}.jsonl")
        self.manifest(name).write_text(f"{text}\n[lora]\nr = {rank}\n")

    def run(self, command: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        self.planned_stages = []
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = main(["--root", str(self.root), command, *ASKED, "--json"])
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


def test_a_stored_result_that_all_need_is_missed_though_one_domain_changed(tree: Tree) -> None:
    shutil.rmtree(tree.root / "agents")
    tree.write_manifest("bee", rank=8)
    finished = tree.build()
    assert set(finished["cached"]) == {"ape:export", "cat:export"}
    assert all(tree.model(name).exists() for name in NAMES)


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
TestBuilds.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_a_log_of_many_domains_tells_how_many_are_left_out(tree: Tree) -> None:
    tree.write_manifest("bee", rank=4)
    run = tree.build()["run"]
    events = list(read_events(tree.root / "cache" / "runs" / run / "events.jsonl"))
    assert events[0]["beside"] == 8
    with redirect_stdout(StringIO()) as out:
        assert main(["--root", str(tree.root), "log", run]) == 0
    assert "13 stages: 2 to run, 11 up to date" in out.getvalue()
    assert "2 ran, 11 up to date" in out.getvalue()
