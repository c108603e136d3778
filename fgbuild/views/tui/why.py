"""Why the chosen stage ran, would run, or was left alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from fgbuild.views import dependencies, describe, text
from fgbuild.views.records import BuildState, StageState
from fgbuild.views.tui.reasons import reason_parts
from fgbuild.views.tui.snapshot import Snapshot, colour
from fgbuild.views.tui.standing import NOTHING, Standing
from fgbuild.views.tui.styles import BAD, MUTED
from fgbuild.views.tui.threads import ask
from fgbuild.views.tui.view import NO_RUN, DetailView
from fgbuild.views.tui.widgets import Panel, Part

_MOST_LINES = 400
LOOKING = "Looking up when its outputs were made …"


class WhyPanel(Panel):
    """choice: the stage's id. told: stage id → what the desk says of one that the log has no reasons for."""

    choice = ""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.told: dict[str, list[str]] = {}

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        state, stage = snapshot.whole, snapshot.whole.stages.get(self.choice)
        if stage is None:
            return [(NO_RUN, MUTED)]
        symbol, word = snapshot.status(stage)
        place = f"{[*state.stages].index(stage.id) + 1} of {len(state.stages)}"
        head = text.crop(stage.id, width - 30)
        parts: list[Part] = [(head, "bold"), (f"  {symbol} {word}", colour(stage, symbol)), (f"  {place}\n", MUTED)]
        run = snapshot.standing.runs.get(stage.id) if snapshot.other(stage) else None
        parts.append(((f"In run {run}: " if run else "") + _when(stage, snapshot) + "\n\n", ""))
        parts += list(_chain(state, stage, width, {stage.id}))
        if wrong := _wrong(stage):
            parts += [*wrong, ("l shows its log.\n", MUTED)]
        for line in self.told.get(stage.id, []):
            parts.append((line + "\n", MUTED))
        return parts


def _when(stage: StageState, snapshot: Snapshot) -> str:
    """One sentence: what happened to the stage in this run, when, and for how long."""
    word = snapshot.status(stage)[1]
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stage.started_at)) if stage.started_at else ""
    took = f" and took {text.seconds(stage.seconds)}" if stage.seconds is not None else ""
    because = ", because" if stage.reasons else ""
    if word == "stale":
        word = describe.status(snapshot.state, stage)[1]
    if word == "not built":
        return "It was never built."
    if word == "current":
        return "It was up to date: this run left it alone."
    if word == "cached":
        return f"Its outputs were restored from the store{took}{because}"
    if word == "waiting":
        expected = f", for about {text.seconds(stage.predicted_seconds)}" if stage.predicted_seconds else ""
        return f"It will run{expected}{because}"
    if word == "not run" and (wrong := snapshot.state.stages.get(stage.blocked_by)) is not None:
        would = f". It would have run{because}" if because else ""
        return f"It does not run: it needs {wrong.id} ({snapshot.status(wrong)[1]}){would}"
    if word == "not run":
        return f"It did not run: the build ended before its turn. It would have run{because}"
    if word == "running":
        return f"It runs since {began or 'a moment ago'}{because}"
    return f"It ran{f' at {began}' if began else ''}{took}{because}"


def _wrong(stage: StageState) -> list[Part]:
    """What it failed for, or did not pass for, in this run."""
    if stage.message:
        return [("\nIt failed:\n", "bold"), (stage.message + "\n", "")]
    if not stage.refused:
        return []
    lines = describe.missed(stage) or ["its log has no check that missed"]
    return [("\nIt did not pass:\n", "bold"), *((f"  ✗ {line}\n", BAD) for line in lines)]


def _chain(state: BuildState, stage: StageState, width: int, told: set[str], depth: int = 1) -> Iterator[Part]:
    """The stage's reasons; each that comes from another stage is followed by that one's own, indented, once."""
    indent = min(2 * depth, max(width // 3, 2))
    for reason in stage.reasons:
        yield from reason_parts(reason, width, indent)
        above = dependencies.upstream_stage(state, stage, reason.upstream) if reason.upstream else None
        if above is None:
            continue
        margin = " " * (indent + 2)
        if above.id in told:
            yield f"{margin}{above.id}: its reasons are above\n", MUTED
        elif above.reasons:
            told.add(above.id)
            status = describe.status(state, above)
            took = f" in {text.seconds(above.seconds)}" if above.seconds else ""
            yield f"{margin}{above.id} {status[0]} {status[1]}{took}, because\n", MUTED
            yield from _chain(state, above, width, told, depth + 2)


class WhyView(DetailView):
    NAME = "Why"
    KEYS: ClassVar[list[Binding]] = [
        # Before the scrolling container, which has these keys too.
        Binding("left", "move(-1)", "Stage before", priority=True, tooltip="go to the stage before"),
        Binding("right", "move(1)", "Next stage", priority=True, tooltip="go to the next stage"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    WhyView #why-scroll { height: 1fr; padding: 0 1; }
    WhyView #why { width: 100%; height: auto; }
    """

    _asked_at: tuple[int, Standing] = (0, NOTHING)
    """Generation of the feed and standing of the project when what the panel was told was asked for."""

    def body(self) -> Iterable[Widget]:
        yield VerticalScroll(WhyPanel(id="why"), id="why-scroll")

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        panel, stage = self.query_one(WhyPanel), self.dashboard.stage
        panel.choice = stage.id if stage is not None else ""
        asked_at = (self.dashboard.feed.generation, snapshot.standing)
        if asked_at != self._asked_at:
            self._asked_at = asked_at
            panel.told.clear()
        if stage is not None and self._is_to_be_asked(snapshot, stage) and stage.id not in panel.told:
            panel.told[stage.id] = [LOOKING]
            self._ask(stage.id)
        panel.show(snapshot)

    @staticmethod
    def _is_to_be_asked(snapshot: Snapshot, stage: StageState) -> bool:
        """Whether the desk knows more of it than the log."""
        word = snapshot.status(stage)[1]
        return word in ("stale", "not built") or (not stage.reasons and word in ("current", "cached", "done"))

    def _ask(self, stage: str) -> None:
        """Have what the desk knows of the stage shown."""
        desk, variant, asked_at = self.dashboard.desk, self.dashboard.variant, self._asked_at

        def told(lines: list[str]) -> None:
            if asked_at == self._asked_at:
                self.query_one(WhyPanel).told[stage] = [text.clean(line) for line in lines[:_MOST_LINES]]
                self.draw(self.dashboard.feed.snapshot())

        ask(
            self,
            lambda unwanted: ["As things are now:", *desk.why(stage, variant)],
            told,
            lambda problem: told([problem]),
            group=stage,
        )

    def action_move(self, by: int) -> None:
        """Go that many stages further, in the plan's order."""
        stages = [*self.dashboard.feed.whole.stages]
        if not stages:
            return
        chosen = self.dashboard.stage
        place = stages.index(chosen.id) + by if chosen is not None else 0
        self.query_one("#why-scroll", VerticalScroll).scroll_home(animate=False)
        self.dashboard.choose(stages[place % len(stages)])
