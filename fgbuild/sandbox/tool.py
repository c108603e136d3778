"""What a tool is made of: functions of a project's root and a call's arguments, which return a JSON object."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


class ToolError(Exception):
    """What went wrong with a call, in words for the model that made it: it becomes the response {"error": …}."""


def inside(root: Path, path: str) -> Path:
    """The file or folder of a project that `path` names. ToolError where there is none, or it lies outside."""
    try:
        found = Path(os.path.normpath(root / path))
        outside = not found.resolve().is_relative_to(root.resolve())
        exists = found.exists()
    except (OSError, TypeError, ValueError):  # a name too long, no text, a character that no name can have
        raise ToolError(f"{path!r:.80} is not a path") from None
    if outside:
        raise ToolError(f"{path} is outside the project")
    if not exists:
        raise ToolError(f"{path} does not exist{_hint(root, found.name)}")
    return found


def _hint(root: Path, name: str) -> str:
    """Where else a file or folder of this name is, if in one place alone."""
    places = [str(each.relative_to(root)) for each in root.rglob("*") if each.name == name]
    return f"; there is {places[0]}" if len(places) == 1 else ""


def file_inside(root: Path, path: str) -> Path:
    """The same for a file."""
    found = inside(root, path)
    if found.is_dir():
        raise ToolError(f"{path} is a folder")
    return found


def run(root: Path, command: Sequence[str], *, ok: Sequence[int] = (0,)) -> str:
    """A command's standard output. ToolError with the last line of its errors for another exit code than those `ok`."""
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode not in ok:
        lines = done.stderr.strip().splitlines() or [f"{command[0]} failed"]
        raise ToolError(lines[-1].replace(f"{root}/", ""))
    return done.stdout
