"""Screens as files: what each cell shows, and in which style. `FGBUILD_SNAPSHOTS=write` writes them anew."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

from rich.style import Style

FOLDER = Path(__file__).parent / "snapshots"
_WRITE = os.environ.get("FGBUILD_SNAPSHOTS") == "write"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def drawn(app: Any) -> str:
    """The screen's text, then the same cells as letters of styles, then what those are."""
    letters: dict[str, str] = {}
    numbers = count()
    text, styles = [], []
    for strip in app.screen._compositor.render_strips():
        for each in app._filters:
            strip = strip.apply_filter(each, app.screen.background_colors[1])
        text.append("".join(segment.text for segment in strip).rstrip())
        line = ""
        for segment in strip:
            name = _name(segment.style)
            if name not in letters:
                letters[name] = _LETTERS[next(numbers)]
            line += letters[name] * segment.cell_length
        styles.append(_runs(line))
    legend = [f"{letter} {name}" for name, letter in letters.items()]
    return "\n".join([*text, "", *styles, "", *legend, ""])


def _name(style: Style | None) -> str:
    if style is None:
        return "plain"
    colours = [colour.triplet.hex if colour and colour.triplet else "-" for colour in (style.color, style.bgcolor)]
    words = [word for word in ("bold", "dim", "underline", "reverse") if getattr(style, word)]
    return " ".join([*colours, *words])


def _runs(line: str) -> str:
    """`aaab` as `a3 b1`."""
    found: list[str] = []
    start = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or line[at] != line[start]:
            found.append(f"{line[start]}{at - start}")
            start = at
    return " ".join(found)


def check(app: Any, name: str) -> None:
    """Compare the screen with the file of that name. Fails where there is none, and says how to make it."""
    path = FOLDER / f"{name}.txt"
    found = drawn(app)
    if _WRITE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, "utf-8")
    assert path.exists(), f"{path} is not there; FGBUILD_SNAPSHOTS=write makes it: look at it before you commit it"
    assert found == path.read_text("utf-8"), (
        f"not as in {path}; FGBUILD_SNAPSHOTS=write takes what is shown now:\n{found}"
    )
