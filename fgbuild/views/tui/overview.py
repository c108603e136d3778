"""The first screen: every stage of every domain, what runs, loss, models, notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views.tui.loss_chart import LossChart
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.view import View
from fgbuild.views.tui.widgets import ModelsPanel, NotesPanel, Panel, RunningPanel, StageGrid

EMPTY = (
    "No build has run here yet.\n\n"
    "Press B to build every domain, or run `fgbuild build` in another terminal: it appears here."
)


class Overview(View):
    NAME = "Overview"
    KEYS: ClassVar[list[Binding]] = [
        Binding("n", "next_chart", "Next chart", tooltip="show the loss of the next domain"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def body(self) -> Iterable[Widget]:
        yield Static(EMPTY, id="empty", markup=False)
        with Vertical(id="dashboard"):
            yield VerticalScroll(StageGrid(id="grid"), id="grid-scroll")
            yield RunningPanel(id="running")
            with Horizontal(id="middle"):
                yield LossChart(id="chart")
                yield VerticalScroll(ModelsPanel(id="models"), id="models-scroll")
            yield NotesPanel(id="notes")

    def on_mount(self) -> None:
        for name, title in (("#chart", "Loss"), ("#models-scroll", "Models"), ("#notes", "Notes")):
            self.query_one(name).border_title = title
        super().on_mount()

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        empty = not snapshot.state.run
        self.query_one("#empty").display = empty
        self.query_one("#dashboard").display = not empty
        if not empty:
            for panel in self.query_one("#dashboard").query(Panel):
                panel.show(snapshot)
            self.query_one(NotesPanel).show(snapshot)

    def action_next_chart(self) -> None:
        """Show the next training stage's loss."""
        chart, snapshot = self.query_one(LossChart), self.dashboard.feed.snapshot()
        stages = [stage.id for stage in chart.candidates(snapshot)]
        current = chart.chosen(snapshot)
        if current is not None:
            chart.choice = stages[(stages.index(current.id) + 1) % len(stages)]
            chart.show(snapshot)
