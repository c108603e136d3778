"""What the dashboard's widgets draw from: the state and the moment it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fgbuild.views import describe, text
from fgbuild.views.estimate import stage_remaining
from fgbuild.views.records import CANCELLED, DONE, FAILED, RUNNING, BuildState, StageState
from fgbuild.views.tui.standing import NOTHING, Standing
from fgbuild.views.tui.styles import ACTIVE, BAD, GOOD, MUTED, WARNING


@dataclass(frozen=True)
class Snapshot:
    """now: unix seconds. going: whether the build process is still there. latest: whether no run is later.
    later_going: whether the latest one is another, and its build runs. standing: how the project stands beside it."""

    state: BuildState
    now: float
    going: bool
    latest: bool = True
    later_going: bool = False
    standing: Standing = NOTHING

    @cached_property
    def whole(self) -> BuildState:
        """The run with the stages that it did not plan."""
        return self.standing.whole(self.state)

    @property
    def moment(self) -> float:
        """Now, or where the build is over or its process gone, the time of its last word."""
        return self.now if self.going else (self.state.updated_at or self.now)

    def status(self, stage: StageState) -> tuple[str, str]:
        """Symbol and word; a stage that was running when its build process died has stopped. What a build would make
        anew, although it was made, is stale."""
        other = self.other(stage)
        if stage.status == RUNNING and (other or not self.going):
            return "■", "stopped"
        symbol, word = describe.status(self.state, stage)
        if other and symbol == "○":  # its run is over, whether or not this one is
            return symbol, "not run" if stage.id in self.standing.runs else "not built"
        return ("≠", "stale") if word in _MADE and self.due(stage) is not None else (symbol, word)

    def other(self, stage: StageState) -> bool:
        """Whether this run did not plan that stage."""
        return self.standing.others.get(stage.id) is stage

    def due(self, stage: StageState) -> StageState | None:
        """What a build would do to it now, and why; None where nothing, where that is not known, or one runs."""
        planned = self.standing.plan.get(stage.id)
        return None if self.going or self.standing.going or planned is None or planned.planned == "skip" else planned

    def cell(self, stage: StageState, width: int) -> str:
        """The longest account of a stage that fits into `width` cells."""
        symbol, word = self.status(stage)
        options = [f"{symbol} {word}", symbol]
        if stage.status == RUNNING and self.going:
            options = self._running_cells(stage) + options
        elif word == "done" and stage.seconds is not None:
            options = [f"{symbol} done {text.seconds(stage.seconds)}", f"{symbol} {text.seconds(stage.seconds)}"]
        elif word == "loss rose":
            took = f" {text.seconds(stage.seconds)}" if stage.seconds is not None else ""
            options = [f"{symbol} {word}{took}", f"{symbol} {word}", f"{symbol} rose", symbol]
        elif word == "waiting" and stage.predicted_seconds:
            options.insert(0, f"{symbol} waiting ~{text.seconds(stage.predicted_seconds)}")
        elif word == "cancelled":
            options.insert(1, f"{symbol} stopped")
        elif word == "not passed":
            options.insert(1, f"{symbol} no pass")
        return next((option for option in options if text.cell_width(option) <= width), options[-1])

    def _running_cells(self, stage: StageState) -> list[str]:
        share = f"{stage.fraction:.0%}" if stage.fraction is not None else "running"
        left = stage_remaining(stage, self.now)
        if left is None:
            return [f"● {share}"]
        return [f"● {share}, {text.seconds(left)} left", f"● {share} {_brief(left)}", f"● {share}"]


_MADE = ("done", "loss rose", "current", "cached")


def colour(stage: StageState, symbol: str) -> str:
    """The theme colour of a stage's cell; the words say the same."""
    if stage.status == FAILED or stage.refused:
        return BAD
    if stage.status == CANCELLED or symbol in "■!≠":
        return WARNING
    if stage.status == RUNNING:
        return ACTIVE
    return GOOD if stage.status == DONE and stage.action == "run" else MUTED


def _brief(seconds: float) -> str:
    """A duration in at most four characters: 42s, 3m, 2h."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 3600 else f"{seconds / 3600:.0f}h"
