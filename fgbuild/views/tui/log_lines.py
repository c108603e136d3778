"""Lines on the screen: only those in sight are read, whatever their number."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from fgbuild.views.lines import Lines, Scan, TextLines

MAX_COPIED = 1_000_000
"""Characters that a copy takes at most: terminals refuse or cut off more."""
_MATCH, _CURRENT = Style(bold=True, underline=True), Style(bold=True, reverse=True)


class Piece(NamedTuple):
    """What one line of the screen shows: characters of a row from `start` on."""

    row: int
    start: int
    text: str
    whole: str


class LogLines(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows are the lines, or where there is a filter, those that it found.

    wrap: long lines go on in the next line of the screen, at most a screen's worth of each; otherwise `column` is the
    first cell of the lines that is shown. following: stays at the end as lines come, until one scrolls up.
    """

    DEFAULT_CSS = """
    LogLines { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    LogLines > .log-lines--bad { color: $text-error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-lines--bad"}

    class Moved(Message):
        """Other rows are in sight than before, or it stopped following."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.lines: Lines = TextLines()
        self.filter: Scan | None = None
        self.search: re.Pattern[str] | None = None
        self.current: int | None = None  # number of the line that the search is at
        self.wrap = False
        self.column = 0
        self.following = True
        self.left_at = 0  # lines there were when it stopped following
        self._moving = False
        self._anchor: int | None = None  # line to have at the top while a filter is still looking
        self._empty = ""
        self._placed: list[Piece] = []

    @property
    def room(self) -> Size:
        """Cells beside the scrollbar."""
        return self.scrollable_content_region.size

    @property
    def row_count(self) -> int:
        return self.lines.count if self.filter is None else len(self.filter.found)

    @property
    def rows_in_sight(self) -> range:
        """The rows that are on the screen, whole or in part."""
        if not self.wrap:
            top = min(round(self.scroll_y), self.row_count)
            return range(top, min(top + self.room.height, self.row_count))
        placed = self._place()
        return range(placed[0].row, placed[-1].row + 1) if placed else range(0)

    @property
    def new_below(self) -> int:
        """Rows of lines that came since it stopped following, and that are not in sight yet."""
        return self.row_count - max(self.row(self.left_at), self.rows_in_sight.stop)

    def number(self, row: int) -> int:
        """The number of the line in that row."""
        return row if self.filter is None else self.filter.found[row]

    def row(self, number: int) -> int:
        """The row of that line, or of the first one after it."""
        return number if self.filter is None else bisect_left(self.filter.found, number)

    def show(self, lines: Lines) -> None:
        """Show other lines, from their end."""
        self.lines = lines
        self.filter = None
        self.current = None
        self.column = 0
        self.screen.clear_selection()
        self.follow()

    def set_filter(self, scan: Scan | None) -> None:
        """Show only what `scan` finds, and what was at the top there again where it can."""
        sight = self.rows_in_sight
        self._anchor = self.number(sight[0]) if sight and not self.following else None
        self.filter = scan
        self.screen.clear_selection()
        self.grown()

    def grown(self) -> None:
        """There are other lines than before."""
        height = self.room.height
        last_top = self._last_top() if self.wrap else max(self.row_count - height, 0)
        self.virtual_size = Size(self.room.width, last_top + height if last_top else min(self.row_count, height))
        if self.following or (self.scroll_y > last_top and self._anchor is None):
            self._go(last_top)
        elif self._anchor is not None:
            self._go(min(self.row(self._anchor), last_top))
        self.left_at = min(self.left_at, self.lines.count)
        if self.filter is None or self.filter.current:
            self._anchor = None
        self.refresh()

    def set_wrap(self, wrap: bool) -> None:
        top = round(self.scroll_y)
        self.wrap = wrap
        self.column = 0
        self.grown()
        if not self.following:
            self._go(min(top, self.max_scroll_y))

    def set_empty(self, sentence: str) -> None:
        """What to say in place of lines."""
        if sentence != self._empty:
            self._empty = sentence
            self.refresh()

    def _last_top(self) -> int:
        """The first row from which on everything to the end fits on the screen."""
        room = self.room.height
        row = self.row_count
        while row > 0:
            room -= len(self._pieces(row - 1))
            if room < 0:
                break
            row -= 1
        return min(row, max(self.row_count - 1, 0))

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self._anchor = None
        self.grown()
        self.post_message(self.Moved())

    def scroll_rows(self, rows: int) -> None:
        """Scroll by rows; up stops following."""
        self._anchor = None
        if rows < 0:
            self._leave()
        self._go(min(max(round(self.scroll_y) + rows, 0), self.max_scroll_y))

    def shift(self, cells: int) -> None:
        """Scroll sideways, no further than the lines in sight reach."""
        widest = max((cell_len(piece.whole) for piece in self._place()), default=0)
        self.column = min(max(self.column + cells, 0), max(widest - self.room.width // 2, 0))
        self.refresh()

    def reveal(self, number: int) -> None:
        """Bring a line into sight, a third from the top, and the place in it that the search found."""
        self._leave()
        self._anchor = None
        self.current = number
        row = self.row(number)
        if row not in self.rows_in_sight[:-1]:
            self._go(min(max(row - self.room.height // 3, 0), self.max_scroll_y))
        match = self.search.search(self.lines.line(number)) if self.search is not None else None
        if match is not None and not self.wrap:
            end = cell_len(match.string[: match.end()])
            if not self.column <= cell_len(match.string[: match.start()]) <= end <= self.column + self.room.width:
                self.column = max(end - self.room.width * 2 // 3, 0)
        self.refresh()

    def _leave(self) -> None:
        if self.following:
            self.following = False
            self.left_at = self.lines.count
            self.post_message(self.Moved())

    def _go(self, row: float) -> None:
        self._moving = True
        self.scroll_to(y=row, animate=False, force=True)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value < min(old_value, self.max_scroll_y) and not self._moving:
            self._leave()  # by the mouse: its wheel, or the scrollbar
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self.grown()

    def text_of(self, rows: range) -> tuple[str, int]:
        """The text of the last of these rows that a copy can take, and how many they are."""
        kept: list[str] = []
        length = 0
        for row in reversed(rows):
            line = self.lines.line(self.number(row))
            length += len(line) + 1
            if length > MAX_COPIED and kept:
                break
            kept.append(line)
        return "\n".join(reversed(kept)), len(kept)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self.row_count - 1
        kept = []
        for row in range(first, min(last, self.row_count - 1, first + MAX_COPIED // 10) + 1):
            start, end = selection.get_span(row) or (0, 0)
            line = self.lines.line(self.number(row))
            kept.append(line[start:] if end == -1 else line[start:end])
        return "\n".join(kept)[:MAX_COPIED], "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _pieces(self, row: int) -> list[Piece]:
        line = self.lines.line(self.number(row))
        if not self.wrap or cell_len(line) <= self.room.width:
            return [Piece(row, 0, line, line)]
        width, height = max(self.room.width, 2), max(self.room.height, 1)
        pieces: list[Piece] = []
        start = 0
        while start < len(line) and len(pieces) < height:
            pieces.append(Piece(row, start, _fitting(line[start : start + width + 1], width), line))
            start += len(pieces[-1].text)
        if start < len(line):
            pieces[-1] = pieces[-1]._replace(text=pieces[-1].text[:-1] + "…")
        return pieces

    def _place(self) -> list[Piece]:
        """What each line of the screen shows, from the top."""
        placed: list[Piece] = []
        height, count = self.room.height, self.row_count
        row = round(self.scroll_y)
        while len(placed) < height and row < count:
            placed += self._pieces(row)
            row += 1
        return placed[:height]

    def render_lines(self, crop: Region) -> list[Strip]:
        self._placed = self._place()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.room.width
        if y >= len(self._placed):
            if y == 0 and self._empty:
                return Strip([Segment(f" {self._empty}", base)]).adjust_cell_length(width, base)
            return Strip.blank(width, base)
        piece = self._placed[y]
        bad = self.number(piece.row) in self.lines.bad
        text = Text(piece.text, no_wrap=True, end="")
        text.stylize(self.get_component_rich_style("log-lines--bad") if bad else base)  # as its own it would be lost
        if self.search is not None:
            style = _CURRENT if self.number(piece.row) == self.current else _MATCH
            for match in self.search.finditer(piece.whole):
                text.stylize(style, max(match.start() - piece.start, 0), max(match.end() - piece.start, 0))
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(piece.row)) is not None:
            start, end = span[0] - piece.start, len(piece.text) if span[1] == -1 else span[1] - piece.start
            chosen = self.screen.get_component_rich_style("screen--selection")
            text.stylize(chosen, max(start, 0), max(end, 0))
        strip = Strip(text.render(self.app.console))
        if not self.wrap and strip.cell_length > self.column + width:
            strip = Strip([*strip.crop(self.column, self.column + width - 1), Segment("…", base)])
        elif not self.wrap:
            strip = strip.crop(self.column)
        # Where the mouse selects: characters of the row.
        skipped = piece.start if self.wrap else self.column
        return strip.extend_cell_length(width, base).apply_offsets(skipped, piece.row)


def _fitting(line: str, width: int) -> str:
    """As much of the line's beginning as fits in `width` cells; whole words, unless that left half of it empty."""
    part = chop_cells(line, width)[0]
    after_word = part.rfind(" ") + 1
    return part[:after_word] if len(part) < len(line) and after_word > len(part) // 2 else part
