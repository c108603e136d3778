"""The test domain's tools on a project by hand: what pytest and coverage say, and errors that help."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from fgbuild.sandbox import Sandbox, Workspace

LOGIN = """\
import time

import pytest

from app.users.login import sign_in


def test_works():
    assert sign_in({"name": "ann"}) == "ann"


def test_empty():
    sign_in({})


class TestNames:
    def test_upper(self):
        time.sleep(12)
        assert sign_in({"name": "ann"}) == "ANN"


@pytest.mark.parametrize("case", range(3))
def test_many(case, tmp_path):
    time.sleep(2)
    assert case < 2, f"{tmp_path} {object()}"


@pytest.mark.skip
def test_later():
    pass
"""
LOGIN_CODE = """\
def sign_in(user):
    return user["name"]


def sign_out(user):
    user.clear()
"""
FILES = {
    "tests/unit/test_login.py": LOGIN,
    "tests/test_pay.py": "def test_paid():\n    pass\n",
    "src/app/__init__.py": "",
    "src/app/users/__init__.py": "",
    "src/app/users/login.py": LOGIN_CODE,
    "src/app/users/test_inside.py": "x = 1\n",
    "pytest.ini": "[pytest]\npythonpath = src\n",
}
UNIT = "tests/unit/test_login.py"
FAILURES = {
    f"{UNIT}::test_empty": {"failure": "KeyError: 'name'", "line": 13},
    f"{UNIT}::TestNames::test_upper": {"failure": "AssertionError: assert 'ann' == 'ANN'", "line": 19},
    f"{UNIT}::test_many[2]": {"failure": "AssertionError: .tmp/test_many_2_0 <object object>", "line": 25},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("fgbuild.domains.test.tools") as found:
        yield found


@pytest.fixture
def project(sandbox: Sandbox) -> Iterator[Workspace]:
    found = sandbox.project(FILES)
    yield found
    found.remove()


@pytest.fixture(scope="module")
def untouched(sandbox: Sandbox) -> Iterator[Workspace]:
    """For calls that leave nothing to later ones."""
    found = sandbox.project(FILES)
    yield found
    found.remove()


@pytest.mark.parametrize(
    ("path", "keyword", "response"),
    [
        (".", None, {"passed": 4, "failed": 3, "skipped": 1, "first": f"{UNIT}::test_empty"}),
        ("./tests/unit/", None, {"passed": 3, "failed": 3, "skipped": 1, "first": f"{UNIT}::test_empty"}),
        ("tests/test_pay.py", None, {"passed": 1, "failed": 0}),
        (f"{UNIT}::TestNames", None, {"passed": 0, "failed": 1, "first": f"{UNIT}::TestNames::test_upper"}),
        (f"{UNIT}::test_many", None, {"passed": 2, "failed": 1, "first": f"{UNIT}::test_many[2]"}),
        (".", "works or paid", {"passed": 2, "failed": 0}),
        (".", "nothing_like_it", {"passed": 0, "failed": 0}),
    ],
)
def test_runs_are_counted(untouched: Workspace, path: str, keyword: str | None, response: dict[str, Any]) -> None:
    arguments = {"path": path} if keyword is None else {"path": path, "keyword": keyword}
    assert untouched.call("run_tests", arguments) == response


def test_failures_are_shown_with_and_without_a_run_before(project: Workspace) -> None:
    alone = {node: project.call("show_failure", {"node_id": node}) for node in FAILURES}
    project.call("run_tests", {"path": "."})
    assert alone == {node: project.call("show_failure", {"node_id": node}) for node in FAILURES} == FAILURES


def test_failures_outside_the_test_name_no_line(sandbox: Sandbox) -> None:
    conftest = "import pytest\n\n\n@pytest.fixture\ndef broken():\n    raise OSError('disk full')\n"
    project = sandbox.project({"conftest.py": conftest, "test_a.py": "def test_b(broken):\n    pass\n"})
    assert project.call("run_tests", {"path": "."}) == {"passed": 0, "failed": 1, "first": "test_a.py::test_b"}
    assert project.call("show_failure", {"node_id": "test_a.py::test_b"}) == {"failure": "OSError: disk full"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            "import nowhere_to_be_found\n",
            {"failure": "ModuleNotFoundError: No module named 'nowhere_to_be_found'", "line": 1},
        ),
        ("x = 1\ndef test_b(:\n", {"failure": "SyntaxError: invalid syntax (test_a.py, line 2)", "line": 2}),
    ],
)
def test_a_broken_file_fails_as_a_whole(sandbox: Sandbox, source: str, shown: dict[str, Any]) -> None:
    project = sandbox.project({"test_a.py": source, "test_b.py": "def test_c():\n    pass\n"})
    assert project.call("run_tests", {"path": "."}) == {"passed": 1, "failed": 1, "first": "test_a.py"}
    assert project.call("show_failure", {"node_id": "test_a.py"}) == shown


def test_a_rerun_takes_what_failed(project: Workspace) -> None:
    project.call("run_tests", {"path": "."})
    first = f"{UNIT}::test_empty"
    assert project.call("rerun_failed", {}) == {"passed": 0, "failed": 3, "first": first}
    (project.root / "src/app/users/login.py").write_text("def sign_in(user):\n    return 'ann'\n")
    left = {"passed": 1, "failed": 2, "first": f"{UNIT}::TestNames::test_upper"}
    assert project.call("rerun_failed", {}) == left
    assert project.call("rerun_failed", {})["failed"] == 2


def test_a_rerun_after_a_run_without_failures_runs_nothing(project: Workspace) -> None:
    project.call("run_tests", {"path": "tests/test_pay.py"})
    assert project.call("rerun_failed", {}) == {"passed": 0, "failed": 0}


def test_tests_are_listed_and_not_run(project: Workspace) -> None:
    assert project.call("list_tests", {"path": "tests/unit"}) == {"count": 7, "first": f"{UNIT}::test_works"}
    assert project.call("list_tests", {"path": "src"}) == {"count": 0}
    assert "error" in project.call("rerun_failed", {})


@pytest.mark.parametrize("package", ["app", "app.users", "app.users.login", "src/app/users", "src/app/users/login.py"])
def test_coverage_is_of_the_package_and_not_of_tests_in_it(untouched: Workspace, package: str) -> None:
    assert untouched.call("measure_coverage", {"package": package}) == {"percent": 75}
    for minimum in (75, 76):
        measured = untouched.call("measure_coverage", {"package": package, "minimum": minimum})
        assert measured == {"percent": 75, "reached": minimum == 75}


def test_slow_tests_are_those_that_slept(project: Workspace) -> None:
    project.call("run_tests", {"path": "."})
    slowest = {"slowest": f"{UNIT}::TestNames::test_upper", "seconds": 12}
    assert project.call("find_slow_tests", {}) == {"count": 4, **slowest}
    assert project.call("find_slow_tests", {"count": 2}) == {"count": 2, **slowest}
    project.call("run_tests", {"path": "tests/test_pay.py"})
    assert project.call("find_slow_tests", {}) == {"count": 0}


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("run_tests", {"path": "test_login.py"}, f"test_login.py does not exist; there is {UNIT}"),
        ("run_tests", {"path": "tests/test_gone.py"}, "tests/test_gone.py does not exist"),
        ("run_tests", {"path": "../x"}, "../x is outside the project"),
        ("run_tests", {"path": "tests/test_pay.py::test_works"},
         f"tests/test_pay.py::test_works does not exist; there is {UNIT}::test_works"),
        ("run_tests", {"path": ".", "keyword": "a b"},
         "Wrong expression passed to '-k': a b: at column 3: expected end of input; got identifier"),
        ("list_tests", {"path": "tests/units"}, "tests/units does not exist"),
        ("show_failure", {"node_id": f"{UNIT}::test_works"}, f"{UNIT}::test_works did not fail"),
        ("show_failure", {"node_id": f"{UNIT}::test_gone"}, f"{UNIT}::test_gone does not exist"),
        ("measure_coverage", {"package": "users"}, "there is no package users; there is app.users"),
        ("measure_coverage", {"package": "shop"}, "there is no package shop"),
        ("measure_coverage", {"package": "tests"}, "tests has no code to measure"),
        ("rerun_failed", {}, "no tests were run yet; run them first"),
        ("find_slow_tests", {}, "no tests were run yet; run them first"),
        ("find_slow_tests", {"count": 0}, "count must be 1 or more"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(project: Workspace, tool: str, arguments: dict[str, Any], error: str) -> None:
    assert project.call(tool, arguments) == {"error": error}


def test_the_command_lines_say_the_same(project: Workspace) -> None:
    counts = project.call("run_tests", {"path": "tests/unit", "keyword": "works or empty"})
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["coverage", "run", "--source=src/app", "-m", "pytest", "tests/unit", "-k", "works or empty"]
    ran = subprocess.run(
        [sys.executable, "-m", *command], cwd=project.root, capture_output=True, text=True, env=environment
    )
    assert re.findall(r"^FAILED (\S+) - (.+)$", ran.stdout, re.MULTILINE) == [(counts["first"], "KeyError: 'name'")]
    assert f"{counts['failed']} failed, {counts['passed']} passed" in ran.stdout
    total = [sys.executable, "-m", "coverage", "report", "--format=total", "--omit=*/test_*.py"]
    told = subprocess.run(total, cwd=project.root, capture_output=True, text=True, check=True)
    assert project.call("measure_coverage", {"package": "app"}) == {"percent": int(told.stdout)}
