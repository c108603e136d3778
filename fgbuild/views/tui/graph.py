"""The stages of the run as a graph: what each waits for, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from fgbuild.views import dependencies, describe, text
from fgbuild.views.dependencies import Row
from fgbuild.views.records import RUNNING, StageState
from fgbuild.views.tui.listing import Listing
from fgbuild.views.tui.snapshot import Snapshot, colour
from fgbuild.views.tui.styles import MUTED
from fgbuild.views.tui.view import DetailView
from fgbuild.views.tui.widgets import Panel, Part

_KIND_CELLS, _STATUS_CELLS = 12, 24
EMPTY = "This run has no stages yet. Press Esc, then B to build every domain."


class GraphPanel(Listing):
    """choice: id of the stage that is highlighted."""

    choice = ""

    def rows_of(self, snapshot: Snapshot) -> list[Row]:
        return dependencies.rows(snapshot.whole)

    def chosen_row(self, snapshot: Snapshot) -> int | None:
        rows = self.rows_of(snapshot)
        return next((index for index, row in enumerate(rows) if row.stage and row.stage.id == self.choice), None)

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        rows = self.rows_of(snapshot)
        parts: list[Part] = []
        for row in self.window(rows, self.chosen_row(snapshot), height):
            parts += [*self._row(snapshot, row, width), "\n"]
        return parts or [(EMPTY, MUTED)]

    def _row(self, snapshot: Snapshot, row: Row, width: int) -> list[Part]:
        lanes = text.crop(f" {row.lanes}", max(width - _KIND_CELLS - _STATUS_CELLS, 1))
        if row.stage is None:
            return [(lanes, MUTED), (text.crop(f" {row.domain}", width - text.cell_width(lanes)), "bold")]
        stage, chosen = row.stage, row.stage.id == self.choice
        name = ("▸" if chosen else " ") + text.pad(stage.kind, _KIND_CELLS - 1) + " "
        status = text.pad(snapshot.cell(stage, _STATUS_CELLS - 1), _STATUS_CELLS)
        room = width - text.cell_width(lanes + name + status)
        more = text.crop(_more(stage), room) if room > 12 else ""
        marked = " reverse" if chosen else ""
        shown = colour(stage, snapshot.status(stage)[0])
        return [(lanes, MUTED), (name, f"bold{marked}"), (text.crop(status, width), shown + marked), (more, MUTED)]


def _more(stage: StageState) -> str:
    if stage.status == RUNNING:
        return text.joined([describe.progress(stage), *describe.metrics(stage)], " · ", 60)
    why = describe.because(stage.reasons, 2)
    return f"because {why}" if why else ""


class Neighbours(Panel):
    """One line on the chosen stage: what it waits for and what waits for it."""

    choice = ""

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        edges = dependencies.upstream(snapshot.whole)
        if self.choice not in edges:
            return [(text.crop(" ↑ and ↓ choose a stage; ├ reads the line, │ passes it by", width), MUTED)]
        above = ", ".join(edges[self.choice]) or "nothing"
        below = ", ".join(name for name, ups in edges.items() if self.choice in ups) or "nothing"
        line = f" {self.choice} waits for {above}; for it {'waits' if below == 'nothing' else 'wait'} {below}"
        return [(text.crop(line, width), MUTED)]


class GraphView(DetailView):
    NAME = "Graph"
    KEYS: ClassVar[list[Binding]] = [
        Binding("up", "move(-1)", "Up", show=False, tooltip="choose the stage above"),
        Binding("down", "move(1)", "Down", show=False, tooltip="choose the stage below"),
        Binding("left", "sideways(-1)", "Domain", show=False, tooltip="choose the same stage of the domain before"),
        Binding("right", "sideways(1)", "Domain", show=False, tooltip="choose the same stage of the next domain"),
        Binding("enter", "log", "Open log", tooltip="open the log of the chosen stage"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    GraphView #graph { height: 1fr; width: 100%; }
    GraphView #neighbours { height: 1; width: 100%; background: $boost; }
    """

    def body(self) -> Iterable[Widget]:
        yield GraphPanel(id="graph")
        yield Neighbours(id="neighbours")

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        stage = self.dashboard.stage
        for panel in (self.query_one(GraphPanel), self.query_one(Neighbours)):
            panel.choice = stage.id if stage is not None else ""
            panel.show(snapshot)

    def on_listing_moved(self, message: Listing.Moved) -> None:
        self.action_move(message.by)

    def action_move(self, by: int) -> None:
        """Choose the stage that many rows below."""
        snapshot = self.dashboard.feed.snapshot()
        stages = [row.stage.id for row in dependencies.rows(snapshot.whole) if row.stage is not None]
        if not stages:
            return
        chosen = self.dashboard.stage
        place = stages.index(chosen.id) + by if chosen is not None and chosen.id in stages else 0
        self._choose(stages[min(max(place, 0), len(stages) - 1)])

    def action_sideways(self, by: int) -> None:
        """Choose the stage of the same kind of the next domain, round about."""
        stage, state = self.dashboard.stage, self.dashboard.feed.whole
        if stage is None:
            self.action_move(0)
            return
        same = [one.id for one in state.stages.values() if one.kind == stage.kind and bool(one.domain)]
        if stage.id in same:
            self._choose(same[(same.index(stage.id) + by) % len(same)])

    def action_log(self) -> None:
        self.dashboard.action_open("log")

    def _choose(self, stage: str) -> None:
        self.dashboard.choose(stage)
