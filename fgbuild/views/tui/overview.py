"""The first screen: every stage of every domain, what runs, loss, models, notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views.tui.grid import MOVES, ChosenPanel, StageGrid, StandingPanel
from fgbuild.views.tui.loss_chart import LossChart
from fgbuild.views.tui.meters import Meter, MetersPanel, Reading
from fgbuild.views.tui.notes import NotesPanel
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.threads import ask
from fgbuild.views.tui.view import View
from fgbuild.views.tui.widgets import ModelsPanel, Panel, RunningPanel

METER_SECONDS = 2.0
EMPTY = (
    "No build has run here yet.\n\n"
    "Press B to build every domain, or run `fgbuild build` in another terminal: it appears here."
)


class Overview(View):
    NAME = "Overview"
    AUTO_FOCUS = "#grid"
    KEYS: ClassVar[list[Binding]] = [
        Binding("n", "next_chart", "Next chart", show=False, tooltip="show the loss of the next domain"),
        *MOVES,
        Binding("tab", "app.focus_next", "Panel", False, "Tab", tooltip="models, notes (↑ ↓ scroll), stages"),
        Binding("escape", "to_grid", "Stages", show=False, tooltip="back to the stages"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def body(self) -> Iterable[Widget]:
        yield Static(EMPTY, id="empty", markup=False)
        with Vertical(id="dashboard"):
            yield VerticalScroll(StageGrid(id="grid"), id="grid-scroll", can_focus=False)
            yield ChosenPanel(id="chosen")
            yield RunningPanel(id="running")
            yield StandingPanel(id="standing")
            yield MetersPanel(id="meters")
            with Horizontal(id="middle"):
                yield LossChart(id="chart")
                yield VerticalScroll(ModelsPanel(id="models"), id="models-scroll")
            yield NotesPanel(id="notes")

    def on_mount(self) -> None:
        self.query_one("#models-scroll").border_title = "Models"
        self._meter = Meter()
        self._measuring = False
        self._measure()
        self.set_interval(METER_SECONDS, self._measure)

    def _measure(self) -> None:
        """Read the machine while a build runs; otherwise nobody needs to know, and an idle dashboard stays idle."""
        if not self.app.is_running:
            return
        feed, panel = self.dashboard.feed, self.query_one(MetersPanel)
        panel.display = feed.going
        if feed.going and not self._measuring:
            self._measuring = True
            pid = feed.state.pid
            ask(self, lambda _: self._meter.read(pid), self._measured, lambda _: self._measured(None), group="meter")

    def _measured(self, reading: Reading | None) -> None:
        """Show the reading; None: it could not be taken, which is no reason to hide the last one."""
        self._measuring = False
        panel = self.query_one(MetersPanel)
        panel.reading = reading or panel.reading
        panel.show(self.dashboard.feed.snapshot())

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        empty = not snapshot.state.run
        self.query_one("#empty").display = empty
        self.query_one("#dashboard").display = not empty
        if not empty:
            for panel in self.query_one("#dashboard").query(Panel):
                panel.show(snapshot)
            self.query_one(NotesPanel).show(snapshot)
            if self.focused is None:  # there was nothing to focus before the first run
                self.action_to_grid()

    def on_screen_resume(self) -> None:
        """Coming back, one goes on where one chose."""
        self.action_to_grid()

    def action_to_grid(self) -> None:
        """Give the keys back to the stages."""
        self.query_one(StageGrid).focus()

    def action_move(self, down: int, right: int) -> None:
        """Choose a neighbour of the chosen stage."""
        self.action_to_grid()
        self.query_one(StageGrid).action_move(down, right)

    def action_automatic(self) -> None:
        """Let choice and chart go with what runs."""
        self.query_one(LossChart).choice = None
        self.dashboard.choose(None)

    def action_next_chart(self) -> None:
        """Show the next training stage's loss."""
        chart, snapshot = self.query_one(LossChart), self.dashboard.feed.snapshot()
        stages = [stage.id for stage in chart.candidates(snapshot)]
        current = chart.chosen(snapshot)
        if current is not None and len(stages) > 1:
            chart.choice = stages[(stages.index(current.id) + 1) % len(stages)]
            chart.show(snapshot)
