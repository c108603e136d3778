"""What a training measured, drawn: the loss before the last good build's, and small charts of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fgbuild.views import text
from fgbuild.views.chart import Series
from fgbuild.views.records import StageState
from fgbuild.views.report.drawing import Chart, Drawn, chart, smoothed
from fgbuild.views.report.log import RunLog
from fgbuild.views.report.made import Made
from fgbuild.views.report.values import document, lines, number, series


def _rate(value: float) -> str:
    return f"{value:.1e}" if value else "0"


_SMALL: dict[str, tuple[str, Callable[[float], str]]] = {
    "learning_rate": ("Learning rate", _rate),
    "grad_norm": ("Gradient norm", text.number),
    "tokens_per_s": ("Tokens/s", text.number),
    "memory_mb": ("Memory", text.megabytes),
}


@dataclass(frozen=True, slots=True)
class SmallChart:
    title: str
    last: str
    chart: Chart


@dataclass(frozen=True, slots=True)
class Training:
    """before: whose curve lies behind, as (run, whether its model passed). facts: what the training said of itself."""

    loss: Chart
    has_evaluations: bool
    before: tuple[str, bool] | None
    small: list[SmallChart]
    facts: list[tuple[str, str]]


def training_of(log: RunLog, made: Made, stage: StageState) -> Training | None:
    """None where no curve is known. What the artifact has is taken before the log, which may begin at a checkpoint."""
    rows = lines(made.read(stage.id, "metrics.jsonl"))
    loss = series(rows, "loss") or stage.loss
    facts: dict[str, Any] = document(made.read(stage.id, "train.json")) or dict(stage.summary)
    evaluations = series(rows, "eval_loss") or stage.eval_loss or _last(loss, number(facts.get("eval_loss")))
    earlier = made.training_before(stage.domain) if stage.domain else None
    behind = smoothed(series(lines(earlier.metrics), "loss")) if earlier else Series()
    found = chart(
        [
            Drawn("before", behind, "before"),
            Drawn("raw", loss, "loss"),
            Drawn("now", smoothed(loss), "smoothed"),
            Drawn("evaluated", evaluations, "eval loss", dots=True),
        ]
    )
    if found is None or not loss:
        return None
    return Training(
        loss=found,
        has_evaluations=bool(evaluations),
        before=(earlier.run, earlier.passed) if earlier and behind else None,
        small=list(_small_charts(log, stage, rows)),
        facts=[(name.replace("_", " "), _fact(value)) for name, value in facts.items()],
    )


def _fact(value: Any) -> str:
    found = number(value)
    return text.scalar(value) if found is None else text.number(found)


def _last(loss: Series, value: float | None) -> Series:
    """The loss on the held-out split at the last step, where that is all that was kept."""
    return Series([loss.x[-1]], [value]) if loss and value is not None else Series()


def _small_charts(log: RunLog, stage: StageState, rows: list[dict[str, Any]]) -> Iterator[SmallChart]:
    measured = log.measured.get(stage.id, {})
    for name, (title, show) in _SMALL.items():
        values = series(rows, name) or measured.get(name, Series())
        drawn = chart([Drawn("now", values, title, show=show)], ticks=2)
        if drawn is not None and values.last is not None:
            yield SmallChart(title, show(values.last), drawn)
