"""Reasons in full: old and new value side by side, texts as what was taken out and put in."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

from textual.content import Content

from fgbuild.views import text
from fgbuild.views.records import Reason
from fgbuild.views.tui.reader import wrapped
from fgbuild.views.tui.styles import GOOD, MUTED, WARNING
from fgbuild.views.tui.widgets import Part

_OLD, _NEW = WARNING, GOOD
_DIGEST = re.compile(r"[0-9a-f]{12}…")
_NONE = "(nothing)"
# Comparing lines takes time that grows with their square.
_MOST_LINES = 1_000
_CONTEXT = 2


@lru_cache(maxsize=256)
def reason_parts(reason: Reason, width: int, indent: int = 0, names: tuple[str, str] = ("was", "is")) -> list[Part]:
    """The lines of one reason, in at most `width` cells. names: what old and new value are called."""
    margin = " " * indent
    lines: list[Part] = []
    for line in _wrapped(_heading(reason), max(width - indent, 20)):
        lines.append((f"{margin}{line}\n", "bold"))
    old, new = reason.before or reason.old, reason.after or reason.new
    if not old and not new:
        return lines
    many = "\n" in old and "\n" in new
    if many and old.count("\n") + new.count("\n") < _MOST_LINES:
        return lines + _changed_lines(old, new, width, margin + "  ")
    return lines + _columns(old or _NONE, new or _NONE, width, margin + "  ", names)


def _heading(reason: Reason) -> str:
    """The component; in the build's words where its values tell nothing."""
    told = not (reason.old or reason.new) or _DIGEST.fullmatch(reason.new or reason.old)
    return (reason.text if told else "") or reason.component


def _columns(old: str, new: str, width: int, margin: str, names: tuple[str, str]) -> list[Part]:
    """Two texts in two columns, wrapped; names: what the columns are called."""
    labels = max(map(len, names)) + 1
    room = max((width - len(margin) - 2 * labels - 2) // 2, 4)
    left, right = _wrapped(old, room), _wrapped(new, room)
    parts: list[Part] = []
    for index in range(max(len(left), len(right))):
        first, second = names if index == 0 else ("", "")
        parts += [
            (f"{margin}{first:<{labels}}", MUTED),
            (text.pad(left[index] if index < len(left) else "", room), _OLD),
            (f"  {second:<{labels}}", MUTED),
            ((right[index] if index < len(right) else "") + "\n", _NEW),
        ]
    return parts


def _wrapped(value: str, width: int) -> list[str]:
    return [line.plain for line in wrapped(Content(value), width)]


def _changed_lines(old: str, new: str, width: int, margin: str) -> list[Part]:
    """Lines taken out (-), put in (+) and around them; longer stretches without a change are counted."""
    before, after = old.split("\n"), new.split("\n")
    parts: list[Part] = []

    def add(sign: str, lines: list[str], style: str) -> None:
        for line in lines:
            for index, piece in enumerate(_wrapped(line, width - len(margin) - 2)):
                parts.append((f"{margin}{sign if index == 0 else ' '} {piece}\n", style))

    for kind, first, last, start, end in SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal" and last - first > 2 * _CONTEXT + 1:
            add(" ", before[first : first + _CONTEXT], MUTED)
            add(" ", [f"… {last - first - 2 * _CONTEXT} lines the same"], MUTED)
            add(" ", before[last - _CONTEXT : last], MUTED)
        elif kind == "equal":
            add(" ", before[first:last], MUTED)
        else:
            add("-", before[first:last], _OLD)
            add("+", after[start:end], _NEW)
    return parts
