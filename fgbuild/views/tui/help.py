"""The help screen: every key from the same table that binds them, and what the symbols mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

_SYMBOLS = (
    ("✓", "done: the stage ran"),
    ("≡", "current: up to date, nothing to do · cached: restored from the cache"),
    ("●", "running: how far it is, and how long it still needs"),
    ("○", "waiting for another stage · not run, because one above it failed"),
    ("✗", "failed · not passed: it ran, but a check or a threshold did not hold"),
    ("■", "cancelled or stopped"),
)


class HelpScreen(ModalScreen[None]):
    """Lists the given bindings; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]

    def __init__(self, bindings: list[Binding]) -> None:
        super().__init__()
        self._bindings_shown = bindings

    def compose(self) -> ComposeResult:
        parts: list[str | tuple[str, str]] = [("Keys\n", "bold")]
        for binding in self._bindings_shown:
            parts += [(f"  {binding.key_display or binding.key:<4}", "bold"), f"{binding.tooltip}\n"]
        parts += [("\nSymbols\n", "bold")]
        for symbol, meaning in _SYMBOLS:
            parts += [(f"  {symbol:<4}", "bold"), f"{meaning}\n"]
        parts += [
            "\nThe dashboard only watches: closing it never stops a build.\n",
            ("Esc closes this.", "$foreground-muted"),
        ]
        with VerticalScroll(id="help"):
            yield Static(Content.assemble(*parts), markup=False)
