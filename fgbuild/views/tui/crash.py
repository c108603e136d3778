"""What is said of an error that nobody foresaw, once the terminal was given back."""

from __future__ import annotations

import traceback
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.views.text import MAX_MESSAGE, clean
from fgbuild.views.tui.launch import output_path


def crash_path(root: Path) -> Path:
    """Where the traceback of the last one is."""
    return output_path(root).with_name("crash.log")


def told(root: Path, error: BaseException) -> str:
    """One sentence, made inert; the traceback goes into a file."""
    if isinstance(error, FgbuildError):
        return clean(f"error: {error}", MAX_MESSAGE, keep_newlines=True)
    words = f"error: the dashboard failed unexpectedly ({type(error).__name__}: {error}); `fgbuild` opens it again"
    path = crash_path(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), "utf-8", errors="backslashreplace")
    except OSError:
        return clean(words, MAX_MESSAGE)
    return clean(f"{words}, and {path.relative_to(root)} says where it failed", MAX_MESSAGE)
