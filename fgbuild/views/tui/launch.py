"""Starting a build that outlives the dashboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbuild.views.text import clean

# -P: a file of the project named like a module must not be taken for it.
FGBUILD = (sys.executable, "-P", "-m", "fgbuild")


def output_path(root: Path) -> Path:
    """Where what the started build prints goes."""
    return root / "cache" / "ui" / "build.log"


def start_build(
    root: Path, arguments: Sequence[str] = ("--all",), environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `fgbuild build --headless` with these arguments in a session of its own, its output in a file.

    Neither closing the dashboard nor losing the terminal reaches it. environment: its variables
    (None: those of this process). Raises OSError where the
    output file or the process cannot be made.
    """
    path = output_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as output:
        return subprocess.Popen(
            [*FGBUILD, "build", "--headless", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def last_line(root: Path) -> str:
    """The last line the started build printed, made inert; "" where there is none."""
    try:
        tail = output_path(root).read_bytes()[-4096:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in tail.splitlines() if line.strip()]
    return clean(lines[-1].strip(), 300) if lines else ""
