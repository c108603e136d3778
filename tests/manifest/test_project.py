from __future__ import annotations

from pathlib import Path

import pytest

from fgbuild.manifest import project


def test_generators_are_the_modules_that_define_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "GENERATORS", tmp_path)
    (tmp_path / "plain.py").write_text("SCENARIOS = ()\n")
    (tmp_path / "typed.py").write_text("SCENARIOS: tuple = ()\n")
    (tmp_path / "helper.py").write_text('"""Speaks of SCENARIOS."""\nfrom plain import SCENARIOS\n')
    for name, text in [("package", "from package.x import SCENARIOS\n"), ("other", "x = 1\n")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    (tmp_path / "__pycache__").mkdir()
    assert project.generator_names() == ["package", "plain", "typed"]


def test_the_package_has_the_lint_generator_and_helpers_are_none() -> None:
    names = project.generator_names()
    assert "lint" in names
    assert not {"scenario", "sampling", "own_data", "own_messages"} & set(names)


def test_a_converter_is_looked_for_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "convert.py").touch()
    quant = {"converter": "llama.cpp", "converter_path": "convert.py"}
    assert project.converter_problem(tmp_path, quant) == ""
    assert project.converter_problem(tmp_path, {**quant, "converter_path": str(tmp_path / "convert.py")}) == ""
    assert "not a file" in project.converter_problem(tmp_path, {**quant, "converter_path": "x\0y"})
    assert project.converter_problem(tmp_path, {"converter": "builtin", "converter_path": "no"}) == ""
