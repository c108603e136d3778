"""fgbuild's own command with workers that have written their files when they are started: what is left is the engine.

    python benchmarks/engine/at_once.py build --all --headless

They are those of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from fgbuild.cli import building, entry
from fgbuild.engine.executor import Executor

TESTS = Path(__file__).resolve().parents[2] / "tests" / "cli"


def instant() -> Callable[[], Executor]:
    sys.path.append(str(TESTS))
    from instant import InstantExecutor

    return InstantExecutor


if __name__ == "__main__":
    building._executor = instant()
    entry()
