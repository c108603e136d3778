"""An interpreter of another environment: this one, with a folder of its own to import from."""

from __future__ import annotations

import sys
from pathlib import Path


def make_python(directory: Path, version: str | None = "1.0") -> Path:
    """The interpreter; version: of the unsloth that is installed in it, None for none. `asked` counts its starts."""
    packages = directory / "site-packages"
    packages.mkdir(parents=True)
    if version is not None:
        install(directory, version)
    python = directory / "python"
    python.write_text(
        f'#!/bin/sh\necho >> "{directory}/asked"\nPYTHONPATH="{packages}" FOREIGN=yes exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return python


def install(directory: Path, version: str) -> None:
    """Put another version of unsloth in."""
    packages = directory / "site-packages"
    for old in packages.glob("unsloth-*"):
        old.rmdir()
    (packages / f"unsloth-{version}.dist-info").mkdir()


def times_asked(directory: Path) -> int:
    asked = directory / "asked"
    return len(asked.read_text().splitlines()) if asked.exists() else 0
