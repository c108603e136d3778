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

from fgbuild.views.records import RUNNING, BuildState
from fgbuild.views.text import crop
from fgbuild.views.tui.dialog import Dialog

_KEPT = "Finished stages stay finished. A training that is stopped goes on from its last checkpoint in the next build."


@dataclass(frozen=True, slots=True)
class Choice:
    """stage: its id; None for the whole build."""

    stage: str | None

    @property
    def name(self) -> str:
        return self.stage or "altogether"


class StopDialog(Dialog[Choice | None]):
    """stage: the one that can be stopped alone, None where there is none; `others` are running beside it. Its result
    is None where nothing is to be stopped."""

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

    def __init__(self, stage: str | None, others: list[str]) -> None:
        super().__init__()
        self._stage = stage
        self._others = others

    @classmethod
    def of(cls, state: BuildState, chosen: str | None) -> StopDialog:
        """For a build that is going: the chosen stage where it runs, else the only one that does."""
        running = [stage.id for stage in state.running()]
        found = state.stages.get(chosen or "")
        stage = chosen if found is not None and found.status == RUNNING else None
        if stage is None and len(running) == 1:
            stage = running[0]
        return cls(stage, [name for name in running if name != stage])

    def compose(self) -> ComposeResult:
        options = [] if self._stage is None else [_option("s", f"Stop {crop(self._stage, 44)}", "stage")]
        options += [_option("a", "Stop the whole build", "all"), _option("esc", "Go on", "none")]
        with Vertical(classes="box"):
            yield Static(Content.assemble(("Stop the build?", "bold")), markup=False)
            yield Static(self._consequences(), markup=False)
            yield OptionList(*options, markup=False, compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = options.option_count - 1  # enter at once stops nothing
        options.focus()

    def _consequences(self) -> str:
        others = crop(", ".join(self._others), 120)
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
