"""A line to type into whose keys work in the order in which they were typed.

Textual inserts letters at once and sends every other key through the queues of the widgets around it, so that on a busy
machine letters overtake it; and a letter after a key that moves the focus still comes to where that was before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.widgets.input import Selection


class Entry(Input):
    """With enter its screen is to take what was typed: `action_take_entry`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.take_entry", "Take", show=False)]

    async def _on_key(self, event: events.Key) -> None:
        if self.app.focused is not self:  # `has_focus` is told by a message, which may be behind this one
            event.stop()
            event.prevent_default()
            self.app.post_message(events.Key(event.key, event.character))
            return
        await super()._on_key(event)
        if not event.is_printable and await self.app._check_bindings(event.key):
            event.stop()
            event.prevent_default()


class SearchLine(Entry):
    """Where the words of a search are typed. With escape its screen leaves it and the search as it was:
    `action_leave_entry`. The footer shows KEYS alone meanwhile, for all others are text."""

    KEYS: ClassVar[list[Binding]] = [
        Binding("enter", "screen.take_entry", "Apply", key_display="Enter", tooltip="take what was typed"),
        Binding("escape", "screen.leave_entry", "Cancel", key_display="Esc", tooltip="leave it as it was"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, **options: Any) -> None:
        super().__init__(select_on_focus=False, **options)  # textual does it in a message, which letters overtake

    def ask(self, words: str) -> None:
        """Have other words typed in place of these."""
        self.value = words
        self.selection = Selection(0, len(words))
        self.screen.set_focus(self)  # at once: `focus` sends a message too
