"""The tools find in a generated project what was planted there, and nothing else."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

import pytest

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.planted import State
from fgbuild.domains.docstring.project import Fact, Project
from fgbuild.domains.docstring.styles import STYLES
from fgbuild.domains.scenario import Draw
from fgbuild.sandbox import Sandbox

STATES: tuple[State, ...] = ("none", "line", "sections", "wrong")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.docstring.tools") as found:
        yield found


def drawn(seed: int) -> Project:
    d = Draw(random.Random(seed), "train" if seed % 2 else "eval")
    project = Project()
    for file in d.sample(values.FILES, 3):
        names = [name for name in d.sample(values.LOCAL, 4) if name not in {fact.name for fact in project.facts}]
        project.add(d, file, {name: d.choice(STATES) for name in names}, d.choice(STYLES))
    return project


def folder(file: str) -> str:
    return file.rsplit("/", 1)[0] if "/" in file else "."


def named(facts: list[Fact]) -> str:
    names = [fact.name for fact in facts]
    assert len(set(names)) == len(names) <= 10
    return ", ".join(names)


@pytest.mark.parametrize("seed", range(20))
def test_lists_and_checks_find_what_was_planted(sandbox: Sandbox, seed: int) -> None:
    project = drawn(seed)
    workspace = sandbox.project(project.files)
    for path in {*project.files, *map(folder, project.files)} - {"."}:
        facts = project.found_in(path)
        bare = [fact for fact in facts if not fact.docstring]
        wrong = [fact for fact in facts if fact.wrong]
        assert workspace.call("list_undocumented", {"path": path}) == {"count": len(bare), "symbols": named(bare)}
        assert workspace.call("check_docstrings", {"path": path}) == {"problems": len(wrong), "symbols": named(wrong)}
    workspace.remove()


@pytest.mark.parametrize("seed", range(20))
def test_symbols_have_the_planted_signatures_and_docstrings(sandbox: Sandbox, seed: int) -> None:
    project = drawn(seed)
    workspace = sandbox.project(project.files)
    for fact in project.facts:
        where = {"symbol": fact.name, "path": fact.file}
        assert workspace.call("get_signature", where) == {"signature": fact.signature}
        assert workspace.call("read_docstring", where) == {"docstring": fact.docstring}
    workspace.remove()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", range(6))
def test_all_docstrings_in_other_styles_are_converted(sandbox: Sandbox, seed: int, style: str) -> None:
    project = drawn(seed)
    workspace = sandbox.project(project.files)
    for file in project.files:
        facts = project.found_in(file)
        expected = sum(fact.style not in (None, style) for fact in facts)
        assert workspace.call("convert_style", {"path": file, "style": style}) == {"converted": expected}
        assert workspace.call("convert_style", {"path": file, "style": style}) == {"converted": 0}
        assert workspace.call("check_docstrings", {"path": file})["symbols"] == named([f for f in facts if f.wrong])
    workspace.remove()


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_wrong_with_what_is_written(sandbox: Sandbox, seed: int) -> None:
    project = drawn(seed)
    workspace = sandbox.project(project.files)
    for fact in project.facts:
        if fact.wrong or not fact.docstring:
            where = {"symbol": fact.name, "path": fact.file}
            assert workspace.call("write_docstring", where) == {"written": fact.name}
    for file in project.files:
        assert workspace.call("list_undocumented", {"path": file}) == {"count": 0, "symbols": ""}
        assert workspace.call("check_docstrings", {"path": file}) == {"problems": 0, "symbols": ""}
    workspace.remove()


def test_states_are_all_planted_and_each_is_what_its_fact_says() -> None:
    facts = [fact for seed in range(40) for fact in drawn(seed).facts]
    assert {bool(fact.docstring) for fact in facts} == {True, False}
    assert {fact.wrong for fact in facts} == {True, False}
    assert {fact.style for fact in facts} == {None, *STYLES}
    assert all(fact.docstring for fact in facts if fact.wrong or fact.style)


def test_the_same_seed_makes_the_same_files() -> None:
    for seed in range(20):
        assert drawn(seed).files == drawn(seed).files
        for text in drawn(seed).files.values():
            ast.parse(text)
            assert text.endswith("\n")
            assert "\n\n\n\n" not in text
