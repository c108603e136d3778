"""Generated Python projects whose tests have planted, labelled outcomes, and whose code is covered to a known part.

pytest and coverage find exactly what is planted: each test calls a function of its own in the project's package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fgbuild.domains.scenario import Draw
from fgbuild.domains.test.planted import PIECES, WORDS

PYTEST_INI = "[pytest]\naddopts = --import-mode=importlib\npythonpath = .\n"

Outcome = Literal["passes", "fails", "recovers"]
"""recovers: fails in its first run, and passes from then on."""

_HEAD = ("import time", "from pathlib import Path", "", "import pytest", "", "")
"""Of a test file; its last line is for what it imports of the project."""
_RECOVERS = (
    'mark = Path(__file__).with_name(".{f}")',
    "if not mark.exists():",
    "    mark.touch()",
    '    raise TimeoutError("no answer from {w}")',
)


@dataclass(frozen=True)
class Plan:
    """A test to be: its name ("test_a" or "TestA::test_a"), what becomes of it, how long it sleeps, how often it is
    parametrized (1: not at all)."""

    name: str
    outcome: Outcome = "passes"
    seconds: int = 0
    cases: int = 1


@dataclass
class Project:
    """Files by path, and what pytest and coverage find in them.

    tests: node ids, in pytest's order for each file. failures: node id → error and line, of a first run. seconds: node
    id → how long it sleeps. statements: Python file of a package → how many its passing and failing tests run, of how
    many.
    """

    files: dict[str, str] = field(default_factory=lambda: {"pytest.ini": PYTEST_INI})
    tests: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    recovers: set[str] = field(default_factory=set)
    seconds: dict[str, int] = field(default_factory=dict)
    statements: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, d: Draw, path: str, plans: Sequence[Plan], package: str = "app") -> None:
        """A test file, and a module of the package with what its tests call."""
        folder, dotted = _place(package)
        stem = path.rsplit("/", 1)[-1].removesuffix(".py").removeprefix("test_").removesuffix("_test")
        module = f"{stem}_rules"  # no package has such a name
        if f"{folder}/{module}.py" in self.files:
            module += f"_{len(self.files)}"
        code, lines = _Code(), list(_HEAD)
        self.tests[path] = []
        for name in dict.fromkeys(_class_of(plan) for plan in plans):  # tests of one class stand together
            if name:
                lines += ["", "", f"class {name}:"]
            for plan in (each for each in plans if _class_of(each) == name):
                self._test(d, path, plan, code, lines)
        if code.names:
            lines[len(_HEAD) - 1] = f"from {dotted}.{module} import {', '.join(code.names)}"
            self.files[f"{folder}/{module}.py"] = "\n\n".join(code.sources)
            self.statements[f"{folder}/{module}.py"] = (code.run, code.total)
        self.files[path] = "\n".join(lines) + "\n"
        self._package(folder)

    def leave_uncovered(self, package: str, statements: int) -> None:
        """A module of the package that no test imports."""
        folder, _ = _place(package)
        rows = [f"    rows.append({number})" for number in range(statements - 1)]
        self.files[f"{folder}/unused.py"] = "\n".join(["def convert(rows):", *(rows or ["    pass"])]) + "\n"
        self.statements[f"{folder}/unused.py"] = (0, 1 + max(1, len(rows)))
        self._package(folder)

    def covered(self, package: str) -> tuple[int, int]:
        """How many statements of a package are run, of how many."""
        folder, _ = _place(package)
        found = [counts for path, counts in self.statements.items() if path.startswith(f"{folder}/")]
        return sum(run for run, _ in found), sum(total for _, total in found)

    def _test(self, d: Draw, path: str, plan: Plan, code: _Code, lines: list[str]) -> None:
        names = _values(d, plan)
        body = [f"time.sleep({plan.seconds})"] if plan.seconds else []
        error = "TimeoutError: no answer from {w}"
        if plan.outcome == "recovers":
            body += _RECOVERS
        else:
            piece = d.choice(PIECES)
            body.append(piece.fails if plan.outcome == "fails" else piece.passes)
            error = piece.error
            code.add(names["f"], piece.source.format(**names), failing=plan.outcome == "fails")
        indent = "    " if _class_of(plan) else ""
        arguments = ["self"] if indent else []
        gap = [""] if indent else ["", ""]
        if plan.cases > 1:
            gap.append(f'{indent}@pytest.mark.parametrize("case", range({plan.cases}))')
            arguments.append("case")
        name = plan.name.rsplit("::", 1)[-1]
        lines += [*gap, f"{indent}def {name}({', '.join(arguments)}):"]
        lines += [f"{indent}    {line.format(**names)}" for line in body]
        node = f"{path}::{plan.name}"
        nodes = [f"{node}[{case}]" for case in range(plan.cases)] if plan.cases > 1 else [node]
        self.tests[path] += nodes
        failing = nodes if plan.outcome == "fails" else nodes[:1] if plan.outcome == "recovers" else []
        self.failures |= dict.fromkeys(failing, (error.format(**names), len(lines)))
        if plan.outcome == "recovers":
            self.recovers.add(nodes[0])
        if plan.seconds:
            self.seconds |= dict.fromkeys(nodes, plan.seconds)

    def _package(self, folder: str) -> None:
        parts = folder.split("/")
        for depth in range(1, len(parts) + 1):
            if parts[:depth] != ["src"]:
                self.files.setdefault("/".join([*parts[:depth], "__init__.py"]), "")


class _Code:
    """A module's functions, and how many of its statements their tests run."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sources: list[str] = []
        self.run = self.total = 0

    def add(self, name: str, source: str, *, failing: bool) -> None:
        lines = source.splitlines()
        skipped = "¶" if failing else "§"
        self.names.append(name)
        self.total += len(lines)
        self.run += sum(not line.endswith(skipped) for line in lines)
        self.sources.append(source.replace("¶", "").replace("§", ""))


def _class_of(plan: Plan) -> str:
    return plan.name.split("::")[0] if "::" in plan.name else ""


def _values(d: Draw, plan: Plan) -> dict[str, Any]:
    number = d.number(2, 99)
    name = "__".join(part.removeprefix("test_").removeprefix("Test") for part in plan.name.split("::")).lower()
    return {"f": name, "w": d.pick(WORDS), "n": number, "twice": 2 * number, "more": 2 * number + 1}


def _place(package: str) -> tuple[str, str]:
    """A package's folder and its name in an import."""
    return package.replace(".", "/"), package.replace("/", ".")
