"""Live events of a training run, and the guard that stops one that cannot go well."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import psutil
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from fgbuild.errors import StageError
from fgbuild.workers.protocol import Reporter
from fgbuild.workers.training.checkpoints import newest_step

_RECORDED: tuple[str, ...] = ("loss", "eval_loss", "learning_rate", "grad_norm")


def records(state: TrainerState) -> list[dict[str, Any]]:
    """Loss, eval loss, learning rate and gradient norm by step, without times: equal trainings have equal ones."""
    found = [(entry["step"], _known(entry)) for entry in state.log_history]
    return [{"step": step, **known} for step, known in found if "loss" in known or "eval_loss" in known]


def _known(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in _RECORDED if name in entry}


class ReportingCallback(TrainerCallback):
    """Turns transformers' log records into `stage.metric` and `stage.progress` events.

    A loss or a gradient norm that is not finite raises StageError. A step's record comes before its checkpoint, so
    that no checkpoint holds what came of such a step.
    """

    def __init__(self, reporter: Reporter, precision: str) -> None:
        self._reporter = reporter
        self._precision = precision
        self._process = psutil.Process()
        self._since = time.monotonic()
        self._represented = self._computed = 0
        self._processes = 1
        self.trainer: Trainer | None = None
        """Asked for `represented_tokens` and `computed_tokens`, where it counts them."""

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._reporter.restart_clock(state.global_step)
        self._processes = args.world_size
        self._since = time.monotonic()
        self._represented, self._computed = self._counted()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._reporter.progress(state.global_step, state.max_steps, "steps")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        known = _known(logs or {})
        if "loss" not in known and "eval_loss" not in known:
            return
        self._require_finite(known, state.global_step, Path(args.output_dir or "."))
        self._reporter.emit("stage.metric", step=state.global_step, **known, **self._rates())

    def _require_finite(self, known: dict[str, float], step: int, checkpoints: Path) -> None:
        for name in known:
            if not math.isfinite(known[name]):
                precise = "" if self._precision == "fp32" else ' or set trainer.precision = "fp32"'
                last = newest_step(checkpoints)
                kept = "no checkpoint was made yet" if last is None else f"the checkpoint of step {last} is kept"
                raise StageError(
                    f"{name} is {known[name]} at step {step}; lower trainer.learning_rate{precise}, and build again "
                    f"(a changed setting trains from the start; {kept})"
                )

    def _rates(self) -> dict[str, float]:
        """Tokens a second since the last record: those represented, and those really computed.

        Of several processes each is taken to have as many as this one.
        """
        now = time.monotonic()
        represented = getattr(self.trainer, "represented_tokens", 0) * self._processes
        computed = getattr(self.trainer, "computed_tokens", 0) * self._processes
        memory = round(self._process.memory_info().rss / 1e6)
        if represented == self._represented:
            return {"memory_mb": memory}
        seconds = now - self._since
        rates = {
            "tokens_per_s": round((represented - self._represented) / seconds, 1),
            "computed_tokens_per_s": round((computed - self._computed) / seconds, 1),
            "memory_mb": memory,
        }
        self._since = now
        self._represented, self._computed = represented, computed
        return rates

    def _counted(self) -> tuple[int, int]:
        """Tokens represented and computed so far, where the trainer counts them."""
        return getattr(self.trainer, "represented_tokens", 0), getattr(self.trainer, "computed_tokens", 0)
