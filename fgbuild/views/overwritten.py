"""Lines that a tool wrote over again and again, each time after a carriage return, as progress bars are."""

from __future__ import annotations

import re

from fgbuild.views.text import cell_width

# Erase in line: https://vt100.net/docs/vt510-rm/EL.html
_ERASE_LINE = "\x1b[2K"
_ERASE_REST = re.compile(r"\x1b\[0?K")


def last_state(line: str) -> str:
    """What a terminal shows of a line in the end: the last state, and what it left of longer ones before."""
    if "\r" not in line:
        return line
    shown = ""
    for written in line.split("\r"):
        _, erased, state = written.rpartition(_ERASE_LINE)
        rest = "" if erased or _ERASE_REST.search(state) else _beyond(shown, cell_width(state))
        shown = _ERASE_REST.sub("", state) + rest
    return shown


def _beyond(text: str, cells: int) -> str:
    """What of a text is right of its first cells."""
    if len(text) <= cells and text.isascii():
        return ""
    at = 0
    while at < len(text) and cells > 0:
        cells -= cell_width(text[at])
        at += 1
    return text[at:]
