"""The help screen: every key from the same table that binds them, and what the symbols mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from fgbuild.views.text import cell_width, pad
from fgbuild.views.tui.dialog import Dialog
from fgbuild.views.tui.styles import MUTED

_SYMBOLS = (
    ("✓", "done: the stage ran"),
    ("≡", "current: up to date, nothing to do · cached: restored from the cache"),
    ("●", "running: how far it is, and how long it still needs"),
    ("○", "waiting for another stage · not run, because one above it failed"),
    ("✗", "failed · not passed: it ran, but a check or a threshold did not hold"),
    ("≠", "stale: made, but its inputs have changed since; a build would run it"),
    ("!", "loss rose: it trained to the end, but its loss was worse by then"),
    ("■", "cancelled or stopped"),
)


_KEYS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "escape": "Esc", "enter": "Enter", "space": "Space"} | {
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "f1": "F1",
}
_LEAST_CELLS = 8


def key_names(binding: Binding) -> list[str]:
    """A binding's keys as they are written on a keyboard."""
    if binding.key_display:
        return binding.key_display.replace(",", "").split()
    return [_KEYS.get(name, name) for name in binding.key.split(",")]


class HelpScreen(Dialog[None]):
    """Lists the given bindings, by where they hold; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]
    DEFAULT_CSS = "HelpScreen > .box { width: 76; }"

    def __init__(self, tables: list[tuple[str, list[Binding]]]) -> None:
        super().__init__()
        self._tables = [(name, keys) for name, keys in tables if keys]

    def compose(self) -> ComposeResult:
        parts: list[str | tuple[str, str]] = []
        shown = [" ".join(key_names(binding)) for _, bindings in self._tables for binding in bindings]
        cells = max([_LEAST_CELLS, *(cell_width(keys) + 1 for keys in shown)])
        for name, bindings in self._tables:
            parts += [(f"{name}\n", "bold")]
            for binding in bindings:
                keys = pad(" ".join(key_names(binding)), cells)
                parts += [(f"  {keys}", "bold"), f"{binding.tooltip}\n"]
            parts += ["\n"]
        parts += [("Symbols\n", "bold")]
        for symbol, meaning in _SYMBOLS:
            parts += [(f"  {symbol:<4}", "bold"), f"{meaning}\n"]
        parts += [
            "\n^p opens the command palette, which finds all of these by their words.\n",
            "The dashboard only watches: closing it never stops a build.\n",
            ("Esc closes this.", MUTED),
        ]
        with VerticalScroll(id="help", classes="box"):
            yield Static(Content.assemble(*parts), markup=False)
