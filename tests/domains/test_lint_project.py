"""ruff finds in a generated project what was planted there, and the tools do what they say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from fgbuild.domains.lint.planted import PIECES
from fgbuild.domains.lint.project import RUFF_TOML, Problem, Project
from fgbuild.domains.lint.rules import CODES, RULES
from fgbuild.domains.lint.tools import TOOLS
from fgbuild.domains.lint.values import FILES
from fgbuild.domains.scenario import Draw
from fgbuild.sandbox import Sandbox, Workspace

CODE = """\
'Orders.'

import os


def total(prices: list) -> int:
    'Add up.'
    l = sum(prices)
    return 2 * l
""".replace("'", '"""')


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.lint.tools") as found:
        yield found


@pytest.fixture
def orders(sandbox: Sandbox) -> Workspace:
    return sandbox.project({"ruff.toml": RUFF_TOML, "src/orders.py": CODE, "src/users.py": '"""Users."""\n'})


def first(problem: Problem) -> str:
    return f"{problem.file}:{problem.line} {problem.code} {RULES[problem.code].name}"


@pytest.mark.parametrize("code", CODES)
def test_each_piece_breaks_its_rule_alone(sandbox: Sandbox, code: str) -> None:
    project = Project()
    project.add(Draw(random.Random(code), "train"), "app/orders.py", [code])
    (planted,) = project.problems
    found = sandbox.project(project.files).call("run_ruff", {"path": "."})
    assert found == {"count": 1, "first": first(planted)}


@pytest.mark.parametrize("seed", range(25))
def test_ruff_finds_what_was_planted_and_no_more(sandbox: Sandbox, seed: int) -> None:
    d = Draw(random.Random(seed), "train" if seed % 2 else "eval")
    project = Project()
    for path in d.sample(FILES, 3):
        project.add(d, path.removeprefix("./"), d.sample(CODES, d.number(0, 6)), untidy=d.chance(0.5))
    workspace = sandbox.project(project.files)
    for path in [".", *project.files]:
        planted = project.found_in(path)
        found = workspace.call("run_ruff", {"path": path})
        assert found == {"count": len(planted)} | ({"first": first(planted[0])} if planted else {})
    for rule in {problem.code for problem in project.problems}:
        assert workspace.call("run_ruff", {"path": ".", "rule": rule})["count"] == len(project.found_in(".", rule))


def test_every_rule_has_a_piece() -> None:
    assert set(PIECES) == set(CODES)


@pytest.mark.parametrize(
    ("tool", "arguments", "response"),
    [
        ("run_ruff", {"path": "src"}, {"count": 2, "first": "src/orders.py:3 F401 unused-import"}),
        (
            "run_ruff",
            {"path": "src", "rule": "E741"},
            {"count": 1, "first": "src/orders.py:8 E741 ambiguous-variable-name"},
        ),
        ("run_ruff", {"path": "src/users.py"}, {"count": 0}),
        ("run_ruff", {"path": "src", "rule": "XX1"}, {"error": "ruff has no rule XX1"}),
        ("run_ruff", {"path": "orders.py"}, {"error": "orders.py does not exist; there is src/orders.py"}),
        ("fix_lint", {"path": "src"}, {"fixed": 1, "left": 1}),
        ("fix_lint", {"path": "src", "rule": "E741"}, {"fixed": 0, "left": 1}),
        ("fix_lint", {"path": "src/users.py"}, {"fixed": 0, "left": 0}),
        ("format_code", {"path": "."}, {"reformatted": 0}),
        ("explain_rule", {"rule": "F401"}, {"title": "unused-import", "summary": "Checks for unused imports."}),
        ("explain_rule", {"rule": "F4"}, {"error": "ruff has no rule F4"}),
        ("show_code", {"path": "src/orders.py", "line": 8}, {"code": "l = sum(prices)"}),
        ("show_code", {"path": "src/orders.py", "line": 10}, {"error": "src/orders.py has 9 lines"}),
        ("show_code", {"path": "src", "line": 1}, {"error": "src is a folder"}),
        ("add_noqa", {"path": "src/orders.py", "rule": "E741"}, {"added": "# noqa: E741", "lines": 1}),
        ("add_noqa", {"path": "src/orders.py", "rule": "T201"}, {"error": "no T201 in src/orders.py"}),
        ("add_noqa", {"path": "src/orders.py", "rule": "E741", "line": 80}, {"error": "src/orders.py has 9 lines"}),
    ],
)
def test_what_a_tool_answers(orders: Workspace, tool: str, arguments: dict[str, Any], response: dict[str, Any]) -> None:
    assert orders.call(tool, arguments) == response


def test_tools_change_the_files(orders: Workspace) -> None:
    orders.call("add_noqa", {"path": "src/orders.py", "rule": "E741"})
    assert orders.call("run_ruff", {"path": "src"})["count"] == 1
    orders.call("fix_lint", {"path": "src"})
    assert orders.call("run_ruff", {"path": "."}) == {"count": 0}
    changed = orders.files()["src/orders.py"].decode()
    assert changed == CODE.replace("import os\n", "").replace("l = sum(prices)", "l = sum(prices)  # noqa: E741")


def test_untidy_code_is_laid_out_anew(sandbox: Sandbox) -> None:
    project = Project()
    project.add(Draw(random.Random(1), "train"), "a.py", [], untidy=True)
    workspace = sandbox.project(project.files)
    assert workspace.call("format_code", {"path": "a.py"}) == {"reformatted": 1}
    assert workspace.call("format_code", {"path": "a.py"}) == {"reformatted": 0}


def test_the_tools_are_those_that_the_manifest_declares() -> None:
    from domain_contract import project

    assert set(TOOLS) == {tool["name"] for tool in project().domains["lint"].resolved["tool"]}
