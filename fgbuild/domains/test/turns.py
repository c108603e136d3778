"""Turns that the test scenarios share: real calls on a generated project, and what is said about their responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fgbuild.domains.scenario import ANSWERED_MIDWAY, Message, counted, ended, plain, say
from fgbuild.domains.session import Done, Session
from fgbuild.domains.test.project import Plan, Project
from fgbuild.domains.test.values import FILES, NAMES, NODES, OUTCOMES

_APART = [path for path in FILES if path.startswith("tests/")]
"""Test files that are in no folder that a package has too."""
_MOST_FAILURES = 6
_MOST_CASES = 60
_MOST_SECONDS = 90


def open_project(
    s: Session,
    *paths: str,
    keyword: str | None = None,
    package: str = "app",
    passing: float = 0.5,
    recovering: float = 0.0,
    slow: bool = False,
) -> None:
    """A project with these test files and folders, each with failing tests or, by the chance `passing`, without.

    keyword: what those tests are called that may fail; others are beside them, and pass. package: what they test; it is
    covered to a drawn part. recovering: share of the failures that fail only once. slow: some tests take seconds.
    """
    project = Project()
    for path in paths:
        failing = 0 if s.chance(passing) else s.number(1, _MOST_FAILURES)
        files = _files(s, path)
        for number, file in enumerate(files):
            failures = len(range(number, failing, len(files)))
            project.add(s, file, _plans(s, failures, keyword, recovering, slow), package)
    _leave_uncovered(s, project, package)
    s.open(project.files)


def open_node(s: Session, node: str, passing: float = 0.5, missing: float = 0.0) -> None:
    """A project with others in this test's file, and the test itself, which passes by the chance `passing`; by the
    chance `missing` it is not there."""
    project = Project()
    path, name = node.split("::", 1)
    plans = [] if s.chance(missing) else [Plan(name, "passes" if s.chance(passing) else "fails")]
    plans += [plan for plan in _plans(s, s.number(0, 1)) if plan.name != name]
    s.rng.shuffle(plans)
    project.add(s, path, plans)
    s.open(project.files)


def open_packages(s: Session, *packages: str) -> None:
    """A project with these packages, each covered by tests to a drawn part."""
    project = Project()
    for package, file in zip(packages, s.sample(_APART, len(packages))):
        project.add(s, file, _plans(s, s.number(0, 2)), package)
        _leave_uncovered(s, project, package)
    s.open(project.files)


def _leave_uncovered(s: Session, project: Project, package: str) -> None:
    """Add code that no test runs, until the package is covered to a drawn part."""
    run, total = project.covered(package)
    missing = run * 100 // s.number(20, 100) - total
    if missing > 1:
        project.leave_uncovered(package, missing)


def _plans(
    s: Session, failing: int, keyword: str | None = None, recovering: float = 0.0, slow: bool = False
) -> list[Plan]:
    """Of one file: this many tests that fail, and some that pass, often one of them with many cases."""
    names = s.sample(NAMES, failing + s.number(2, 4))
    others: list[Plan] = []
    if keyword:
        others = [Plan(name) for name in names[:2] if keyword not in name]
        count = min(len(OUTCOMES), len(names))
        names = [f"test_{keyword}_{outcome}" for outcome in s.rng.sample(OUTCOMES, count)]
    plans = [Plan(name, "recovers" if s.chance(recovering) else "fails") for name in names[:failing]]
    plans += [Plan(name, seconds=_sleep(s, slow)) for name in names[failing:-1]] + others
    s.rng.shuffle(plans)
    return [*plans, Plan(names[-1], seconds=_sleep(s, slow), cases=s.number(1, _MOST_CASES) if s.chance(0.5) else 1)]


def _sleep(s: Session, slow: bool) -> int:
    return s.number(2, _MOST_SECONDS) if slow and s.chance(0.6) else 0


def _files(s: Session, path: str) -> list[str]:
    """The test files of a path: itself, or some in the folder; in the whole project, those of drawn tests."""
    if path == ".":
        return list(dict.fromkeys(str(node).split("::")[0] for node in s.sample(NODES, 2)))
    if path.endswith(".py"):
        return [plain(path)]
    names = (str(file).rsplit("/", 1)[-1] for file in s.sample(FILES, s.number(1, 2)))
    return list(dict.fromkeys(f"{plain(path)}/{name}" for name in names))


class Step(NamedTuple):
    """A call, its response and what is said about it; of a test run, the first test that failed too."""

    done: Done
    verdict: str
    first: str = ""

    @property
    def told(self) -> list[Message]:
        return [*self.done.turns, say(self.verdict)]


def run(s: Session, path: str, keyword: str | None = None) -> Step:
    return _run(s.call("run_tests", path=path, keyword=keyword))


def rerun(s: Session) -> Step:
    return _run(s.call("rerun_failed"))


def _run(done: Done) -> Step:
    if done.failed:
        return Step(done, f"Not possible: {done.response['error']}.")
    passed, failed = done.response["passed"], done.response["failed"]
    if failed:
        first = done.response["first"]
        return Step(done, f"Result: {failed} failed, {passed} passed, first: {first}.", first)
    return Step(done, f"Result: {passed} passed." if passed else "No tests were run.")


def ran_before(s: Session, path: str = ".") -> None:
    """A run before the conversation: what it leaves is there, and nothing of it is told."""
    s.call("run_tests", path=path)


def list_tests(s: Session, path: str) -> Step:
    done = s.call("list_tests", path=path)
    first = done.response["first"]
    return Step(done, f"Found {counted(done.response['count'], 'test')}, first: {first}.", first)


def show(s: Session, node: str) -> Step:
    done = s.call("show_failure", node_id=node)
    if done.failed:  # "tests/test_a.py::test_b did not fail"
        return Step(done, f"Nothing to show: {done.response['error']}.")
    return Step(done, f"Line {done.response['line']}: {done.response['failure']}.")


def cover(s: Session, package: str, minimum: int | None = None) -> Step:
    done = s.call("measure_coverage", package=package, minimum=minimum)
    if done.failed:
        return Step(done, f"Not possible: {done.response['error']}.")
    ending = "." if minimum is None else ", enough." if done.response["reached"] else ", too low."
    return Step(done, f"Coverage of {package}: {done.response['percent']}%{ending}")


def find_slow(s: Session, count: int | None = None) -> Step:
    done = s.call("find_slow_tests", count=count)
    if done.failed:
        return Step(done, f"Not possible: {done.response['error']}.")
    if not done.response["count"]:
        return Step(done, "No test was slow.")
    of = "Slowest" if count is None else f"Slowest of {done.response['count']}"
    return Step(done, f"{of}: {done.response['slowest']}, {done.response['seconds']} s.")


def reported(s: Session, step: Step) -> list[Message]:
    return ended(s, step.told, ANSWERED_MIDWAY)


def joined(steps: Sequence[Step]) -> list[Message]:
    """The calls and responses of steps one after the other, and what is said about the last."""
    return [*(turn for step in steps for turn in step.done.turns), say(steps[-1].verdict)]
