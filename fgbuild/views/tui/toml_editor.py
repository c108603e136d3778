"""A text area for TOML: coloured by the app's theme, lines with problems marked beside their number."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, TextAreaTheme

from fgbuild.views.text import clean

_HALF = re.compile("[\ud800-\udfff]")
MARK = "✗ "
_MAX_COLOURED = 200_000
"""Longest text that is coloured, characters: the whole of it is looked at after each key."""
_KINDS = {
    "key": ("toml.type",),
    "string": ("string",),
    "literal": ("number", "float", "boolean", "toml.datetime"),
    "comment": ("comment",),
}
"""Kind of token → its names in textual's highlight query."""


class TomlEditor(TextArea):
    """marked: lines with problems, from 0."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "cursor_text_start", "Start of the text", show=False),
        Binding("ctrl+end", "cursor_text_end", "End of the text", show=False),
        Binding("ctrl+shift+home", "cursor_text_start(True)", "Select to the start", show=False),
        Binding("ctrl+shift+end", "cursor_text_end(True)", "Select to the end", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"toml-editor--mark", *(f"toml-editor--{kind}" for kind in _KINDS)}
    DEFAULT_CSS = """
    TomlEditor, TomlEditor:focus {
        border: none;
        padding: 0;
        & .toml-editor--key { color: $text-primary; }
        & .toml-editor--string { color: $text-success; }
        & .toml-editor--literal { color: $text-warning; }
        & .toml-editor--comment { color: $foreground-muted; text-style: italic; }
        & .toml-editor--mark { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, soft_wrap=False, show_line_numbers=True)
        self._marked: frozenset[int] = frozenset()
        bindings = (binding for binding in [*TextArea.BINDINGS, *self.BINDINGS] if isinstance(binding, Binding))
        self._actions = {key: binding.action for binding in bindings for key in binding.key.split(",")}
        self._actions["ctrl+f"] = "screen.find"  # at once, so that the letters after it come to the line that opens

    async def _on_key(self, event: events.Key) -> None:
        """Keys in the order in which they were typed. Textual inserts letters at once and sends what moves and deletes
        through the queues of the screen and the app, so that on a busy machine letters overtake it."""
        if self.app.focused is not self:  # as in an `Entry`: the key before this one moved the focus
            event.stop()
            event.prevent_default()
            self.app.post_message(events.Key(event.key, event.character))
            return
        action = self._actions.get(event.key)
        if action is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        await self.run_action(action)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._take_colours())
        self._take_colours()

    def show(self, text: str) -> None:
        """Edit another text, from its start, with nothing to undo."""
        self.language = "toml" if len(text) <= _MAX_COLOURED else None
        self.load_text(text)

    def edit(self, edit: Edit) -> EditResult:
        """Half a character, which a paste may bring, becomes �: neither the document nor a file can hold it."""
        edit.text = _HALF.sub("\N{REPLACEMENT CHARACTER}", edit.text)
        return super().edit(edit)

    def mark(self, lines: Collection[int]) -> None:
        marked = frozenset(lines)
        if marked != self._marked:
            self._marked = marked
            self.refresh()

    def on_resize(self) -> None:
        """What lies below may need more room, as the cursor goes on or problems are found."""
        self.call_after_refresh(self.scroll_cursor_visible)

    def action_cursor_text_start(self, select: bool = False) -> None:
        self.move_cursor((0, 0), select=select)

    def action_cursor_text_end(self, select: bool = False) -> None:
        self.move_cursor(self.document.end, select=select)

    def go_to(self, line: int) -> None:
        """Put the cursor on a line's first word. line: from 0."""
        row = min(max(line, 0), self.document.line_count - 1)
        text = self.document.get_line(row)
        self.move_cursor((row, len(text) - len(text.lstrip())), center=True)

    def get_line(self, line_index: int) -> Text:
        """The line as it can be printed: one character for one, so that columns stay what they are."""
        line = self.document.get_line(line_index)
        return Text("\t".join(clean(part, None) for part in line.split("\t")), end="", no_wrap=True)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if int(self.scroll_offset.y) + y not in self._marked:  # a row is a line: long ones are not wrapped
            return strip
        style = self.get_component_rich_style("toml-editor--mark", partial=True)
        width = self.gutter_width
        parts = [strip.crop(0, width - len(MARK)), Strip([Segment(MARK, style)]), strip.crop(width)]
        return Strip.join(parts)

    def _take_colours(self) -> None:
        styles: dict[str, Style] = {}
        for kind, names in _KINDS.items():
            style = self.get_component_rich_style(f"toml-editor--{kind}", partial=True)
            styles |= dict.fromkeys(names, style)
        self.register_theme(TextAreaTheme("fgbuild", syntax_styles=styles))
        self.theme = "fgbuild"
        self.notify_style_update()
