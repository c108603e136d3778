"""The log of a stage, or of the whole build: what happened in words, and what its worker printed."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views import text
from fgbuild.views.lines import FileLines, Lines, Scan, TextLines, pattern
from fgbuild.views.tui import log_words
from fgbuild.views.tui.copying import copy
from fgbuild.views.tui.entry import SearchLine
from fgbuild.views.tui.log_lines import LogLines
from fgbuild.views.tui.log_source import Happenings, is_of_interest, output_of
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.view import BACK, NO_RUN, DetailView

POLL_SECONDS = 0.1
SLICE_SECONDS = 0.02
_EVENTS, _OUTPUT = "events", "output"
_SEARCH, _FILTER = "search", "filter"


class LogView(DetailView):
    NAME = "Log"
    KEYS: ClassVar[list[Binding]] = [
        Binding("escape", "clear", "Clear", tooltip="end the search, then the filter; with neither: go back"),
        Binding("slash", "ask('search')", "Search", key_display="/", tooltip="search; an empty one ends it"),
        Binding("n", "match(1)", "Next", tooltip="go to the next line that matches", show=False),
        Binding("N", "match(-1)", "Previous", tooltip="go to the one before", show=False),
        Binding(
            "ampersand", "ask('filter')", "Filter", key_display="&", tooltip="show only lines that match; empty: all"
        ),
        Binding("W", "wrap", "Wrap", tooltip="wrap long lines, or not"),
        Binding("tab", "other", "Output", key_display="Tab", tooltip="events in words, or what the worker printed"),
        Binding("left", "stage(-1)", "Stage before", key_display="←", tooltip="log of the stage before", show=False),
        Binding("right", "stage(1)", "Next stage", key_display="→", tooltip="log of the next stage that did something"),
        Binding("F,end", "follow", "Follow", key_display="F, End", tooltip="go to the end and follow what comes"),
        Binding("y", "copy", "Copy", tooltip="copy what the mouse selected, or what is on the screen"),
        Binding("Y", "copy_all", "Copy all", tooltip="copy every line (with a filter: that matches)", show=False),
        Binding("up", "scroll(-1)", "Up", key_display="↑", tooltip="scroll up; stops following", show=False),
        Binding("down", "scroll(1)", "Down", key_display="↓", tooltip="scroll down", show=False),
        Binding("pageup", "page(-1)", "Page up", key_display="PgUp", tooltip="a page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", key_display="PgDn", tooltip="a page down", show=False),
        Binding("home", "top", "Top", key_display="Home", tooltip="go to the first line", show=False),
        Binding("less_than_sign", "shift(-1)", "Left", key_display="<", tooltip="scroll long lines back", show=False),
        Binding("greater_than_sign", "shift(1)", "Right", key_display=">", tooltip="scroll them sideways", show=False),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS, BACK]
    CSS = """
    #log-heading { height: 1; color: $foreground-muted; }
    #log-status { height: 1; background: $panel; color: $foreground; }
    #log-input { height: 1; border: none; padding: 0 1; background: $boost; display: none; }
    #log-input.-asking { display: block; }
    """
    AUTO_FOCUS = "LogLines"

    def __init__(self) -> None:
        super().__init__()
        self._run: str | None = None
        self._generation = 0  # of the feed when the run was opened
        self._stage: str | None = None
        self._shown = _EVENTS
        self._events: Happenings | None = None
        self._output: FileLines | None = None
        self._words = {_SEARCH: "", _FILTER: ""}
        self._asked = _SEARCH
        self._search: Scan | None = None
        self._filter: Scan | None = None
        self._jump_from: int | None = None  # a search has begun there and has not arrived yet
        self._drawn: tuple[int, ...] = ()
        self._again = False
        self._said: dict[str, str] = {}

    def body(self) -> Iterable[Widget]:
        yield Static("", id="log-heading", markup=False)
        yield LogLines(id="log-lines")
        yield Static("", id="log-status", markup=False)
        yield SearchLine(id="log-input", compact=True)

    def on_mount(self) -> None:
        stage = self.dashboard.stage
        self._stage = stage.id if stage is not None else None
        self.set_interval(POLL_SECONDS, self._poll)

    def on_unmount(self) -> None:
        if self._output is not None:
            self._output.close()

    @property
    def _rows(self) -> LogLines:
        return self.query_one(LogLines)

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        feed = self.dashboard.feed
        known = snapshot.whole.stages
        gone = bool(known) and self._stage is not None and self._stage not in known
        if gone:
            self._stage = None
        if feed.generation != self._generation:
            self._generation = feed.generation
            self._show(anew=True)
        elif gone:
            self._show()
        self._say()

    # What is shown.

    def _show(self, *, anew: bool = False) -> None:
        """Show the lines of the stage and kind that were chosen, from their end. anew: read the log again."""
        if self._output is not None:
            self._output.close()
        root, run = self.dashboard.feed.root, self.dashboard.feed.run_of(self._stage) or None
        if anew or run != self._run:
            self._run, self._events = run, Happenings(root, run) if run is not None else None
        self._output = output_of(root, run, self._stage) if run is not None else None
        lines: Lines = self._output if self._shown == _OUTPUT and self._output is not None else TextLines()
        if self._shown == _EVENTS and self._events is not None:
            lines = self._events.of(self._stage)
        self._rows.wrap = self.dashboard.log_wraps[self._shown]
        self._rows.show(lines)
        self._look_for()
        self._poll()

    def _look_for(self) -> None:
        """Begin to search and filter the lines that are shown."""
        lines = self._rows.lines
        wanted, only = (pattern(words) if words else None for words in self._words.values())
        self._filter = Scan(lines, [only]) if only is not None else None
        self._search = Scan(lines, [wanted, *([only] if only is not None else [])]) if wanted is not None else None
        self._rows.search = wanted
        self._rows.current = None
        self._jump_from = None
        self._drawn = ()
        self._rows.set_filter(self._filter)

    def _poll(self) -> None:
        if not self._again:
            self._read()

    def _read(self) -> None:
        """Read, filter and search for one slice of time; come back soon where that was not enough."""
        rows, generation = self._rows, self._rows.lines.generation
        deadline = time.monotonic() + SLICE_SECONDS
        parts = (self._events, self._output, self._filter, self._search)
        more = [part.grow(deadline) for part in parts if part is not None]
        if rows.lines.generation != generation:
            rows.current = None
            self.dashboard.tell("The file was replaced or cut off; this is what it holds now.")
        now = (rows.lines.generation, rows.lines.size, rows.row_count)
        if now != self._drawn:
            self._drawn = now
            rows.grown()
        self._arrive()
        self._say()
        self._again = any(more)
        if self._again:
            self.set_timer(SLICE_SECONDS / 4, self._read)

    def _say(self) -> None:
        """What is shown, above the lines; how far one is and what is searched for, below."""
        snapshot, rows, events = self.dashboard.feed.snapshot(), self._rows, self._shown == _EVENTS
        stage = snapshot.whole.stages.get(self._stage or "")
        status = " ".join(snapshot.status(stage)) if stage is not None else ""
        self._put("#log-heading", log_words.heading(self._stage, status, self._output, events=events))
        rows.set_empty(self._nothing() if not rows.row_count else "")
        pieces = [
            self._output.problem if rows.row_count and not events and self._output is not None else "",
            log_words.place(rows),
            *log_words.searched(self._words[_SEARCH], self._search, rows.current),
            *log_words.filtered(self._words[_FILTER], self._filter, rows.lines.count),
        ]
        self._put("#log-status", " " + " · ".join(filter(None, pieces)))

    def _put(self, where: str, line: str) -> None:
        cropped = text.crop(line, self.size.width)
        if self._said.get(where) != cropped:  # each update lays out the screen anew
            self._said[where] = cropped
            self.query_one(where, Static).update(Content(cropped))

    def _nothing(self) -> str:
        """Why there is no line, and what to do."""
        if self._run is None:
            return NO_RUN
        if self._again:
            return "Reading…"
        if self._filter is not None and self._rows.lines.count:
            return "No line matches; press & and Enter without words to see all."
        return log_words.nothing(self._stage, self._output, events=self._shown == _EVENTS)

    # Keys.

    def action_other(self) -> None:
        self._shown = _OUTPUT if self._shown == _EVENTS else _EVENTS
        self._show()

    def action_stage(self, step: int) -> None:
        """The log of the stage before or after that did something in this run; before the first is the build's."""
        feed = self.dashboard.feed
        did = [
            name
            for name, stage in feed.whole.stages.items()
            if name == self._stage or (name in feed.state.stages and is_of_interest(stage))
        ]
        places: list[str | None] = [None, *did]
        # Of a run that has only begun no stage is known yet.
        place = (places.index(self._stage) if self._stage in places else 0) + step
        if not 0 <= place < len(places):
            self.dashboard.tell("This is the first log." if step < 0 else "This is the last stage that did something.")
            return
        self._stage = self.dashboard.selected = places[place]
        self._show()

    def action_ask(self, what: str) -> None:
        self._asked = what
        asked = self.query_one(SearchLine)
        asked.placeholder = "search for" if what == _SEARCH else "show only lines with"
        asked.add_class("-asking")
        asked.ask(self._words[what])

    def action_leave_entry(self) -> None:
        self.query_one(SearchLine).remove_class("-asking")
        self.set_focus(self._rows)

    def action_take_entry(self) -> None:
        self.action_leave_entry()
        words = self.query_one(SearchLine).value
        sight = self._rows.rows_in_sight
        top = self._rows.number(sight[0]) if sight else 0
        self._take(self._asked, words)
        if self._asked == _SEARCH and words:
            self._jump_from = top
        self._poll()

    def _take(self, what: str, words: str) -> None:
        self._words[what] = words
        self._look_for()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing is searched for and all is shown, escape goes back."""
        return any(self._words.values()) if action == "clear" else super().check_action(action, parameters)

    def action_clear(self) -> None:
        self._take(_SEARCH if self._words[_SEARCH] else _FILTER, "")
        self._poll()

    def _arrive(self) -> None:
        """Go to the first match from where the search began, or else to the last one before."""
        if self._jump_from is None or self._search is None:
            return
        found = self._search.found
        place = bisect_left(found, self._jump_from)
        if place == len(found) and not self._search.current:
            return
        self._jump_from = None
        if found:
            self._rows.reveal(found[min(place, len(found) - 1)])
        else:
            self.dashboard.tell("No line matches.", "warning")

    def action_match(self, step: int) -> None:
        """To the next match from the current one, or from what is in sight; past the last comes the first."""
        if self._search is None:
            self.dashboard.tell("Press / and type what to search for first.")
            return
        found, rows = self._search.found, self._rows
        if not found:
            self.dashboard.tell("No line matches." if self._search.current else "Still searching.", "warning")
            return
        if rows.current is not None:
            place = bisect_left(found, rows.current) + step
        else:
            sight = rows.rows_in_sight
            place = bisect_left(found, rows.number(sight[0]) if sight else 0) - (step < 0)
        if not 0 <= place < len(found):
            self.dashboard.tell("Went on from the first match." if step > 0 else "Went on from the last match.")
        rows.reveal(found[place % len(found)])
        self._say()

    def action_copy(self) -> None:
        chosen = self.get_selected_text()
        if chosen:
            self._copy(chosen, chosen.count("\n") + 1)
        else:
            self._copy(*self._rows.text_of(self._rows.rows_in_sight))

    def action_copy_all(self) -> None:
        self._copy(*self._rows.text_of(range(self._rows.row_count)), of=self._rows.row_count)

    def _copy(self, lines: str, count: int, of: int = 0) -> None:
        if not count:
            self.dashboard.tell("There is no line to copy.", "warning")
            return
        last = f"the last {count:,} of {of:,} lines (a terminal takes no more at once)"
        copy(self.dashboard, lines, last if count < of else log_words.lines(count))

    def action_follow(self) -> None:
        self._rows.follow()

    def action_top(self) -> None:
        self._rows.scroll_rows(-self._rows.row_count)

    def action_scroll(self, rows: int) -> None:
        self._rows.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        self._rows.scroll_rows(pages * max(self._rows.room.height - 1, 1))

    def action_shift(self, steps: int) -> None:
        if self._rows.wrap:
            self.dashboard.tell("Lines are wrapped; W ends that.")
        self._rows.shift(steps * max(self.size.width // 2, 1))

    def action_wrap(self) -> None:
        wrap = self.dashboard.log_wraps[self._shown] = not self._rows.wrap
        self._rows.set_wrap(wrap)
        self._say()

    def on_log_lines_moved(self) -> None:
        self._say()
