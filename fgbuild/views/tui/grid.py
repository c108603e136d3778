"""The grid of domains and stages, in which one stage is chosen, and a line about that one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from fgbuild.views import describe, text
from fgbuild.views.records import FAILED, RUNNING, BuildState, StageState
from fgbuild.views.tui.snapshot import Snapshot, colour
from fgbuild.views.tui.styles import BAD, HEADING, MUTED, WARNING
from fgbuild.views.tui.widgets import Panel, Part

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

_NAME_CELLS = 12
_SHARED_CELLS = 26
_SHARED = "(shared)"

MOVES = [
    Binding("up,k", "move(-1, 0)", "Up", show=False, key_display="↑ k", tooltip="choose the domain above"),
    Binding("down,j", "move(1, 0)", "Down", show=False, key_display="↓ j", tooltip="choose the domain below"),
    Binding("left", "move(0, -1)", "Left", False, "←", priority=True, tooltip="choose the stage before"),
    Binding("right", "move(0, 1)", "Right", False, "→", priority=True, tooltip="choose the stage after"),
    Binding("enter", "app.open('log')", "Log", show=False, tooltip="log of the chosen stage"),
    Binding("a", "automatic", "Automatic", show=False, tooltip="let the choice, and the chart, go with what runs"),
]
"""They hold wherever the focus is, but for ↑ and ↓, which scroll what can be scrolled."""


def telling(state: BuildState) -> StageState | None:
    """The stage that one would look at first: what runs, what went wrong, what was made last."""
    stages = list(state.stages.values())
    groups = (
        [stage for stage in stages if stage.status == RUNNING],
        [stage for stage in stages if stage.status == FAILED or stage.refused],
        [stage for stage in stages if stage.action == "run" and stage.domain][-1:],
        [stage for stage in stages if stage.domain] or stages,
    )
    return next((group[0] for group in groups if group), None)


def rows(state: BuildState) -> list[list[StageState | None]]:
    """The grid's cells: the shared stages, then a row a domain with a cell a kind."""
    kinds = state.kinds()
    found: list[list[StageState | None]] = []
    for domain, stages in state.by_domain().items():
        by_kind = {stage.kind: stage for stage in stages}
        found.append(list(stages) if not domain else [by_kind.get(kind) for kind in kinds])
    return found


