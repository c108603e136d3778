"""Finding words in the text of an editor: a line below it that is there while one looks."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input, TextArea

from fgbuild.views.text import number
from fgbuild.views.tui.entry import SearchLine


class FindLine(SearchLine):
    """Looks in `editor`, whose selection is the place that was found; escape goes back to the text, there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,ctrl+f", "next(1)", "Next", show=False),
        Binding("up,shift+enter", "next(-1)", "Before", show=False),
    ]
    DEFAULT_CSS = "FindLine { height: 3; display: none; }"

    def __init__(self, editor: TextArea) -> None:
        super().__init__(placeholder="words to find; Enter or ↓: the next, ↑: the one before, Esc: back to the text")
        self._editor = editor
        self._from = (0, 0)

    def open(self) -> None:
        """Look from the cursor on, for what is selected if that is in one line."""
        self.display = True
        self._from = min(self._editor.selection)
        if (selected := self._editor.selected_text) and "\n" not in selected:
            self.value = selected
        self.screen.set_focus(self)  # at once: `focus` sends a message, which letters overtake
        self.select_all()

    def close(self) -> None:
        self.display = False
        self.screen.set_focus(self._editor)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The first one at or after the place where one began to look."""
        event.stop()
        if self.display:
            self._go(self._from, 0)

    def action_next(self, by: int) -> None:
        self._go(min(self._editor.selection), by)

    def _go(self, start: tuple[int, int], by: int) -> None:
        """by: 0 for the first one from `start` on, 1 for the first after it, -1 for the last before; round about."""
        found = matches(self._editor.document.lines, self.value)
        if not found:
            self.border_subtitle = "not found" if self.value else ""
            return
        starts = [(row, first) for row, first, _ in found]
        if by < 0:
            place = bisect_left(starts, start) - 1
        else:
            place = bisect_right(starts, start) if by else bisect_left(starts, start)
        place %= len(found)
        row, first, last = found[place]
        self._editor.move_cursor((row, first), center=True)
        self._editor.move_cursor((row, last), select=True)
        self.border_subtitle = f"{number(place + 1)} of {number(len(found))}"


def matches(lines: list[str], words: str) -> list[tuple[int, int, int]]:
    """Where the words are: line, first column, and the one after the last; capitals matter where one is typed."""
    if not words:
        return []
    pattern = re.compile(re.escape(words), 0 if words != words.lower() else re.IGNORECASE)
    return [(row, *match.span()) for row, line in enumerate(lines) for match in pattern.finditer(line)]
