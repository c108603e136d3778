"""The line of keys below a view."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from fgbuild.views.text import cell_width
from fgbuild.views.tui.entry import SearchLine

_AROUND = 3
"""Cells around a key and its description."""
_BESIDE_HELP = 2
"""Cells between it and the other keys: a gap and a line."""
_HELP = ("help", "app.help")


class KeyFooter(Footer):
    """As many keys as there is room for, the view's own first, none of them cut. The help's stands at the end: it has
    them all."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)  # the help names that key

    def compose(self) -> ComposeResult:
        keys = [each for each in super().compose() if isinstance(each, FooterKey)]
        if isinstance(self.screen.focused, SearchLine):
            typing = {key.action for key in SearchLine.KEYS}
            keys = [key for key in keys if key.action in typing]
        helps = [key for key in keys if key.action in _HELP]
        room = self.app.size.width - sum(_cells(key) + _BESIDE_HELP for key in helps[:1])
        for key in keys:
            room -= 0 if key in helps else _cells(key)
            if room < 0:
                break
            if key not in helps:
                yield key
        for key in helps[:1]:
            key.add_class("-command-palette")  # at the right end, behind a line
            yield key

    def on_resize(self) -> None:
        self.refresh(recompose=True)


def _cells(key: FooterKey) -> int:
    return cell_width(key.key_display) + cell_width(key.description) + _AROUND
