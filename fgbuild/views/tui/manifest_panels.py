"""What lies below and over the manifest's text: lines of words, the list of problems, the list of fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from fgbuild.views.text import clean
from fgbuild.views.tui.desk import Field, Problem
from fgbuild.views.tui.dialog import Dialog
from fgbuild.views.tui.manifest_text import kind_words, problem_words
from fgbuild.views.tui.styles import GOOD
from fgbuild.views.tui.widgets import wrapped

_SHOWN = 5
"""Problems that are shown at once, if they have room."""
_ROWS = 6
_WHOLE = 8
"""Lines of the problem that was gone to: no problem has more, from 78 cells on."""
_LAST = 1 << 60


class Line(Static):
    """Words that are never read as markup; they begin with ✗ where something is wrong, with ✓ where nothing is.

    most: lines that they may take.
    """

    def __init__(self, words: str, *, id: str, most: int = 1) -> None:
        super().__init__(words, id=id, markup=False)
        self._most = most
        self._words = words

    def show(self, words: str) -> None:
        self._words = words
        colour = {"✗": "$text-error", "✓": GOOD}.get(words[:1], "")
        lines = wrapped(Content(clean(words, 600)), _width(self), self._most)
        self.update(Content("\n").join(line.stylize(colour) if colour else line for line in lines))

    def on_resize(self) -> None:
        self.show(self._words)


class Problems(Static):
    """A few of the problems, around the one that was gone to last, which is shown whole; a click goes to one."""

    @dataclass
    class Chosen(Message):
        """A problem was clicked. row: of its line, from 0."""

        row: int

    def __init__(self, *, id: str) -> None:
        super().__init__("", id=id, markup=False)
        self._problems: Sequence[Problem] = ()
        self._pointed: int | None = None
        self._shown: list[int] = []
        """Of each line that is shown, its problem."""

    def on_mount(self) -> None:
        self._update()

    def show(self, problems: Sequence[Problem]) -> None:
        self._problems, self._pointed = problems, None
        self._update()

    def go_on(self, row: int) -> int | None:
        """Point at the next problem below a line (from 0): after the last line those that have none, then the first.
        The line that it is in; None where it has none."""
        if not self._problems:
            return None
        rows = [problem.line - 1 if problem.line and not problem.path else None for problem in self._problems]
        order = sorted(range(len(rows)), key=lambda index: (_LAST if (at := rows[index]) is None else at, index))
        pointed = self._pointed
        if pointed is not None and rows[pointed] in (row, None):
            place = order.index(pointed) + 1
        else:
            place = next((n for n, index in enumerate(order) if (at := rows[index]) is None or at > row), 0)
        self._pointed = order[place % len(order)]
        self._update()
        return rows[self._pointed]

    def _window(self, width: int) -> tuple[int, list[tuple[int, Content]]]:
        """How many problems have room, and their lines."""
        first = min(self._pointed or 0, max(len(self._problems) - _SHOWN, 0))
        while True:
            count, rows = 0, list[tuple[int, Content]]()
            for index in range(first, min(first + _SHOWN, len(self._problems))):
                lines = self._lines(index, width)
                if rows and len(rows) + len(lines) > _ROWS:
                    break
                count += 1
                rows += [(index, line) for line in lines]
            if self._pointed is None or self._pointed < first + count:
                return count, rows
            first += 1

    def _lines(self, index: int, width: int) -> list[Content]:
        pointed = index == self._pointed
        row = Content(f"{'→' if pointed else '✗'} {problem_words(self._problems[index])}")
        return wrapped(row.stylize("bold" if pointed else ""), width, _WHOLE if pointed else 3)

    def _update(self) -> None:
        self.display = bool(self._problems)
        count, rows = self._window(_width(self))
        self._shown = [index for index, _ in rows]
        lines = [line for _, line in rows]
        if count < len(self._problems):
            first = self._shown[0] + 1
            which = f"{first}–{first + count - 1}" if count > 1 else str(first)
            lines.append(Content(f"{which} of {len(self._problems)}"))
        self.update(Content("\n").join(lines))

    def on_resize(self) -> None:
        self._update()

    def on_click(self, event: Click) -> None:
        if event.y >= len(self._shown):
            return
        self._pointed = self._shown[event.y]
        self._update()
        problem = self._problems[self._pointed]
        if problem.line and not problem.path:
            self.post_message(self.Chosen(problem.line - 1))


def _width(widget: Static) -> int:
    """Cells between the paddings."""
    return max(widget.app.size.width - 2, 10)


class FieldsScreen(Dialog[None]):
    """The fields of a table, each with its type, default and what it is; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,ctrl+o", "dismiss", "Close")]
    DEFAULT_CSS = "FieldsScreen > .box { width: 76; }"

    def __init__(self, fields: Sequence[tuple[str, Field]]) -> None:
        super().__init__()
        self._fields = fields

    def compose(self) -> ComposeResult:
        parts: list[str | tuple[str, str]] = []
        for name, field in self._fields:
            parts += [(clean(name), "bold"), clean(f"  {kind_words(field)}"), "\n"]
            parts += [clean(f"  {field.description}"), "\n"]
        if not parts:
            parts = ["The fields here are yours to name."]
        with VerticalScroll(classes="box"):
            yield Static(Content.assemble(*parts), markup=False)
