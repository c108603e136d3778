"""The newest notes of the stages, and what went wrong, each from its beginning."""

from __future__ import annotations

import re
import time
from functools import lru_cache

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from fgbuild.views import describe, text
from fgbuild.views.records import FAILED, MAX_NOTES, StageState
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import BAD, MUTED
from fgbuild.views.tui.widgets import wrapped

_TITLE = "Notes"
_MOST_LINES = 3
_MAX_NOTE = 500
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<start>(?:(?!(?P=quote)).){40})(?:(?!(?P=quote)).){20,}(?P=quote)""")
"""What a check quotes may be a whole answer of a model."""


class NotesPanel(VerticalScroll):
    """Each note in at most three lines, or as many as the panel has. Follows the end until one scrolls up."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines = Static("", markup=False)
        self._snapshot: Snapshot | None = None
        self._drawn: object = None

    def on_mount(self) -> None:
        self.border_title = _TITLE
        self.anchor()

    def compose(self):  # type: ignore[no-untyped-def]
        yield self._lines

    def on_resize(self) -> None:
        if self._snapshot is not None:
            self.show(self._snapshot)

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        entries = [*_noted(snapshot), *_wrong(snapshot)] or [(" No notes yet.", MUTED, "", "")]
        width = max(self.content_size.width - 1, 1)  # the bar at its side comes and goes
        most = min(max(self.content_size.height, 1), _MOST_LINES)
        if (entries, width, most) != self._drawn:
            self._drawn = entries, width, most
            shown = [_shown(*entry, width, most) for entry in entries]
            cut = any(each.plain.endswith("…") for each in shown)
            self.border_title = f"{_TITLE} · what ends in … is whole in the log (l)" if cut else _TITLE
            self._lines.update(Content("\n").join(shown))


Entry = tuple[str, str, str, str]
"""What stands in front, its style; the words, their style."""


def _noted(snapshot: Snapshot) -> list[Entry]:
    entries = []
    for note in snapshot.state.notes:
        moment = time.strftime("%H:%M:%S", time.localtime(note.time)) if note.time is not None else ""
        entries.append((f" {moment} {note.stage}  ", MUTED, note.text, ""))
    return entries


def _wrong(snapshot: Snapshot) -> list[Entry]:
    return [(" ✗ ", BAD, line, BAD) for stage in snapshot.state.stages.values() for line in _problems(stage)]


@lru_cache(maxsize=2 * MAX_NOTES)
def _shown(start: str, start_style: str, words: str, style: str, width: int, most: int) -> Content:
    """An entry in at most that many lines, … where it was cut; kept, because most of them stay from frame to frame."""
    content = Content.assemble((start, start_style), (text.crop(words, _MAX_NOTE), style))
    return Content("\n").join(line.rstrip() for line in wrapped(content, width, most))


def _problems(stage: StageState) -> list[str]:
    lines = [f"{stage.id}  {_unquoted(line)}" for line in describe.missed(stage)]
    if stage.status == FAILED:
        log = f" (log: {stage.log})" if stage.log else ""
        message = " ".join(stage.message[:_MAX_NOTE].split())
        lines.append(f"{stage.id}  {message or 'failed'}{log}")
    return lines


def _unquoted(missed: str) -> str:
    """A check with what its reason quotes cut short, so that the reason itself has room."""
    return _QUOTED.sub(r"\g<quote>\g<start>…\g<quote>", missed)
