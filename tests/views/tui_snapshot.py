"""Screens as files: what each cell shows, and in which style. `FGBUILD_SNAPSHOTS=write` writes them anew."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from rich.color import Color
from rich.style import Style
from textual.filter import LineFilter, Monochrome
from textual.pilot import Pilot
from textual.strip import Strip

FOLDER = Path(__file__).parent / "snapshots"
_WRITE = os.environ.get("FGBUILD_SNAPSHOTS") == "write"
_SETTLED_SECONDS = 0.5
_PATIENCE_SECONDS = 10.0
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def drawn(app: Any) -> str:
    """The screen's text; then the same cells as letters of styles, and what those are, in colour and with NO_COLOR."""
    strips = app.screen._compositor.render_strips()
    text = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
    # As textual does where the variable is set: fgbuild itself knows nothing of it.
    in_grey = [*app._filters, Monochrome()]
    return "\n".join(
        [*text, "", *_styles(app, strips, app._filters), "", "NO_COLOR", *_styles(app, strips, in_grey), ""]
    )


def _styles(app: Any, strips: Sequence[Strip], filters: Sequence[LineFilter]) -> list[str]:
    letters: dict[str, str] = {}
    numbers = count()
    lines = []
    for strip in strips:
        for each in filters:
            strip = strip.apply_filter(each, app.screen.background_colors[1])
        line = ""
        for segment in strip:
            name = _name(segment.style)
            if name not in letters:
                letters[name] = _LETTERS[next(numbers)]
            line += letters[name] * segment.cell_length
        lines.append(_runs(line))
    return [*lines, "", *(f"{letter} {name}" for name, letter in letters.items())]


def _name(style: Style | None) -> str:
    if style is None:
        return "plain"
    colours = [colour.triplet.hex if colour and colour.triplet else "-" for colour in (style.color, style.bgcolor)]
    words = [word for word in ("bold", "dim", "underline", "reverse") if getattr(style, word)]
    return " ".join([*colours, *words])


def faint(app: Any, least: float = 4.5) -> dict[str, float]:
    """What stands on the screen with less than that contrast to its ground, by WCAG 2.2, 1.4.3."""
    found: dict[str, float] = {}
    for strip in app.screen._compositor.render_strips():
        for each in app._filters:
            strip = strip.apply_filter(each, app.screen.background_colors[1])
        for segment in strip:
            style = segment.style
            if style and style.color and style.bgcolor and any(map(str.isalnum, segment.text)):
                light, dark = sorted(map(_luminance, (style.color, style.bgcolor)), reverse=True)
                if (ratio := (light + 0.05) / (dark + 0.05)) < least:
                    found[segment.text.strip()] = round(ratio, 2)
    return found


def _luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _runs(line: str) -> str:
    """`aaab` as `a3 b1`."""
    found: list[str] = []
    start = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or line[at] != line[start]:
            found.append(f"{line[start]}{at - start}")
            start = at
    return " ".join(found)


async def check(pilot: Pilot[Any], name: str) -> None:
    """Wait until the screen is as in the file of that name. Fails where there is none, and says how to make it."""
    path = FOLDER / f"{name}.txt"
    if _WRITE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(await _settled(pilot), "utf-8")
    assert path.exists(), f"{path} is not there; FGBUILD_SNAPSHOTS=write makes it: look at it before you commit it"
    expected, deadline = path.read_text("utf-8"), time.monotonic() + _PATIENCE_SECONDS
    while (found := drawn(pilot.app)) != expected:
        assert time.monotonic() < deadline, (
            f"not as in {path}; FGBUILD_SNAPSHOTS=write takes what is shown now:\n{found}"
        )
        await pilot.pause(0.05)


async def _settled(pilot: Pilot[Any]) -> str:
    """What is shown once it has not changed for a while."""
    found, since = drawn(pilot.app), time.monotonic()
    while time.monotonic() - since < _SETTLED_SECONDS:
        await pilot.pause(0.05)
        if (now := drawn(pilot.app)) != found:
            found, since = now, time.monotonic()
    return found
