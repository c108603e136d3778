"""What came before the step from which a run went on with a training that another run had begun."""

from __future__ import annotations

from pathlib import Path

from fgbuild.views import runs
from fgbuild.views.chart import Series, joined, resumed_from
from fgbuild.views.records import DONE, StageState
from fgbuild.views.report.made import Made
from fgbuild.views.report.values import lines, series

_MOST_RUNS = 20
"""Logs that are read, from the last one before the run on."""


def curves_before(root: Path, made: Made, run: str, stage: str, loss: Series) -> tuple[Series, Series]:
    """Loss and eval loss of the steps before `loss` begins, which is what that run's log has of it; empty where nobody
    knows. Of a training that ended, its artifact has them, else the logs of the runs that were stopped: takes long."""
    rows = lines(made.read(stage, "metrics.jsonl"))
    begun, evaluated = _below(series(rows, "loss"), loss.x[0]), _below(series(rows, "eval_loss"), loss.x[0])
    earlier = [name for name in runs.run_ids(root) if name < run][: -_MOST_RUNS - 1 : -1]
    while not len(begun) or resumed_from(begun) is not None:
        found, earlier = _stopped(root, earlier, stage, begun if len(begun) else loss)
        if found is None:
            break
        begun = joined(_below(found.loss, (begun if len(begun) else loss).x[0]), begun)
        evaluated = joined(_below(found.eval_loss, (evaluated if len(evaluated) else loss).x[0]), evaluated)
    return begun, evaluated


def _stopped(root: Path, earlier: list[str], stage: str, later: Series) -> tuple[StageState | None, list[str]]:
    """The training that `later` went on with, of the last of these runs that trained (newest first), and the runs
    before that; None where it ended or did not come so far, and so was another one."""
    gap = later.x[1] - later.x[0] if len(later) > 1 else 1.0
    for index, run in enumerate(earlier):
        found = runs.stage_of(root, run, stage)
        if found is None or (not len(found.loss) and found.status != DONE):
            continue
        goes_on = found.status != DONE and found.loss.x[0] < later.x[0] <= found.loss.x[-1] + gap
        return (found, earlier[index + 1 :]) if goes_on else (None, [])
    return None, []


def _below(found: Series, step: float) -> Series:
    return Series([x for x in found.x if x < step], [y for x, y in zip(found.x, found.y) if x < step])
