"""What is copied goes to the terminal's clipboard, and into a file: not every terminal takes it, and none says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbuild.views.tui.launch import output_path
from fgbuild.views.tui.textfile import replace

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp


def copied_path(root: Path) -> Path:
    """Where what was copied last is."""
    return output_path(root).with_name("copied.txt")


def copy(app: DashboardApp, text: str, what: str) -> None:
    """Copy `text`, and tell so. what: it in words, `3 lines`."""
    content = text.encode("utf-8", "backslashreplace")  # JSON may hold half a character, which neither takes
    app.copy_to_clipboard(content.decode())
    root = app.desk.root
    path = copied_path(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content, mode=0o600)
    except OSError as error:
        app.tell(f"Copied {what}; {path.relative_to(root)} cannot be written ({error.strerror}).", "warning")
    else:
        app.tell(f"Copied {what}, also to {path.relative_to(root)}.")
