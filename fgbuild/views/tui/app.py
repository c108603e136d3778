"""The dashboard: attaches to a run's event log and draws what it adds up to.

It reads the log, and asks its desk for everything else: several can watch one build, and closing one stops nothing.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, TextArea

from fgbuild.errors import FgbuildError
from fgbuild.views import runs
from fgbuild.views.records import StageState
from fgbuild.views.tui import actions, crash, notices, palette, styles, threads
from fgbuild.views.tui.desk import Desk, Variant, variant_of
from fgbuild.views.tui.feed import Feed
from fgbuild.views.tui.grid import telling
from fgbuild.views.tui.help import HelpScreen, key_names
from fgbuild.views.tui.overview import Overview
from fgbuild.views.tui.standing import Lookout
from fgbuild.views.tui.started import StartedBuild
from fgbuild.views.tui.view import TYPING_KEYS, DetailView, View

POLL_SECONDS = 0.15
CLOCK_SECONDS = 1.0
CATCH_UP_SECONDS = 0.6
"""Between two frames while a long log is read."""
_REST_SECONDS = 0.001
"""Between two slices of a long log, so that keys are answered."""
_END_SECONDS = 0.5
_READY_SECONDS = 0.05

STARTED = "Build started; it goes on when this dashboard closes."

VIEWS = {
    "log": "log.LogView",
    "why": "why.WhyView",
    "graph": "graph.GraphView",
    "runs": "history.RunsView",
    "data": "data.DataView",
    "failures": "failures.FailuresView",
    "manifest": "manifest.ManifestView",
    "prompt": "prompt.PromptView",
}
"""Name → module of this package and class of the view that a key opens; it is imported when it is."""


class DashboardApp(App[None]):
    """Shows `run`, or where None follows the latest run of the desk's project."""

    CSS_PATH = "app.tcss"
    TITLE = "fgbuild"
    COMMANDS: ClassVar[set[Any]] = {palette.Commands}
    KEYS: ClassVar[list[Binding]] = [  # in the order of need: the line below has as many as there is room for
        Binding("question_mark", "help", "Help", key_display="?", tooltip="show or close this help"),
        Binding("b", "build_chosen", "Build", tooltip="build up to the chosen stage; try a failed one again"),
        Binding("B", "build", "Build all", tooltip="build every domain that is not up to date"),
        Binding("x", "cancel", "Stop", tooltip="stop the chosen stage or the whole build; asks first"),
        Binding("l", "open('log')", "Log", tooltip="log of the chosen stage"),
        Binding("w", "open('why')", "Why", tooltip="why the chosen stage ran, input by input"),
        Binding("h", "open('runs')", "Runs", tooltip="past builds; compare two of them"),
        Binding("m", "open('manifest')", "Edit", tooltip="edit the chosen domain's manifest"),
        Binding("q", "quit", "Quit", tooltip="close the dashboard; a build goes on"),
        Binding("g", "open('graph')", "Graph", tooltip="stages and what each waits for"),
        Binding("d", "open('data')", "Data", tooltip="the chosen domain's training data, row by row"),
        Binding("f", "open('failures')", "Failures", tooltip="what the chosen domain's model got wrong"),
        Binding("p", "open('prompt')", "Prompt", tooltip="ask the chosen domain's model something"),
        Binding("o", "report", "Report", tooltip="write the run's report and open it in a browser"),
        Binding("r", "reload", "Latest run", tooltip="go to the latest run and read it again"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, desk: Desk, run: str | None = None, *, theme: str | None = None) -> None:
        super().__init__()
        if theme is not None:
            self.theme = self._theme_named(theme)
        self.desk = desk
        self.feed = Feed(desk.root, run)
        self.selected: str | None = None
        self.prompt_text = ""  # what the prompt view begins with
        self.log_wraps = {"events": True, "output": False}  # side of the log → whether its long lines are wrapped
        self.catching_up = False  # there is more of the log than a slice
        self._drawn_at = 0.0
        self._crashed = False
        self._lookout = Lookout(self)
        self._started = StartedBuild(self)

    def get_key_display(self, binding: Binding) -> str:
        """Keys are called the same in footers, help and documentation."""
        return binding.key_display or key_names(binding)[0]

    def get_css_variables(self) -> dict[str, str]:
        return super().get_css_variables() | (styles.LIGHT if self.theme == "textual-light" else {})

    def _theme_named(self, name: str) -> str:
        """Raises FgbuildError for one that is not there."""
        full = {"light": "textual-light", "dark": "textual-dark"}.get(name, name)
        if full not in self.available_themes:
            raise FgbuildError(
                f"--theme: there is no {name!r}; choose from light, dark, {', '.join(self.available_themes)}"
            )
        return full

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key is in the command palette too."""
        return palette.commands(self, screen)

    @property
    def stage(self) -> StageState | None:
        """The chosen stage; where none was chosen, or this run lacks it, the one to look at first."""
        return self.feed.whole.stages.get(self.selected or "") or telling(self.feed.state)

    def choose(self, stage: str | None) -> None:
        """Choose a stage by its id; None: whichever one would look at first."""
        self.selected = stage
        self.draw()

    @property
    def variant(self) -> Variant:
        """Base and profile that the shown run's command names: what is started from here is of the same."""
        return variant_of(self.feed.state.command)

    def get_default_screen(self) -> Screen[None]:
        return Overview()

    def on_mount(self) -> None:
        self._poll()
        self.set_interval(POLL_SECONDS, self._poll)
        self.set_interval(CLOCK_SECONDS, self._each_second)

    async def on_unmount(self) -> None:
        await threads.settle(_END_SECONDS)

    def end(self, number: int) -> None:
        """End as a signal asks for; from any thread."""
        self.call_later(self._end, number)

    def _end(self, number: int) -> None:
        """Once there is a view: textual fails where it ends while it mounts its first one."""
        if isinstance(self.screen, View) and not self.screen.ready:
            self.set_timer(_READY_SECONDS, partial(self._end, number))
        else:
            self.exit(return_code=128 + number)

    def _fatal_error(self) -> None:
        """In place of textual's pages of traceback; what else fails after the first error fails because of it."""
        error = sys.exc_info()[1]
        self.panic(*([] if error is None or self._crashed else [crash.told(self.desk.root, error)]))
        self._crashed = True

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Where nothing is typed into, a key does what it is bound to before the next one goes to a widget."""
        if await super()._check_bindings(key, priority):
            return True
        at_once = priority and self.screen.is_mounted and not isinstance(self.focused, (Input, TextArea))
        return at_once and await super()._check_bindings(key)

    def _poll(self) -> None:
        if not self.catching_up:
            self._fold()

    def _fold(self) -> None:
        """Draw what the log has gained; come back soon where that was too much for one slice."""
        gained, self.catching_up = self.feed.fold()
        if gained and (not self.catching_up or time.monotonic() - self._drawn_at > CATCH_UP_SECONDS):
            self.draw()
        if self.catching_up:
            self.set_timer(_REST_SECONDS, self._fold)

    def _each_second(self) -> None:
        self._started.check()
        newer = self.feed.newer()
        if newer:
            self._poll()
        if self.feed.check() or newer:
            self.draw()
        if not self.catching_up:
            self._lookout.look()

    def draw(self) -> None:
        """Have the views that are open show the run as it is now."""
        if not self.is_running:  # at its end, while widgets go one by one
            return
        self._drawn_at = time.monotonic()
        snapshot = self.feed.snapshot()
        for screen in self.screen_stack:
            if isinstance(screen, View) and screen.ready:
                screen.draw(snapshot)

    def show_run(self, run: str | None, *, follow: bool = False) -> None:
        """Show another run; follow: and go on to later ones."""
        self.feed.follow = follow
        self.feed.show(run)
        self._poll()
        self.draw()

    def action_open(self, name: str) -> None:
        """Show a view in place of those that lie over the overview."""
        module, kind = VIEWS[name].split(".")
        view: type[DetailView] = getattr(importlib.import_module(f"fgbuild.views.tui.{module}"), kind)
        if isinstance(self.screen, Overview):
            self.push_screen(view())
        elif isinstance(self.screen, DetailView) and not isinstance(self.screen, view):
            self.screen.leave(lambda: self._switch_to(view()))

    def _switch_to(self, view: DetailView) -> None:
        """Have it lie over the overview, in place of however many views do."""
        while isinstance(self.screen, DetailView):
            self.pop_screen()
        self.push_screen(view)

    def close_view(self, view: DetailView) -> None:
        if self.screen is view:
            self.pop_screen()

    async def action_quit(self) -> None:
        """Close the dashboard, once the open view agrees."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, DetailView):
                screen.leave(self.exit)
                return
        self.exit()

    def action_build(self) -> None:
        """Start a build of every domain, unless one is going."""
        self.start_build(())

    def action_build_chosen(self) -> None:
        """Start a build up to the chosen stage, unless one is going."""
        actions.build_chosen(self)

    def action_cancel(self) -> None:
        """Ask what to stop, and have the build stop it."""
        actions.cancel(self)

    def action_report(self) -> None:
        """Write the report of the run that is shown."""
        actions.report(self)

    @property
    def building(self) -> bool:
        """Whether a build runs, as far as is known here."""
        return self._started.going or self.feed.going or self.feed.later_going

    def start_build(self, domains: tuple[str, ...], until: str | None = None, told: str = STARTED) -> bool:
        """Start a build of these domains (none: of all), unless one is going; whether it was. told: what to say."""
        if self.building:
            self.tell("A build is already running.", "warning")
            return False
        return self._started.start(domains, until, told)

    def action_reload(self) -> None:
        """Go to the latest run, and read it from its start."""
        self.show_run(runs.latest_run(self.desk.root), follow=True)

    def action_help(self) -> None:
        keys = [self.screen.BACK] if isinstance(self.screen, DetailView) else []
        name = self.screen.NAME if isinstance(self.screen, View) else ""
        own = self.screen.KEYS if isinstance(self.screen, View) else []
        everywhere = TYPING_KEYS if isinstance(self.screen, View) and self.screen.TYPING else self.KEYS
        self.push_screen(HelpScreen([(name, own), ("Everywhere", [*keys, *everywhere])]))

    def action_help_quit(self) -> None:
        """Ctrl-C, in place of textual's words; where something is selected, it was copied."""
        typing = isinstance(self.focused, (Input, TextArea)) or not isinstance(self.screen, View)
        self.tell(f"{'ctrl+q' if typing else 'q'} closes the dashboard; a build goes on.")

    def tell(self, message: str, severity: str = "information") -> None:
        """A notice that goes away by itself."""
        timeout = notices.seconds(message, severity)
        self.notify(message, severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    def notify(self, message: str, **options: Any) -> None:
        """One at a time, also of those that textual itself has."""
        self.clear_notifications()
        super().notify(message, **options)

    def refused(self, error: FgbuildError) -> None:
        self.tell(str(error), "error")
