"""The dashboard: attaches to a run's event log and draws what it adds up to.

It reads the log and starts builds in sessions of their own, nothing else: several can watch one
build, and closing one stops nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Static

from fgbuild.events import EventReader
from fgbuild.views import runs
from fgbuild.views.state import BuildState, apply
from fgbuild.views.text import clean
from fgbuild.views.tui import launch
from fgbuild.views.tui.help import HelpScreen
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.widgets import (
    LossChart,
    ModelsPanel,
    NotesPanel,
    RunningPanel,
    StageGrid,
    TitleBar,
)

POLL_SECONDS = 0.15
CLOCK_SECONDS = 1.0
# A long log is folded in slices, so that keys are answered while it loads.
READ_SECONDS = 0.08
READ_EVENTS = 2_000
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
EMPTY = (
    "No build has run here yet.\n\n"
    "Press b to build every domain, or run `fgbuild build` in another terminal: it appears here."
)


class DashboardApp(App[None]):
    """Shows `run`, or where None follows the latest run of the project at `root`."""

    CSS_PATH = "app.tcss"
    TITLE = "fgbuild"
    KEYS: ClassVar[list[Binding]] = [
        Binding("b", "build", "Build all", tooltip="build every domain that is not up to date"),
        Binding("r", "reload", "Latest run", tooltip="go to the latest run and read it again"),
        Binding("d", "next_chart", "Next chart", tooltip="show the loss of the next domain"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="show or close this help"),
        Binding("q", "quit", "Quit", tooltip="close the dashboard; a build goes on"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(
        self,
        root: Path,
        run: str | None = None,
        *,
        start_build: Callable[[Path], subprocess.Popen[bytes]] = launch.start_build,
    ) -> None:
        super().__init__()
        self.root = root
        self.state = BuildState()
        self.going = False
        self.shown_run: str | None = run
        self._follow = run is None
        self._start_build = start_build
        self._build: subprocess.Popen[bytes] | None = None
        self._run_before_build: str | None = None
        self._reader: EventReader | None = None
        # Held by reference: a query would look on the help screen while that one is open.
        self._empty = Static(EMPTY, id="empty", markup=False)
        self._dashboard = Vertical(id="dashboard")
        self._title_bar = TitleBar(id="title")
        self._grid = StageGrid(id="grid")
        self._running_panel = RunningPanel(id="running")
        self._chart = LossChart(id="chart")
        self._models = ModelsPanel(id="models")
        self._notes = NotesPanel(id="notes")

    def compose(self) -> ComposeResult:
        yield self._title_bar
        yield self._empty
        with self._dashboard:
            yield VerticalScroll(self._grid, id="grid-scroll")
            yield self._running_panel
            with Horizontal(id="middle"):
                yield self._chart
                yield VerticalScroll(self._models, id="models-scroll")
            yield self._notes
        yield Footer()

    def on_mount(self) -> None:
        self._chart.border_title = "Loss"
        self.query_one("#models-scroll").border_title = "Models"
        self._notes.border_title = "Notes"
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # Without a handler the process dies with the terminal still in full-screen mode. Only
            # the main thread may install one.
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                loop.add_signal_handler(number, self._on_signal, number)
        self._show_run(self.shown_run or runs.latest_run(self.root))
        self.set_interval(POLL_SECONDS, self._poll)
        self.set_interval(CLOCK_SECONDS, self._each_second)

    def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def _show_run(self, run: str | None) -> None:
        """Show that run from its first event on; None shows what to do when there is none."""
        self.shown_run = run
        self.state = BuildState(run=clean(run or ""))
        self._chart.choice = None
        self._reader = EventReader(runs.log_path(self.root, run)) if run is not None else None
        self._empty.display = run is None
        self._dashboard.display = run is not None
        if run is None:
            self._draw()
        else:
            self._poll()

    def _poll(self) -> None:
        """Fold what the log has gained; come back at once where that was too much for one slice."""
        reader = self._reader
        if reader is None:
            return
        deadline = time.monotonic() + READ_SECONDS
        gained = False
        while batch := reader.read(READ_EVENTS):
            gained = True
            for event in batch:
                apply(self.state, event)
            if time.monotonic() > deadline:
                self.call_later(self._poll)
                break
        if gained:
            self.going = runs.is_going(self.state)
            self._draw()

    def _each_second(self) -> None:
        self._check_started_build()
        newest = runs.latest_run(self.root) if self._follow else self.shown_run
        if newest is not None and newest != self.shown_run:
            self._show_run(newest)
        was_going, self.going = self.going, runs.is_going(self.state)
        if self.going or was_going:
            self._draw()

    def _draw(self) -> None:
        snapshot = Snapshot(self.state, time.time(), self.going)
        panels = (self._grid, self._running_panel, self._chart, self._models, self._notes)
        for panel in (self._title_bar, *(panels if self.shown_run is not None else ())):
            panel.show(snapshot)

    def action_build(self) -> None:
        """Start a build of every domain, unless one is going."""
        if self.going or (self._build is not None and self._build.poll() is None):
            self._tell("A build is already running.", "warning")
            return
        self._run_before_build = runs.latest_run(self.root)
        try:
            self._build = self._start_build(self.root)
        except OSError as error:
            self._tell(f"{error.filename}: {error.strerror}; put that right and press b again.", "error")
            return
        self._follow = True
        self._tell("Build started; it goes on when this dashboard closes.", "information")

    def _check_started_build(self) -> None:
        """Say why a build that was started here ended before it had a log to show."""
        if self._build is None or (code := self._build.poll()) is None:
            return
        self._build = None
        if code != 0 and runs.latest_run(self.root) == self._run_before_build:
            why = launch.last_line(self.root) or f"see {launch.output_path(self.root)}"
            self._tell(f"The build ended with exit code {code}: {why}", "error")

    def action_reload(self) -> None:
        """Go to the latest run, and read it from its start."""
        self._follow = True
        self._show_run(runs.latest_run(self.root))

    def action_next_chart(self) -> None:
        """Show the next training stage's loss."""
        snapshot = Snapshot(self.state, time.time(), self.going)
        stages = [stage.id for stage in self._chart.candidates(snapshot)]
        current = self._chart.chosen(snapshot)
        if current is not None:
            self._chart.choice = stages[(stages.index(current.id) + 1) % len(stages)]
            self._draw()

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.KEYS))

    def _tell(self, message: str, severity: str) -> None:
        self.notify(message, severity=severity, markup=False)  # type: ignore[arg-type]
