"""Widgets for going through many things: a list that draws only what it shows, and the text of what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views.tui.widgets import Part

_NOTHING = Content("")


@dataclass(frozen=True, slots=True)
class Block:
    """Text behind a gutter that stands before each of its lines, wrapped ones too."""

    content: Content
    gutter: str = "  "


def wrapped(content: Content, width: int) -> list[Content]:
    """The content's lines in at most `width` cells each; what is wrapped keeps its line's indent."""
    lines: list[Content] = []
    for line in content.split("\n", allow_blank=True):
        indent = min(len(line.plain) - len(line.plain.lstrip(" ")), width // 2)
        pieces = line[indent:].wrap(max(width - indent, 1)) or [_NOTHING]
        lines += [piece.pad_left(indent) if indent else piece for piece in pieces]
    return lines


def laid_out(blocks: Iterable[Block], width: int) -> Content:
    """The blocks one under the other, in `width` cells."""
    lines = []
    for block in blocks:
        room = max(width - len(block.gutter), 1)
        lines += [Content(block.gutter) + line.rstrip() for line in wrapped(block.content, room)]
    return Content("\n").join(lines)


class RowList(Widget, can_focus=True):
    """A list of any length. `line` gives what stands in a row, for its place and a width in cells; `heading` what
    stands above them, in the same columns."""

    class Chosen(Message):
        """Another row was chosen, or the same one anew."""

    def __init__(self, line: Callable[[int, int], list[Part]], heading: Callable[[], str], *, id: str) -> None:
        super().__init__(id=id)
        self._line = line
        self._heading = heading
        self.count = 0
        self.cursor = 0
        self.top = 0

    def show(self, count: int, cursor: int | None = None) -> None:
        """Show that many rows; cursor: the chosen one, None for the one that was."""
        self.count = count
        self.choose(self.cursor if cursor is None else cursor)

    def choose(self, cursor: int) -> None:
        self.cursor = max(min(cursor, self.count - 1), 0)
        self.refresh()
        self.post_message(self.Chosen())

    @property
    def page(self) -> int:
        """How many rows are shown at once."""
        return max(self.content_size.height - 1, 1)

    def render(self) -> Content:
        width = max(self.content_size.width, 1)
        self.top = max(min(self.top, self.cursor, self.count - self.page), self.cursor - self.page + 1, 0)
        heading = Content(f"  {self._heading()}").truncate(width, ellipsis=True)
        lines = [heading.stylize("bold underline $foreground-muted")]
        for place in range(self.top, min(self.top + self.page, self.count)):
            chosen = place == self.cursor
            line = Content.assemble("▶ " if chosen else "  ", *self._line(place, width - 2))
            line = line.truncate(width, ellipsis=True, pad=True)
            lines.append(line.stylize("bold reverse") if chosen else line)
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        place = self.top + event.y - 1
        if event.y >= 1 and place < self.count:
            self.choose(place)

    def on_mouse_scroll_down(self) -> None:
        self.choose(self.cursor + 3)

    def on_mouse_scroll_up(self) -> None:
        self.choose(self.cursor - 3)


class Reader(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Text that is longer than its place. Left and right are not its own: they go to another domain."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_home", show=False),
        Binding("end", "scroll_end", show=False),
    ]
    DEFAULT_CSS = """
    Reader { overflow-y: scroll; scrollbar-size-vertical: 1; }
    Reader > Static { width: 100%; height: auto; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = Static("", markup=False)
        self._draw: Callable[[int], Content] = lambda width: _NOTHING

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, draw: Callable[[int], Content], *, stay: bool = False) -> None:
        """Show what `draw` gives for a width in cells, from its start; stay: from where one is."""
        self._draw = draw
        self._lay_out()
        if not stay:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width > 0:
            self._text.update(self._draw(width))
