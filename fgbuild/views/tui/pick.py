"""Choosing one of a few names over a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fgbuild.views.tui.dialog import Dialog


class Picker(Dialog[tuple[str | None] | None]):
    """options: (value, what is shown); the value None lifts the choice. Dismissed with (value,), or with None where
    nothing was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "cancel", "Close")]
    DEFAULT_CSS = "Picker > .box { padding: 0 1; }"

    def __init__(self, title: str, options: Sequence[tuple[str | None, str]], current: str | None) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._current = current

    def compose(self) -> ComposeResult:
        listed = OptionList(*(Option(Content(shown)) for _, shown in self._options), markup=False, classes="box")
        listed.border_title = Content(self._title)
        values = [value for value, _ in self._options]
        listed.highlighted = values.index(self._current) if self._current in values else 0
        yield listed

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss((self._options[event.option_index][0],))

    def action_cancel(self) -> None:
        self.dismiss(None)
