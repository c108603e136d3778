"""The loss of one training stage over its steps, before that of an earlier build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from textual.content import Content

from fgbuild.views import describe, text
from fgbuild.views.chart import (
    Scale,
    Series,
    beginning,
    braille,
    ending,
    joined,
    overlaid,
    points,
    resumed_from,
    scale_of,
    up_to,
)
from fgbuild.views.records import DONE, RUNNING, StageState
from fgbuild.views.report.drawing import smoothed
from fgbuild.views.report.values import lines, series
from fgbuild.views.resumed import curves_before
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import MUTED
from fgbuild.views.tui.threads import ask
from fgbuild.views.tui.widgets import Panel, Part

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

AXIS_CELLS = 9
_EVALUATED, _EARLIER = "◆", "·"
_NOTHING = Series(), Series()
"""The same ones each time, so that the chart stays as it is drawn."""


@dataclass(frozen=True)
class _Kept:
    """A curve that an artifact has kept. whence: the run that made it, in words."""

    loss: Series = field(default_factory=Series)
    eval_loss: Series = field(default_factory=Series)
    whence: str = ""


class LossChart(Panel):
    """The loss of one training stage; `choice` is its id, or None for the one that reported last. Where none did, that
    of the chosen domain's training, as the run that made it has left it.

    The smoothed loss of the last good build of the domain lies behind it; it is asked for once for each run and
    domain, in a thread.
    """

    choice: str | None = None

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._earlier: dict[tuple[str, str], tuple[Series, tuple[str, ...]]] = {}
        self._labels = ("", "")
        self._kept: dict[tuple[str, str], _Kept | None] = {}
        self._begun: dict[tuple[str, str, float], tuple[Series, Series]] = {}
        self._shown: object = None
        self._held: list[Series] = []  # so that no other gets the id of one of them
        self._curve: list[Part] = []

    def candidates(self, snapshot: Snapshot) -> list[StageState]:
        return [stage for stage in snapshot.state.stages.values() if len(stage.loss) or len(stage.eval_loss)]

    def chosen(self, snapshot: Snapshot) -> StageState | None:
        stages = self.candidates(snapshot)
        picked = [stage for stage in stages if stage.id == self.choice]
        running = [stage for stage in stages if stage.status == RUNNING]
        return next(iter(picked + running[::-1] + stages[::-1]), None)

    def _left_alone(self, snapshot: Snapshot) -> StageState | None:
        """Where no training has reported a loss: that of the chosen domain, which was up to date or restored."""
        stages = snapshot.state.stages
        chosen = cast("DashboardApp", self.app).stage
        domains = [chosen.domain] if chosen is not None and chosen.domain else snapshot.state.domains()
        trainings = [stages[name] for domain in domains if (name := f"{domain}:train") in stages]
        return next((stage for stage in trainings if snapshot.status(stage)[1] in ("current", "cached")), None)

    def _found(self, snapshot: Snapshot) -> tuple[StageState | None, _Kept | None]:
        """The stage to draw; where it did not run, also its curve from the run that did, if that is known."""
        stage = self.chosen(snapshot)
        if stage is not None or (stage := self._left_alone(snapshot)) is None:
            return stage, None
        return stage, self._kept.get((cast("DashboardApp", self.app).feed.run or "", stage.id))

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        app = cast("DashboardApp", self.app)
        run, (stage, kept) = app.feed.run, self._found(snapshot)
        self._label(stage, kept)
        if stage is None or not stage.domain or run is None or app.catching_up:
            return  # a long log is read before anything else
        if not len(stage.loss) and not len(stage.eval_loss) and (run, stage.id) not in self._kept:
            self._kept[run, stage.id] = None
            self._ask_for_kept(run, stage)
        if resumed_from(stage.loss) is not None and (run, stage.id, stage.loss.x[0]) not in self._begun:
            self._begun[run, stage.id, stage.loss.x[0]] = Series(), Series()
            self._ask_for_begun(run, stage)
        if (run, stage.domain) not in self._earlier:
            self._earlier[run, stage.domain] = (Series(), ())
            self._ask(run, stage.domain)

    def _label(self, stage: StageState | None, kept: _Kept | None) -> None:
        """Name on the border what is drawn: above the domain and how far its loss came, below of which runs it is."""
        titles, legends = ["Loss"], [""]
        if stage is not None:
            before, loss = self._before(stage)[0], kept.loss if kept else stage.loss
            titles.insert(0, name := f"Loss of {stage.domain or stage.id}")
            if len(loss) > 1:
                titles.insert(0, f"{name} · {beginning(before if len(before) else loss):.3g} → {ending(loss):.3g}")
            whence = kept.whence if kept else ""
            legends = ["  ".join(filter(None, [whence, mark])) for mark in self._behind(stage)[1]] + [whence, ""]
        room = max(self.content_size.width - 2, 0)
        labels = text.fitting(titles, room), text.fitting(legends, room)
        if labels != self._labels:  # setting one draws the whole chart anew
            self._labels = labels
            self.border_title, self.border_subtitle = map(Content, labels)  # type: ignore[assignment]

    def _behind(self, stage: StageState | None) -> tuple[Series, tuple[str, ...]]:
        """The earlier loss and what its mark means, in ever fewer words; nothing where there is none."""
        asked = (cast("DashboardApp", self.app).feed.run or "", stage.domain if stage else "")
        return self._earlier.get(asked, (_NOTHING[0], ()))

    def _before(self, stage: StageState) -> tuple[Series, Series]:
        """Loss and eval loss of the steps before the one from which the training was resumed."""
        run = cast("DashboardApp", self.app).feed.run or ""
        asked = run, stage.id, stage.loss.x[0] if len(stage.loss) else 0.0
        return self._begun.get(asked, _NOTHING)

    def _ask_for_begun(self, run: str, stage: StageState) -> None:
        """Have the steps drawn that were trained before this run went on with them."""
        app = cast("DashboardApp", self.app)
        late = Series(stage.loss.x[:2], stage.loss.y[:2])

        def work(_: object) -> tuple[Series, Series]:
            with app.desk.made(run) as made:
                return curves_before(app.desk.root, made, run, stage.id, late)

        def done(found: tuple[Series, Series]) -> None:
            self._begun[run, stage.id, late.x[0]] = found
            app.draw()

        ask(self, work, done, lambda problem: None, group=f"{run} {stage.id} begun")

    def _ask_for_kept(self, run: str, stage: StageState) -> None:
        """Have the curve drawn that a training, which was left alone in this run, was made with."""
        app = cast("DashboardApp", self.app)

        def work(_: object) -> _Kept:
            with app.desk.made(run) as made:
                rows, maker = lines(made.read(stage.id, "metrics.jsonl")), made.made_by(stage.id)
            whence = f"of {text.clean(maker, 60)}" if maker else "of an earlier run"
            loss, evaluated = series(rows, "loss"), series(rows, "eval_loss")
            return _Kept(loss, evaluated, whence if len(loss) or len(evaluated) else "")

        def done(found: _Kept) -> None:
            self._kept[run, stage.id] = found
            app.draw()

        ask(self, work, done, lambda problem: done(_Kept()), group=f"{run} {stage.id}")

    def _ask(self, run: str, domain: str) -> None:
        """Have the earlier loss drawn, where there is one; the chart is whole without it."""
        app = cast("DashboardApp", self.app)

        def work(_: object) -> tuple[Series, tuple[str, ...]] | None:
            with app.desk.made(run) as made:
                earlier = made.training_before(domain)
            loss = smoothed(series(lines(earlier.metrics), "loss")) if earlier is not None else Series()
            if earlier is None or not len(loss):
                return None
            name = text.clean(earlier.run, 60)
            if earlier.passed:
                return loss, (f"{_EARLIER} last good {name}", f"{_EARLIER} last good")
            return loss, (f"{_EARLIER} {name}, not passed", f"{_EARLIER} not passed")

        def done(found: tuple[Series, tuple[str, ...]] | None) -> None:
            if found is not None:
                self._earlier[run, domain] = found
                app.draw()

        ask(self, work, done, lambda problem: None, group=f"{run} {domain}")

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        stage, kept = self._found(snapshot)
        if stage is None:
            return [("No loss yet: the curve appears when a training stage reports one.", MUTED)]
        loss, evaluated = (kept.loss, kept.eval_loss) if kept else (stage.loss, stage.eval_loss)
        if not len(loss) and not len(evaluated):
            if kept is None:
                return [("Reading …", MUTED)]
            return [(f"{stage.id} was not trained in this run, and the store has no curve of it.", MUTED)]
        behind, _ = self._behind(stage)
        if height < 3 or width <= AXIS_CELLS + 4:
            return [("The curve has no room here.", MUTED)]
        goal = stage.total if stage.status != DONE and stage.unit == "steps" else None
        curves = self._curves([loss, evaluated, behind, *self._before(stage)], goal, width, height)
        return [*_title(stage, loss, evaluated, width), "\n", *curves]

    def _curves(self, series: list[Series], goal: float | None, width: int, height: int) -> list[Part]:
        """Loss, eval loss, the earlier one, what was resumed; drawn anew where a point was added, not each second."""
        found = [(id(each), each.changes) for each in series], goal, width, height
        if found != self._shown and (scale := scale_of(*series, goal=goal)) is not None:
            loss, evaluated, behind, *before = (up_to(each, scale.x_high) for each in series)
            loss, evaluated = joined(before[0], loss), joined(before[1], evaluated)
            columns, rows = width - AXIS_CELLS, height - 2
            layers = [
                (points(evaluated, scale, columns, rows, _EVALUATED), "$text-primary"),
                (braille(loss, scale, columns, rows), "$text-primary"),
                (points(behind, scale, columns, rows, _EARLIER), MUTED),
            ]
            self._shown, self._held, self._curve = found, series, drawn(layers, scale, width)
        return self._curve


def drawn(layers: list[tuple[list[str], str]], scale: Scale, width: int) -> list[Part]:
    """Layers (rows of marks, style) over each other, the first on top, with their axes around them."""
    rows = len(layers[0][0])
    parts: list[Part] = []
    for row, pieces in enumerate(overlaid(*(marks for marks, _ in layers))):
        label = {rows - 1: text.number(scale.y_low), 0: text.number(scale.y_high)}.get(row, "")
        parts.append((f"{text.crop(label, AXIS_CELLS - 2):>{AXIS_CELLS - 2}} │", MUTED))
        parts += [(shown, layers[layer][1]) for layer, shown in pieces]
        parts.append("\n")
    low = f"step {text.number(scale.x_low)}{', log scale' if scale.log else ''}"
    high = text.number(scale.x_high)
    parts.append((" " * AXIS_CELLS + text.pad(low, width - AXIS_CELLS - len(high)) + high, MUTED))
    return parts


def _title(stage: StageState, loss: Series, eval_loss: Series, width: int) -> list[Part]:
    last = f"loss {loss.last:.3g}" if loss.last is not None else ""
    evaluated = f"{_EVALUATED} eval {eval_loss.last:.3g}" if eval_loss.last is not None else ""
    title = text.crop(stage.id, width)
    room = width - text.cell_width(title) - 2
    return [(title, "bold"), "  " + text.joined([last, evaluated, *describe.load(stage)], "  ", room)]
