"""Whatever changes a file is seen by the next build, and nothing else is taken for a change.

Each case starts where the last build has left a witness, so that the shortest way to "up to date" is tested too.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fgbuild.cli import main

BUILD = ["build", "bell", "--until", "generate", "--json"]
FUTURE_NS = 4_000_000_000_000_000_000
"""In the year 2096."""


@pytest.fixture
def built(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Brings the project up to date; what became of the stage: ran, cached or skipped."""

    def build() -> str:
        capsys.readouterr()
        assert main(BUILD) == 0
        event = json.loads(capsys.readouterr().out.splitlines()[-1])
        (became,) = (name for name in ("ran", "cached", "skipped") if event[name] == ["bell:generate"])
        return became

    return build


def settle(project: Path, built: Callable[[], str]) -> None:
    """Build until a witness is kept: nothing was written a moment ago any more."""
    built()
    for _ in range(50):
        time.sleep(0.03)
        assert built() == "skipped"
        if any((project / "cache" / "unchanged").glob("*.json")):
            return
    raise AssertionError("no witness was kept")


def rows(project: Path) -> Path:
    return project / "data" / "bell.jsonl"


def changed(text: str) -> str:
    """Other rows of the same size."""
    return text.replace("Ring 3", "Ring x")


def same_second(project: Path) -> None:
    status = rows(project).stat()
    rows(project).write_text(changed(rows(project).read_text()))
    second = status.st_mtime_ns - status.st_mtime_ns % 1_000_000_000
    os.utime(rows(project), ns=(second, second))


def time_set_back(project: Path) -> None:
    status = rows(project).stat()
    rows(project).write_text(changed(rows(project).read_text()))
    os.utime(rows(project), ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced_by_rename(project: Path) -> None:
    status, other = rows(project).stat(), project / "data" / "new.jsonl"
    other.write_text(changed(rows(project).read_text()))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(rows(project))


def link_retargeted(project: Path) -> None:
    """To a file as old as the first, which is looked at through the link alone."""
    other = project / "data" / "second.jsonl"
    rows(project).unlink()
    rows(project).symlink_to(other)


def stamped_in_the_future(project: Path) -> None:
    """As by a machine whose clock is ahead: no stamp from now on looks later."""
    rows(project).write_text(changed(rows(project).read_text()))
    os.utime(rows(project), ns=(FUTURE_NS, FUTURE_NS))


@pytest.mark.parametrize(
    "edit", [same_second, time_set_back, replaced_by_rename, link_retargeted, stamped_in_the_future]
)
def test_an_edit_of_the_same_size_runs_the_stage(
    project: Path, built: Callable[[], str], edit: Callable[[Path], None]
) -> None:
    (project / "data" / "second.jsonl").write_text(changed(rows(project).read_text()))
    settle(project, built)
    edit(project)
    assert built() == "ran"
    assert built() == "skipped"


def test_edits_go_on_being_seen_after_the_clock_jumped(project: Path, built: Callable[[], str]) -> None:
    settle(project, built)
    first = rows(project).read_text()
    for text, expected in ((changed(first), "ran"), (first, "cached"), (first.replace("Ring 4", "Ring y"), "ran")):
        rows(project).write_text(text)
        os.utime(rows(project), ns=(FUTURE_NS, FUTURE_NS))
        assert built() == expected
        assert built() == "skipped"
    rows(project).write_text(first)  # and back in the present
    assert built() == "cached"


def test_a_touch_runs_nothing(project: Path, built: Callable[[], str]) -> None:
    settle(project, built)
    for path in (rows(project), project / "manifests" / "bell.toml", project / "fgbuild.toml"):
        path.touch()
        assert built() == "skipped"


def test_another_branch_and_back_takes_the_old_result_from_the_store(project: Path, built: Callable[[], str]) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)

    git("init", "-b", "main")
    (project / ".gitignore").write_text("cache/\n")
    git("add", ".")
    git("commit", "-m", "first")
    settle(project, built)
    git("checkout", "-b", "other")
    rows(project).write_text(changed(rows(project).read_text()))
    git("commit", "-am", "second")
    assert built() == "ran"
    for branch in ("main", "other", "main"):
        git("checkout", branch)
        assert built() == "cached"
        assert built() == "skipped"
