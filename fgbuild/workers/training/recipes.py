"""When a training stops early and which of its weights go on, by the eval loss.

All of it is worked out from the log that transformers keeps in every checkpoint, so that a training that was cut off
decides as an uninterrupted one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


@dataclass(frozen=True)
class Measured:
    """The eval loss after an optimizer step."""

    step: int
    eval_loss: float


def measurements(state: TrainerState) -> list[Measured]:
    """Every measurement so far, in order."""
    return [Measured(int(entry["step"]), entry["eval_loss"]) for entry in state.log_history if "eval_loss" in entry]


def best_measured(state: TrainerState) -> Measured | None:
    """The lowest eval loss so far, the first of equal ones; None where nothing was measured."""
    return min(measurements(state), key=lambda found: found.eval_loss, default=None)


def gave_up(state: TrainerState, patience: int) -> bool:
    """Whether the last `patience` measurements brought nothing lower; never for 0."""
    losses = [found.eval_loss for found in measurements(state)]
    return bool(patience and losses) and len(losses) - 1 - losses.index(min(losses)) >= patience


class RecipeCallback(TrainerCallback):
    """Stops after `patience` measurements without a lower loss (0: never), and saves where the lowest one was.

    keep_best: whether the weights of the lowest loss will be asked for, which need a checkpoint.
    """

    def __init__(self, patience: int, *, keep_best: bool) -> None:
        self._patience = patience
        self._keep_best = keep_best

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        best = best_measured(state)
        if self._keep_best and best is not None and best.step == state.global_step:
            control.should_save = True
        if gave_up(state, self._patience):
            # With a checkpoint here, a process that dies now does not train on.
            control.should_training_stop = control.should_save = True
