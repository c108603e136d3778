"""One run of pytest in this process, which must be a sandbox's fork: it leaves its modules and its clock behind."""

from __future__ import annotations

import contextlib
import difflib  # noqa: F401  # pytest loads it in each run; forks of a process that has it do not
import io
import os
import re
import time
import traceback
import unittest  # noqa: F401  # the same
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import _pytest.timing
import pytest

from fgbuild.sandbox.tool import ToolError

# What reads or shows nothing here, and takes time to load at each start.
_UNUSED = (
    "terminal", "junitxml", "doctest", "pastebin", "debugging", "faulthandler", "logging", "warnings", "setuponly",
    "setupplan", "stepwise", "unraisableexception", "threadexception",
)  # fmt: skip
_LONGEST = 120
"""Characters of an error."""


class Failure(NamedTuple):
    """What a test raised, on one line, and the line (from 1) of the test's own file where it did, if it was there."""

    error: str
    line: int | None


class NoSuchTest(ToolError):
    """The file of a node id is there, and the test is not."""


@dataclass(eq=False)  # pytest keeps plugins in sets
class Run:
    """A pytest plugin that keeps what happens, by node id in pytest's order; of a broken file, the id is its path."""

    root: Path
    collected: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: dict[str, Failure] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "native"  # the quickest; no one sees it

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = [item.nodeid for item in session.items]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.failed:
            error = report.call.excinfo.value  # type: ignore[attr-defined]  # pytest's own next step reads it too
            self.failures[report.nodeid] = self._told(error.__cause__ or error, collector.path)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self.seconds[item.nodeid] = self.seconds.get(item.nodeid, 0.0) + report.duration
        if report.failed and call.excinfo is not None:
            self.failures.setdefault(item.nodeid, self._told(call.excinfo.value, item.path))
        elif report.skipped:
            self.skipped.append(item.nodeid)
        elif report.when == "call" and report.passed:
            self.passed.append(item.nodeid)
        return report

    def _told(self, error: BaseException, path: Path) -> Failure:
        """Without what differs between machines: where the project lies, and addresses of objects."""
        said = str(error).strip().split("\n", 1)[0].replace(f"{self.root}/", "")
        said = re.sub(r" at 0x[0-9a-f]+", "", said)
        text = f"{type(error).__name__}: {said}" if said else type(error).__name__
        lines = [
            line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(path)
        ]
        at = lines[-1] if lines else getattr(error, "lineno", None)
        return Failure(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…", at)


def run(root: Path, target: str, *options: str, cache: bool = False) -> Run:
    """pytest on a file, folder or node id of the project; `cache`: it reads and writes what failed last time.

    NoSuchTest for an unknown node id; ToolError where pytest does not start: a wrong keyword, a conftest that fails.
    """
    config = "pytest.ini" if (root / "pytest.ini").exists() else os.devnull
    unused = [*_UNUSED, *([] if cache else ["cacheprovider"])]
    arguments = [
        target,
        f"--rootdir={root}",
        f"--basetemp={root}/.tmp",
        f"-c{config}",
        "--capture=sys",
        "--continue-on-collection-errors",
        *(f"-pno:{name}" for name in unused),
        *options,
    ]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the project's tests, not what this machine has installed
    _stop_the_clock()
    kept, said = Run(root), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(arguments, plugins=[kept])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        reason = _reason(said.getvalue()).replace(f"{root}/", "")
        raise NoSuchTest(reason) if reason.startswith("not found: ") else ToolError(reason)
    return kept


def _reason(said: str) -> str:
    """The first line that pytest marks as the error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (marked or lines[-1:] or ["pytest did not start"])[0]


def _stop_the_clock() -> None:
    """From now on time passes only while something sleeps, and at once.

    As pytest's own tests do it: durations are pytest's, and the same on every machine, however busy.
    """
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    timing: Any = _pytest.timing
    time.sleep = sleep  # type: ignore[assignment]
    timing.perf_counter = lambda: slept
