"""A panel of more rows than it has room for: it draws those around the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual import events
from textual.message import Message

from fgbuild.views.tui.widgets import Panel

_Row = TypeVar("_Row")


class Listing(Panel):
    """However many rows there are, only visible ones are made into text."""

    class Moved(Message):
        """The mouse wheel asks for another row to be chosen: `by` rows further down."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    _first = 0

    def window(self, rows: Sequence[_Row], chosen: int | None, height: int) -> Sequence[_Row]:
        """The rows to draw: as before, moved as little as shows the chosen one with a neighbour on either side."""
        if height < 3:  # not laid out yet, or next to no room
            return rows[chosen or 0 :][:height]
        if chosen is not None:
            self._first = min(max(self._first, chosen + 2 - height), max(chosen - 1, 0))
        self._first = max(min(self._first, len(rows) - height), 0)
        return rows[self._first : self._first + height]

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Moved(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Moved(-1))
