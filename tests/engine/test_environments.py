"""Environments of other interpreters: asked once, and part of the keys of the stages that run in them alone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from foreign_python import install, make_python, times_asked
from toy_project import ToyProject

from fgbuild.engine.environments import Environments, require
from fgbuild.engine.graph import Graph, build_graph
from fgbuild.engine.keys import Components
from fgbuild.errors import DataError
from fgbuild.manifest import Project
from fgbuild.manifest.project import Domain

SETTLED_SECONDS = 0.05


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """An environment's folder; left alone for a moment, so that its looks can be believed."""
    make_python(tmp_path / "env")
    time.sleep(SETTLED_SECONDS)
    return tmp_path / "env"


def version(tmp_path: Path, foreign: Path) -> str | None:
    found = Environments(tmp_path / "environments.json").of(foreign / "python")
    return found.libraries.versions(["unsloth"])["unsloth"]


def test_an_interpreter_is_asked_once_until_its_environment_changes(tmp_path: Path, foreign: Path) -> None:
    assert [version(tmp_path, foreign) for _ in range(3)] == ["1.0"] * 3
    assert times_asked(foreign) == 1
    install(foreign, "1.1")
    time.sleep(SETTLED_SECONDS)
    assert [version(tmp_path, foreign) for _ in range(2)] == ["1.1"] * 2
    assert times_asked(foreign) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"PYTHON": 3}', '{"PYTHON": {"when": "x"}}'])
def test_a_broken_memory_is_made_anew(tmp_path: Path, foreign: Path, content: str) -> None:
    memory = tmp_path / "environments.json"
    memory.write_text(content.replace("PYTHON", str(foreign / "python")))
    assert version(tmp_path, foreign) == "1.0"
    assert version(tmp_path, foreign) == "1.0"
    assert times_asked(foreign) == 1


def test_what_the_answer_rests_on_is_known(tmp_path: Path, foreign: Path) -> None:
    environments = Environments(tmp_path / "environments.json")
    environments.of(foreign / "python")
    assert {str(foreign / "python"), str(foreign / "site-packages")} <= set(environments.looked_at)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", r"does not answer as a Python interpreter \(CalledProcessError\); name another"),
        ("echo nonsense", "does not answer as a Python interpreter"),
        ("echo '[[3, 9], []]'", r"is Python 3\.9, and workers need 3\.11 or newer"),
    ],
)
def test_what_is_no_interpreter_for_workers_is_refused(tmp_path: Path, script: str, words: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    with pytest.raises(DataError, match=words):
        Environments(tmp_path / "environments.json").of(python)


def test_a_library_that_is_missing_there_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    python = make_python(tmp_path / "env", None)
    libraries, _ = Environments(tmp_path / "environments.json").of(python)
    with pytest.raises(DataError, match=rf"unsloth is not installed .* run {python} -m pip install unsloth"):
        require(libraries, "unsloth", python)


def graph(toy: ToyProject, environment: str, python: Path | None) -> Graph:
    """The toy's stages, whose `make` asks for an environment."""
    spec = next(spec for spec in toy.pipeline if spec.kind == "make")
    changed = replace(spec, libraries=("unsloth",), environment=lambda manifest, has_gpu: environment)
    pipeline = tuple(changed if each is spec else each for each in toy.pipeline)
    domains = {name: Domain(name, Path(f"{name}.toml"), data, {}) for name, data in toy.manifests.items()}
    backends = {"unsloth": {"python": str(python)}} if python else {}
    return build_graph(Project(toy.root, toy.base, "toy", None, domains, backends), pipeline)


def components(toy: ToyProject, environment: str, python: Path | None) -> Components:
    with toy.open() as workspace:
        return workspace.keys.components(graph(toy, environment, python).stages["red:make"], {})


def test_the_key_has_the_versions_of_the_environment_that_the_worker_runs_in(toy: ToyProject, foreign: Path) -> None:
    own = components(toy, "", None)
    assert own == components(toy, "", foreign / "python")
    assert own["libraries"]["unsloth"] is None
    assert components(toy, "unsloth", foreign / "python")["libraries"]["unsloth"] == "1.0"
    install(foreign, "1.1")
    assert components(toy, "unsloth", foreign / "python")["libraries"]["unsloth"] == "1.1"


def test_a_named_interpreter_keeps_its_links(toy: ToyProject, tmp_path: Path, foreign: Path) -> None:
    (tmp_path / "link").symlink_to(foreign / "python")
    stage = graph(toy, "unsloth", tmp_path / "link").stages["red:make"]
    assert (stage.environment, stage.python) == ("unsloth", tmp_path / "link")
