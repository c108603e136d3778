"""The dialog that asks what of a running build is to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fgbuild.views.records import RUNNING
from fgbuild.views.text import clean, crop
from fgbuild.views.tui.dialog import Dialog
from fgbuild.views.tui.feed import Feed

LOOK_SECONDS = 0.25
_KEPT = (
    "Finished stages stay finished. A training that is stopped goes on from its last checkpoint in the next build; "
    "before its first one, it begins anew."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """stage: its id; None for the whole build."""

    stage: str | None

    @property
    def name(self) -> str:
        return self.stage or "altogether"


class StopDialog(Dialog[Choice | None]):
    """For a run that is going. chosen: the stage that is to be stopped alone where it runs, else the only one that
    does. Its result is None where nothing is to be stopped. It closes when what it would stop has ended."""

    KEYS: ClassVar[list[Binding]] = [
        Binding("s", "stop_stage", "Stop the stage", tooltip="stop the chosen stage alone"),
        Binding("a", "stop_all", "Stop everything", tooltip="stop the whole build"),
        Binding("escape", "go_on", "Go on", tooltip="stop nothing"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    StopDialog Static { height: auto; margin-bottom: 1; }
    StopDialog OptionList { height: auto; background: $surface; }
    """

    def __init__(self, feed: Feed, chosen: str | None) -> None:
        super().__init__()
        self._feed = feed
        self._run = feed.run
        running = [stage.id for stage in feed.state.running()]
        self._told = ""
        self._stage = chosen if chosen in running else running[0] if len(running) == 1 else None

    def compose(self) -> ComposeResult:
        options = [] if self._stage is None else [_option("s", f"Stop {crop(self._stage, 44)}", "stage")]
        options += [_option("a", "Stop the whole build", "all"), _option("Esc", "Go on", "none")]
        with Vertical(classes="box"):
            yield Static(Content.assemble(("Stop the build?", "bold")), markup=False)
            yield Static(self._consequences(), id="consequences", markup=False)
            yield OptionList(*options, markup=False, compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = options.option_count - 1  # enter at once stops nothing
        options.focus()
        self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """What was asked about may end meanwhile."""
        feed, stage = self._feed, self._feed.state.stages.get(self._stage or "")
        ended = ""
        if feed.run != self._run or not feed.going:
            ended = "The build"
        elif self._stage is not None and (stage is None or stage.status != RUNNING):
            ended = self._stage
        if not self.is_current:  # the command palette is before it
            return
        if ended:
            self.app.notify(clean(f"{ended} has ended meanwhile; nothing was stopped."), markup=False)
            self.dismiss(None)
        elif (told := self._consequences()) != self._told:
            self._told = told
            self.query_one("#consequences", Static).update(told)

    def _consequences(self) -> str:
        running = (stage.id for stage in self._feed.state.running())
        others = crop(", ".join(name for name in running if name != self._stage), 120)
        if self._stage is None:
            alone = "No stage runs at the moment." if not others else f"To stop one alone, choose it first: {others}."
            return f"{alone} {_KEPT}"
        beside = f" {others} would go on." if others else ""
        return f"Without {crop(self._stage, 44)} what needs it does not run; other domains go on.{beside} {_KEPT}"

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        {"stage": self.action_stop_stage, "all": self.action_stop_all}.get(event.option_id or "", self.action_go_on)()

    def action_stop_stage(self) -> None:
        if self._stage is not None:
            self.dismiss(Choice(self._stage))

    def action_stop_all(self) -> None:
        self.dismiss(Choice(None))

    def action_go_on(self) -> None:
        self.dismiss(None)


def _option(key: str, words: str, name: str) -> Option:
    return Option(Content.assemble((f"{key:<5}", "bold"), words), id=name)
