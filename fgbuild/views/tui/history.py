"""Past runs: what each came to; the way to look at one again, or to compare two."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from fgbuild.views import runs, text
from fgbuild.views.runs import RunSummary
from fgbuild.views.tui.listing import Listing
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import ACTIVE, BAD, GOOD, HEADING, MUTED, WARNING
from fgbuild.views.tui.threads import Unwanted, ask
from fgbuild.views.tui.view import NO_RUN, DetailView
from fgbuild.views.tui.widgets import Panel, Part

REFRESH_SECONDS = 2.0

_STYLES = {"✓": GOOD, "✗": BAD, "●": ACTIVE, "■": WARNING}
_WIDE = 110
"""Cells from which on there is room for all columns and their whole names."""
_WIDE_COUNT_CELLS = 21
_ID_CELLS, _OUTCOME_CELLS, _TIME_CELLS, _COUNT_CELLS, _BASE_CELLS = 24, 16, 8, 15, 18


class RunTable(Listing):
    """ids: newest first. found: run → its summary, where it has been read. marked: at most two runs."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.ids: list[str] = []
        self.found: dict[str, RunSummary] = {}
        self.chosen = ""
        self.marked: list[str] = []

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        if not self.ids:
            return [(NO_RUN, MUTED)]
        counts = "ran/restored/failed" if width >= _WIDE else "ran/rest/fail"
        head = _cells(("  run", "how it ended", "took", counts, "right tools", "base", "command"), width)
        parts: list[Part] = [("".join(head), f"{HEADING} underline"), "\n"]
        place = self.ids.index(self.chosen) if self.chosen in self.ids else None
        for run in self.window(self.ids, place, height - 1):
            parts += [*self._row(run, run == snapshot.state.run, width), "\n"]
        return parts

    def _row(self, run: str, shown: bool, width: int) -> list[Part]:
        summary = self.found.get(run)
        mark = f"{'▸' if run == self.chosen else ' '}{'*' if run in self.marked else ' '}"
        fields = (f"{mark}{text.clean(run, 60)}", *(_fields(summary) if summary else ("reading …", *[""] * 5)))
        cells = _cells(fields, width)
        marked = " reverse" if run == self.chosen else ""
        style = _STYLES.get(summary.outcome[0], "") if summary else MUTED
        return [
            (cells[0], f"{'bold' if shown else ''}{marked}".strip()),
            (cells[1], style + marked),
            ("".join(cells[2:]), marked.strip()),
        ]


def _fields(summary: RunSummary) -> tuple[str, ...]:
    took = text.seconds(summary.seconds) if summary.seconds is not None else "–"
    counts = f"{summary.ran}/{summary.cached}/{summary.failed}" if summary.exit_code is not None else "–"
    variant = " ".join(filter(None, (summary.base, summary.profile)))
    return " ".join(summary.outcome), took, counts, _scores(summary) or "–", variant, summary.command


def _counts(summary: RunSummary) -> str:
    """What the column of counts means; "" where the run has no end."""
    if summary.exit_code is None:
        return ""
    return f"{summary.ran} ran, {summary.cached} restored from the store, {summary.failed} failed"


def _scores(summary: RunSummary) -> str:
    return " ".join(f"{domain} {share:.0%}" for domain, share in summary.scores.items())


def _cells(fields: tuple[str, ...], width: int) -> list[str]:
    """The columns that fit: base and command where the terminal is wide."""
    count = _WIDE_COUNT_CELLS if width >= _WIDE else _COUNT_CELLS
    score = max(width - _ID_CELLS - _OUTCOME_CELLS - _TIME_CELLS - count, 0)
    widths = [_ID_CELLS, _OUTCOME_CELLS, _TIME_CELLS, count, score]
    if width >= _WIDE:
        rest = max(score - _BASE_CELLS, 0)
        widths[-1:] = [rest // 2, _BASE_CELLS, rest - rest // 2]
    return [text.pad(text.crop(field, cells - 1) if cells else "", cells) for field, cells in zip(fields, widths)]


class RunDetails(Panel):
    """What there is to say of the run under the cursor that its row has no room for."""

    summary: RunSummary | None = None

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        summary = self.summary
        if summary is None:
            return [("", MUTED)]
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.started_at)) if summary.started_at else "?"
        lines = [
            text.joined(
                [f"began {began}"]
                + [f"{name} {value}" for name in ("base", "profile") if (value := getattr(summary, name))],
                "  ",
                width,
            ),
            summary.command,
            text.joined([_counts(summary), f"right tools: {_scores(summary) or 'no evaluation ran'}"], " · ", width),
        ]
        return [("\n".join(text.crop(f" {line}", width) for line in lines), "")]


