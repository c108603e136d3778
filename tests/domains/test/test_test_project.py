"""Generated projects: pytest and coverage find what is planted in them, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.scenario import Draw
from fgbuild.domains.test.planted import PIECES, WORDS
from fgbuild.domains.test.project import Plan, Project
from fgbuild.domains.test.values import FILES, KEYWORDS, NAMES, NODES, PACKAGES
from fgbuild.sandbox import Sandbox


class InTurn(Draw):
    """Takes each member of a closed set in turn."""

    count = 0

    def choice(self, values: Sequence[Any]) -> Any:
        self.count += 1
        return values[(self.count - 1) % len(values)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.test.tools") as found:
        yield found


def drawn(seed: int, package: str) -> Project:
    """Two files with tests of all kinds, one with classes."""
    d, project = Draw(random.Random(seed), "train"), Project()
    names = [str(name) for name in d.sample(NAMES, 12)]
    outcomes = ["passes", "passes", "fails", "fails", "recovers", "recovers"]
    for number, path in enumerate(d.sample([path for path in FILES if not path.startswith("./")], 2)):
        d.rng.shuffle(outcomes)
        plans = [
            Plan(
                f"TestA::{name}" if number and d.chance(0.5) else name,
                outcome,
                d.choice((0, 0, 3, 40)),
                d.choice((1, 1, 4)),
            )
            for name, outcome in zip(names[6 * number :], outcomes)
        ]
        project.add(d, path, plans, package)
    project.leave_uncovered(package, d.number(2, 9))
    return project


def check(sandbox: Sandbox, project: Project, package: str) -> None:
    work = sandbox.project(project.files)
    total = sum(map(len, project.tests.values()))
    ran = work.call("run_tests", {"path": "."})
    assert (ran["passed"], ran["failed"]) == (total - len(project.failures), len(project.failures))
    for path, nodes in project.tests.items():
        assert work.call("list_tests", {"path": path}) == {"count": len(nodes), "first": nodes[0]}
    for node, (error, line) in project.failures.items():
        assert work.call("show_failure", {"node_id": node}) == {"failure": error, "line": line}, node
    slow = work.call("find_slow_tests", {})
    assert slow["count"] == len(project.seconds)
    if slow["count"]:
        assert slow["seconds"] == max(project.seconds.values()) == project.seconds[slow["slowest"]]
    assert work.call("rerun_failed", {})["passed"] == len(project.recovers)
    run, statements = project.covered(package)
    measured = work.call("measure_coverage", {"package": package})
    assert abs(measured["percent"] - 100 * run / statements) < 1  # coverage says 100 only of all, and 0 of none
    work.remove()


def test_pytest_and_coverage_find_what_is_planted(sandbox: Sandbox) -> None:
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from(PACKAGES))
    def each(seed: int, package: str) -> None:
        check(sandbox, drawn(seed, package), package)

    each()


def test_every_piece_passes_and_fails_as_it_says(sandbox: Sandbox) -> None:
    project = Project()
    for outcome in ("passes", "fails"):
        plans = [Plan(f"test_case_{number}", outcome) for number in range(len(PIECES))]
        project.add(InTurn(random.Random(7), "train"), f"tests/test_{outcome}.py", plans)
    assert len({error for error, _ in project.failures.values()}) == len(PIECES)
    check(sandbox, project, "app")


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (drawn(3, "app.users") for _ in range(2))
    assert first == second
    assert first != drawn(4, "app.users")


def test_errors_are_short_and_many() -> None:
    assert len(PIECES) >= 20
    assert len(WORDS) == len(set(WORDS)) >= 30
    assert all(len(piece.error) < 70 for piece in PIECES)


def test_all_names_can_be_python_s() -> None:
    names = [*NAMES, *(f"test_{keyword}" for keyword in KEYWORDS), *(node.rsplit("::", 1)[-1] for node in NODES)]
    assert all(name.isidentifier() and name.startswith("test_") for name in names)
