"""Two texts side by side, with the parts in which they differ marked so that it shows without colour."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from textual.content import Content

from fgbuild.views.tui.reader import wrapped

Parts = list[tuple[bool, str]]
"""(is it a control token, text) in order."""

_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_MOST_PAIRS = 250_000
"""Pairs of words up to which they are matched one by one; beyond, only what both begin and end with is matched."""
_NARROW = 56
_UNLIKE, _LIKE = "≠ ", "  "


def side_by_side(left_name: str, left: Parts, right_name: str, right: Parts, width: int) -> Content:
    """Both in columns, or one under the other where `width` cells are too few. A line with a part that the other text
    does not have begins with ≠, and that part is reversed."""
    one, other = marked(left, right)
    if width < _NARROW:
        lines = [_title(left_name), *_column(one, width), _title(right_name), *_column(other, width)]
        return Content("\n").join(lines)
    room = (width - 3) // 2
    columns = [_title(left_name), *_column(one, room)], [_title(right_name), *_column(other, room)]
    lines = []
    for place in range(max(map(len, columns))):
        here, there = (column[place] if place < len(column) else Content("") for column in columns)
        lines.append(here.pad_right(max(room - here.cell_length, 0)) + " │ " + there)
    return Content("\n").join(lines)


def marked(left: Parts, right: Parts) -> tuple[Content, Content]:
    """Both texts, each with what the other has not in reverse."""
    one, other = _words(left), _words(right)
    unlike_left, unlike_right = _unlike([word for _, word in one], [word for _, word in other])
    return _content(one, unlike_left), _content(other, unlike_right)


def _title(name: str) -> Content:
    return Content(_LIKE + name).stylize("bold")


def _column(content: Content, width: int) -> list[Content]:
    if not content.plain:
        content = Content("(nothing)").stylize("reverse")
    lines = []
    for line in wrapped(content, max(width - 2, 1)):
        differs = any("reverse" in str(span.style) for span in line.spans)
        lines.append((_UNLIKE if differs else _LIKE) + line.rstrip())
    return lines


def _words(parts: Parts) -> Parts:
    """Control tokens whole, other text by words, spaces and signs."""
    return [(control, word) for control, text in parts for word in ([text] if control else _WORD.findall(text))]


def _unlike(one: list[str], other: list[str]) -> tuple[set[int], set[int]]:
    """Places in each that have no counterpart in the other."""
    start = next((n for n, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    most = min(len(one), len(other)) - start
    end = next((n for n, (a, b) in enumerate(zip(one[::-1], other[::-1])) if a != b), most)
    end = min(end, most)
    middle, middle_other = one[start : len(one) - end], other[start : len(other) - end]
    unlike = set(range(start, len(one) - end)), set(range(start, len(other) - end))
    if len(middle) * len(middle_other) <= _MOST_PAIRS:
        for block in SequenceMatcher(None, middle, middle_other, autojunk=False).get_matching_blocks():
            unlike[0].difference_update(range(start + block.a, start + block.a + block.size))
            unlike[1].difference_update(range(start + block.b, start + block.b + block.size))
    return unlike


def _content(words: Parts, unlike: set[int]) -> Content:
    styles = [
        " ".join(filter(None, ("$text-primary" if control else "", "bold reverse" if place in unlike else "")))
        for place, (control, _) in enumerate(words)
    ]
    return Content.assemble(*((word, style) for (_, word), style in zip(words, styles)))
