"""A full screen of the dashboard: a title, a body, the keys. Its app tells it when the run has news."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from fgbuild.views.tui.footer import KeyFooter
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.widgets import TitleBar

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

BACK = Binding("escape", "back", "Back", tooltip="go back to the overview")
TYPING_KEYS = [
    Binding("ctrl+q", "quit", "Quit", key_display="^q", tooltip="close the dashboard"),
    Binding("ctrl+p", "command_palette", "Palette", key_display="^p", tooltip="what is a key elsewhere, by name"),
]
"""What holds everywhere of the keys of the app where letters are typed, for the help; textual binds them."""
NO_RUN = "No build has run here yet. Press Esc, then B to build every domain."
"""What a view over the overview says then."""


class View(Screen[None]):
    """KEYS: the view's own bindings, for the footer, the help and the documentation; a subclass sets
    `BINDINGS = [*KEYS]` too. NAME: what the help calls it. TYPING: whether letters are text in it, and not keys."""

    NAME: ClassVar[str] = ""
    KEYS: ClassVar[list[Binding]] = []
    TYPING: ClassVar[bool] = False

    ready = False
    """Whether its widgets are there, so that it can draw."""

    @property
    def dashboard(self) -> DashboardApp:
        return cast("DashboardApp", self.app)

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield from self.body()
        yield KeyFooter()

    def on_mount(self) -> None:
        """After a subclass's own, which does not call it: textual calls every class's."""
        self.ready = True
        self.draw(self.dashboard.feed.snapshot())

    def body(self) -> Iterable[Widget]:
        """The widgets between title and keys."""
        raise NotImplementedError

    def draw(self, snapshot: Snapshot) -> None:
        """Show the run as it is now. Called when its log has grown, and each second while a build runs."""
        self.query_one("#title", TitleBar).show(snapshot)


class DetailView(View):
    """A view that lies over the overview until escape closes it. It is made anew each time it is opened, and begins
    with `self.dashboard.stage`, the stage that was chosen on the overview."""

    BACK: ClassVar[Binding] = BACK
    """What escape does, for the help."""
    BINDINGS: ClassVar[list[BindingType]] = [BACK]

    def leave(self, then: Callable[[], None]) -> None:
        """Do what takes this view from the screen, or, where something in it would be lost, ask before."""
        then()

    def action_back(self) -> None:
        self.leave(lambda: self.dashboard.close_view(self))