class StageGrid(Panel, can_focus=True):
    """A row for each domain, a column for each kind of stage; arrows and clicks choose one."""

    BINDINGS: ClassVar[list[BindingType]] = [*MOVES[:2]]  # before the container around it scrolls with them

    _at: int | None = None
    """The line of the chosen stage that was brought into sight last."""

    @property
    def dashboard(self) -> DashboardApp:
        return cast("DashboardApp", self.app)

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        chosen, grid = self.dashboard.stage, rows(snapshot.whole)
        at = next((line for line, row in enumerate(grid, 1) if any(stage is chosen for stage in row if stage)), None)
        if at != self._at:
            self._at = at
            self.call_after_refresh(self._reveal)

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._reveal)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        super().on_resize()

    def _reveal(self) -> None:
        """Scroll so that the chosen stage is in sight, and the heading too where both fit."""
        around = self.parent
        if self._at is None or not isinstance(around, Widget):
            return
        height, top = around.size.height, round(around.scroll_y)
        if self._at < height:
            around.scroll_to(y=0, animate=False)
        elif not top <= self._at < top + height:
            around.scroll_to(y=self._at if self._at < top else self._at - height + 1, animate=False)

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        state = snapshot.whole
        kinds = state.kinds()
        cell = self._cell_width(state, width)
        title, room = " domain ", _NAME_CELLS + 1
        names = " " * (room - len(title)) + "".join(f"{text.pad(kind, cell - 1)} " for kind in kinds)
        parts: list[Part] = [
            (title, "bold reverse" if self.has_focus else f"{HEADING} underline"),  # as the titles of other panels
            (text.crop(names, width - len(title)), f"{HEADING} underline"),
        ]
        chosen = self.dashboard.stage
        for row in rows(state):
            domain = next((stage.domain for stage in row if stage), "")
            parts.append(("\n " + text.pad(domain or _SHARED, _NAME_CELLS - 1) + " ", "bold" if domain else ""))
            for stage in row:
                label, size = ("", cell) if domain else (f"{stage.kind} " if stage else "", _SHARED_CELLS)
                parts += self._cell(snapshot, stage, label, size, stage is chosen)
        return parts

    @staticmethod
    def _cell(snapshot: Snapshot, stage: StageState | None, label: str, width: int, chosen: bool) -> list[Part]:
        if stage is None:
            return [" " * width]
        shown = label + snapshot.cell(stage, width - 1 - text.cell_width(label))
        symbol, _ = snapshot.status(stage)
        style = MUTED if snapshot.other(stage) and symbol != "≠" else colour(stage, symbol)
        if not chosen:
            return [(text.pad(shown, width), style)]
        return [(shown, f"{style} reverse"), " " * (width - text.cell_width(shown))]

    @staticmethod
    def _cell_width(state: BuildState, width: int) -> int:
        return max((width - _NAME_CELLS - 1) // max(len(state.kinds()), 1), 3)

    def action_move(self, down: int, right: int) -> None:
        """Choose a neighbour of the chosen stage."""
        grid = rows(self.dashboard.feed.whole)
        chosen = self.dashboard.stage
        at = next(((y, x) for y, row in enumerate(grid) for x, stage in enumerate(row) if stage is chosen), (0, 0))
        if not grid:
            return
        row = grid[min(max(at[0] + down, 0), len(grid) - 1)]
        stages = [(abs(x - at[1] - right), stage) for x, stage in enumerate(row) if stage is not None]
        if stages:
            self.dashboard.choose(min(stages, key=lambda pair: pair[0])[1].id)

    def on_click(self, event: events.Click) -> None:
        """Choose the stage under the pointer."""
        state = self.dashboard.feed.whole
        grid = rows(state)
        if not 1 <= event.y <= len(grid):
            return
        row = grid[event.y - 1]
        shared = any(stage is not None and not stage.domain for stage in row)
        size = _SHARED_CELLS if shared else self._cell_width(state, self.content_size.width)
        index = max(event.x - _NAME_CELLS, 0) // size
        if index < len(row) and (stage := row[index]) is not None:
            self.dashboard.choose(stage.id)


class ChosenPanel(Panel):
    """The chosen stage in one line: what became of it and why it ran."""

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        stage = cast("DashboardApp", self.app).stage
        if stage is None:
            return [""]
        symbol, word = snapshot.status(stage)
        due = snapshot.due(stage) if word in ("stale", "not built") else None
        pieces = [
            f"{symbol} {word}",
            *(_would(due) if due is not None else []),
            f"in run {run}" if snapshot.other(stage) and (run := snapshot.standing.runs.get(stage.id)) else "",
            text.seconds(stage.seconds) if stage.seconds else "",
            describe.resuming(stage),
            describe.checks(stage),
            describe.results(stage, 4),
            f"because {why}" if due is None and (why := describe.because(stage.reasons)) else "",
            stage.message.splitlines()[0] if stage.message else "",
        ]
        start = f" ▸ {stage.id}  "
        line = " · ".join(filter(None, pieces))
        room = max(width - text.cell_width(start), 1)
        return [(start, "bold"), (text.crop(line, room), colour(stage, symbol))]


def _would(due: StageState) -> list[str]:
    """What a build would do to a stage, and why."""
    why = describe.because(due.reasons)
    took = f"about {text.seconds(due.predicted_seconds)}" if due.predicted_seconds else ""
    return [f"b would {'run' if due.planned == 'run' else 'restore'} it{f', as {why}' if why else ''}", took]


class StandingPanel(Panel):
    """Where no build runs: what the files of the project have come to since, if anything."""

    def show(self, snapshot: Snapshot) -> None:
        self.display = bool(_since(snapshot)[0])
        super().show(snapshot)

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        words, style = _since(snapshot)
        return [(text.crop(f" {words}", width), style)]


def _since(snapshot: Snapshot) -> tuple[str, str]:
    standing = snapshot.standing
    if snapshot.going:
        return "", MUTED
    if standing.problem:
        return f"✗ {standing.problem.splitlines()[0]}", BAD
    if not any(snapshot.status(stage)[1] == "stale" for stage in snapshot.whole.stages.values()):
        return "", MUTED
    count = len(standing.due)
    took = f", about {text.seconds(standing.seconds)}" if standing.seconds else ""
    return f"≠ Inputs have changed since: B builds {count} stage{'s' if count != 1 else ''}{took}; w says why", WARNING
