"""Where a project is: the directory with `fgbuild.toml`."""

from __future__ import annotations

from pathlib import Path

from fgbuild.errors import FgbuildError

PROJECT_FILE = "fgbuild.toml"


def find_root(start: Path | None = None) -> Path:
    """The project directory: `start` itself where it is given, else the nearest one from here upwards.

    Raises FgbuildError where there is no `fgbuild.toml`.
    """
    if start is not None:
        if (start / PROJECT_FILE).is_file():
            return start.resolve()
        raise FgbuildError(f"{start}: no {PROJECT_FILE} there; name the directory that has it")
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / PROJECT_FILE).is_file():
            return directory
    raise FgbuildError(f"no {PROJECT_FILE} in {here} or above it; run fgbuild inside a project or name one with --root")
