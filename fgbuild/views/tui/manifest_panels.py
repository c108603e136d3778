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

_SHOWN = 5


class Line(Static):
    """Words that are never read as markup; they begin with ✗ where something is wrong, with ✓ where nothing is."""

    def __init__(self, words: str, *, id: str) -> None:
        super().__init__(words, id=id, markup=False)

    def show(self, words: str) -> None:
        colour = {"✗": "$text-error", "✓": GOOD}.get(words[:1], "")
        self.update(Content.styled(clean(words, 600), colour) if colour else Content(clean(words, 600)))


class Problems(Static):
    """A few of the problems, around the one that was gone to last; a click goes to a line."""

    @dataclass
    class Chosen(Message):
        """A problem was clicked. row: of its line, from 0."""

        row: int

    def __init__(self, *, id: str) -> None:
        super().__init__("", id=id, markup=False)
        self._problems: Sequence[Problem] = ()
        self._first = 0
        self._pointed: int | None = None

    def on_mount(self) -> None:
        self._update()

    def show(self, problems: Sequence[Problem]) -> None:
        self._problems, self._first, self._pointed = problems, 0, None
        self._update()

    def point_at(self, line: int) -> None:
        """Show the first problem of that line (from 1) as the one that was gone to."""
        self._pointed = next((i for i, item in enumerate(self._problems) if item.line == line and not item.path), None)
        self._first = min(self._pointed or 0, max(len(self._problems) - _SHOWN, 0))
        self._update()

    def _update(self) -> None:
        self.display = bool(self._problems)
        rows = []
        for index, problem in list(enumerate(self._problems))[self._first : self._first + _SHOWN]:
            mark = "→" if index == self._pointed else "✗"
            row = Content(f"{mark} {problem_words(problem)}").truncate(max(self.app.size.width - 2, 10), ellipsis=True)
            rows.append(row.stylize("bold" if index == self._pointed else ""))
        more = len(self._problems) - _SHOWN
        if more > 0:
            first = self._first + 1
            rows.append(Content(f"{first}–{first + _SHOWN - 1} of {len(self._problems)}"))
        self.update(Content("\n").join(rows))

    def on_resize(self) -> None:
        self._update()

    def on_click(self, event: Click) -> None:
        index = self._first + event.y
        if event.y < _SHOWN and index < len(self._problems):
            problem = self._problems[index]
            if problem.line and not problem.path:
                self.post_message(self.Chosen(problem.line - 1))


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
