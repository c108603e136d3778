from __future__ import annotations

from pathlib import Path
from typing import Any

import views_sample as sample
from tui_sample import FolderMade

from fgbuild.views.chart import Series
from fgbuild.views.resumed import curves_before

STAGE = "lint:train"
LATE = Series([21.0, 22.0], [1.0, 0.9])


def trained(root: Path, run: str, steps: range, loss: float, *ends: dict[str, Any], stage: str = STAGE) -> None:
    """A run that trained these steps of the stage, all with that loss, and an eval loss at each tenth."""
    recorder = sample.Recorder(run)
    recorder.emit("stage.started", stage=stage, reasons=[])
    for step in steps:
        recorder.emit("stage.metric", stage=stage, step=step, loss=loss)
        if step % 10 == 0:
            recorder.emit("stage.metric", stage=stage, step=step, eval_loss=loss + 1)
    for end in ends:
        recorder.emit(**end, stage=stage)
    sample.write_log(root, recorder.events, run)


STOPPED = {"kind": "stage.cancelled", "checkpoint": 20}
DONE = {"kind": "stage.finished", "action": "run"}


def test_steps_below_the_first_one_are_of_the_run_that_was_stopped(tmp_path: Path) -> None:
    trained(tmp_path, "1", range(1, 26), 9.0, STOPPED)
    trained(tmp_path, "2", range(1, 26), 8.0, STOPPED, stage="test:train")  # which did not train this stage
    trained(tmp_path, "4", range(1, 26), 7.0, STOPPED)  # later
    loss, evaluated = curves_before(tmp_path, FolderMade(), "3", STAGE, LATE)
    assert (loss.x, set(loss.y)) == ([float(step) for step in range(1, 21)], {9.0})
    assert (evaluated.x, evaluated.y) == ([10.0, 20.0], [10.0, 10.0])


def test_a_run_that_was_resumed_itself_leads_to_the_one_before(tmp_path: Path) -> None:
    trained(tmp_path, "1", range(1, 13), 9.0)  # killed
    trained(tmp_path, "2", range(11, 24), 8.0, STOPPED)
    loss, evaluated = curves_before(tmp_path, FolderMade(), "3", STAGE, LATE)
    assert loss.x == [float(step) for step in range(1, 21)]
    assert loss.y == [9.0] * 10 + [8.0] * 10
    assert evaluated.y == [10.0, 9.0]


def test_another_training_is_not_taken_for_it(tmp_path: Path) -> None:
    trained(tmp_path, "1", range(1, 26), 9.0, STOPPED)
    trained(tmp_path, "2", range(1, 26), 8.0, DONE)
    assert curves_before(tmp_path, FolderMade(), "3", STAGE, LATE) == (Series(), Series())
    trained(tmp_path, "3", range(1, 5), 7.0, STOPPED)  # the checkpoint of step 20 is none of its
    assert curves_before(tmp_path, FolderMade(), "4", STAGE, LATE) == (Series(), Series())


def test_the_artifact_of_a_training_that_ended_has_it_whole(tmp_path: Path) -> None:
    trained(tmp_path, "1", range(1, 26), 9.0, STOPPED)
    rows = b"".join(b'{"step": %d, "loss": 5.0}\n' % step for step in range(1, 41))
    made = FolderMade({(STAGE, "metrics.jsonl"): rows})
    loss, _ = curves_before(tmp_path, made, "3", STAGE, LATE)
    assert (loss.x[-1], len(loss), set(loss.y)) == (20.0, 20, {5.0})
