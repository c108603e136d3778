"""The test domain's tools, for real: pytest and coverage on the files of a project."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coverage
from coverage.exceptions import NoDataError

from fgbuild.domains.test.runs import NoSuchTest, Run, run
from fgbuild.sandbox.tool import ToolError, inside

_LAST_RUN = ".last_run.json"
"""What the last run leaves to later calls: {"failures": {node id: [error, line]}, "seconds": {node id: seconds}}."""
_TESTS = ["*/test_*.py", "*_test.py", "*/tests/*", "*/conftest.py"]
"""Files that are no part of a package whose coverage is measured."""
_SHORTEST = 0.005
"""Seconds; pytest lists no quicker test among its slowest either."""


inspect.stack()  # coverage does so at each start; what this looks up, it keeps, and forks inherit it


def run_tests(root: Path, path: str, keyword: str | None = None) -> dict[str, Any]:
    return _reported(root, _run_at(root, path, *([f"-k={keyword}"] if keyword else []), cache=True))


def rerun_failed(root: Path) -> dict[str, Any]:
    _last_run(root)
    return _reported(root, run(root, ".", "--last-failed", "--last-failed-no-failures=none", cache=True))


def list_tests(root: Path, path: str) -> dict[str, Any]:
    found = _run_at(root, path, "--collect-only").collected
    return {"count": len(found), "first": found[0]} if found else {"count": 0}


def show_failure(root: Path, node_id: str) -> dict[str, Any]:
    """That of the last run; of a test that did not fail in it, that of a run of its own."""
    known = _last_run(root)["failures"] if (root / _LAST_RUN).exists() else {}
    failures = [known[node_id]] if node_id in known else list(_run_at(root, node_id).failures.values())
    if not failures:
        raise ToolError(f"{node_id} did not fail")
    error, line = failures[0]
    return {"failure": error} if line is None else {"failure": error, "line": line}


def measure_coverage(root: Path, package: str, minimum: int | None = None) -> dict[str, Any]:
    source = _source(root, package)
    folder = source if source.is_dir() else source.parent
    measured = coverage.Coverage(data_file=None, config_file=False, source=[str(folder)])
    with measured.collect():
        run(root, ".")
    told = io.StringIO()
    only = f"{source}/*" if source.is_dir() else str(source)
    try:
        measured.report(file=told, output_format="total", include=[only], omit=_TESTS, ignore_errors=True)
    except NoDataError:
        raise ToolError(f"{package} has no code to measure") from None
    percent = int(told.getvalue())
    return {"percent": percent} if minimum is None else {"percent": percent, "reached": percent >= minimum}


def find_slow_tests(root: Path, count: int | None = None) -> dict[str, Any]:
    if count is not None and count < 1:
        raise ToolError("count must be 1 or more")
    seconds: dict[str, float] = _last_run(root)["seconds"]
    slow = [node for node in sorted(seconds, key=seconds.__getitem__, reverse=True) if seconds[node] >= _SHORTEST]
    if not slow:
        return {"count": 0}
    return {"count": len(slow[:count]), "slowest": slow[0], "seconds": round(seconds[slow[0]])}


def _reported(root: Path, done: Run) -> dict[str, Any]:
    kept = {"failures": done.failures, "seconds": done.seconds}
    (root / _LAST_RUN).write_text(json.dumps(kept), "utf-8")
    failed = list(done.failures)
    passed = [node for node in done.passed if node not in done.failures]  # else its teardown failed
    counts = {"passed": len(passed), "failed": len(failed)}
    skipped = {"skipped": len(done.skipped)} if done.skipped else {}
    return {**counts, **skipped, "first": failed[0]} if failed else {**counts, **skipped}


def _last_run(root: Path) -> dict[str, Any]:
    kept = root / _LAST_RUN
    if not kept.exists():
        raise ToolError("no tests were run yet; run them first")
    return dict(json.loads(kept.read_text("utf-8")))


def _run_at(root: Path, named: str, *options: str, cache: bool = False) -> Run:
    """A run of a file, folder or node id. ToolError where there is none, with the only one of its name elsewhere."""
    path, *test = named.split("::")
    target = "::".join([str(inside(root, path).relative_to(root)), *test])
    try:
        return run(root, target, *options, cache=cache)
    except NoSuchTest:
        nodes = run(root, ".", "--collect-only").collected
        alike = [node for node in nodes if node.rsplit("::", 1)[-1] == test[-1]]
        raise ToolError(f"{named} does not exist{_only(alike)}") from None


def _source(root: Path, package: str) -> Path:
    """The folder or file of a package, by its name or path. ToolError where there is none, as above."""
    path = package.strip("/") if "/" in package else package.replace(".", "/")
    for place in (path, f"{path}.py", f"src/{path}", f"src/{path}.py"):
        if (root / place).exists():
            return inside(root, place)
    last = path.rsplit("/", 1)[-1]
    found = [each.relative_to(root) for each in root.rglob("*") if each.name in (last, f"{last}.py")]
    alike = [".".join(each.with_suffix("").parts).removeprefix("src.") for each in found if "tests" not in each.parts]
    raise ToolError(f"there is no package {package}{_only(alike)}")


def _only(alike: list[str]) -> str:
    """A hint, if there is one candidate alone."""
    return f"; there is {alike[0]}" if len(alike) == 1 else ""


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    tool.__name__: tool
    for tool in (run_tests, rerun_failed, list_tests, show_failure, measure_coverage, find_slow_tests)
}