class RunsView(DetailView):
    NAME = "Past runs"
    KEYS: ClassVar[list[Binding]] = [
        Binding("up", "move(-1)", "Up", show=False, tooltip="go to the later run"),
        Binding("down", "move(1)", "Down", show=False, tooltip="go to the earlier run"),
        Binding("pageup", "move(-10)", "Page up", show=False, tooltip="ten runs up"),
        Binding("pagedown", "move(10)", "Page down", show=False, tooltip="ten runs down"),
        Binding("enter", "show", "Show", tooltip="show this run on the overview"),
        Binding("space", "mark", "Mark", tooltip="mark or unmark this run, two at most"),
        Binding("c", "compare", "Compare", tooltip="compare the two marked runs, or the marked one with this one"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    RunsView #runs { height: 1fr; width: 100%; }
    RunsView #run-details { height: 3; width: 100%; background: $boost; }
    """

    class Learnt(Message):
        """ids: of all runs, newest first. found: summaries that have been read since the last such message."""

        def __init__(self, ids: Sequence[str], found: Mapping[str, RunSummary]) -> None:
            super().__init__()
            self.ids = list(ids)
            self.found = found

    _reading: Worker[None] | None = None

    def body(self) -> Iterable[Widget]:
        yield RunTable(id="runs")
        yield RunDetails(id="run-details")

    def on_mount(self) -> None:
        self._read()
        self.set_interval(REFRESH_SECONDS, self._read)

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        table, details = self.query_one(RunTable), self.query_one(RunDetails)
        table.show(snapshot)
        details.summary = table.found.get(table.chosen)
        details.show(snapshot)

    def _read(self) -> None:
        """Look for runs and read their summaries, unless that is under way."""
        if self._reading is None or self._reading.is_finished:
            root = self.dashboard.desk.root
            self._reading = ask(
                self,
                lambda unwanted: self._summaries(root, unwanted),
                lambda _: None,  # it has posted what it read
                lambda problem: self.dashboard.tell(problem, "error"),
                group="summaries",
            )

    def _summaries(self, root: Path, unwanted: Unwanted) -> None:
        """In a thread: the ids first, then summary by summary, the newest first."""
        ids = runs.run_ids(root)[::-1]
        found: dict[str, RunSummary] = {}
        self.post_message(self.Learnt(ids, found))
        told = time.monotonic()
        for run in ids:
            if unwanted():
                return
            found[run] = runs.summarise(root, run)
            if time.monotonic() - told > 0.1:
                self.post_message(self.Learnt(ids, found))
                found, told = {}, time.monotonic()
        self.post_message(self.Learnt(ids, found))

    def on_runs_view_learnt(self, event: Learnt) -> None:
        table = self.query_one(RunTable)
        table.ids = event.ids
        table.found.update(event.found)
        if table.chosen not in table.ids:
            current = self.dashboard.feed.run
            table.chosen = current if current in table.ids else next(iter(table.ids), "")
        self.draw(self.dashboard.feed.snapshot())

    def on_listing_moved(self, message: Listing.Moved) -> None:
        self.action_move(message.by)

    def action_move(self, by: int) -> None:
        """Go that many runs down."""
        table = self.query_one(RunTable)
        if table.ids:
            table.chosen = table.ids[min(max(table.ids.index(table.chosen) + by, 0), len(table.ids) - 1)]
            self.draw(self.dashboard.feed.snapshot())

    def action_show(self) -> None:
        """Show the run on the overview; the latest one is followed by those that come after it."""
        table = self.query_one(RunTable)
        if table.chosen:
            self.dashboard.show_run(table.chosen, follow=table.chosen == table.ids[0])
            self.dashboard.close_view(self)

    def action_mark(self) -> None:
        """Mark or unmark the run; a third mark takes the place of the older one."""
        table = self.query_one(RunTable)
        if table.chosen in table.marked:
            table.marked.remove(table.chosen)
        elif table.chosen:
            table.marked = [*table.marked[-1:], table.chosen]
        self.draw(self.dashboard.feed.snapshot())

    def action_compare(self) -> None:
        """Compare the marked runs, or the marked one with the one under the cursor, the earlier one first."""
        from fgbuild.views.tui.compare import CompareView

        table = self.query_one(RunTable)
        pair = list(dict.fromkeys([*table.marked, table.chosen]))[:2]
        if len(pair) < 2:
            self.dashboard.tell("Mark a run with space, go to another one, and press c.", "warning")
            return
        self.app.push_screen(CompareView(*sorted(pair)))
