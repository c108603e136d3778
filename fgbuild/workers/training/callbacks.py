"""Live events of a training run, and the guard that stops one that cannot go well."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import psutil
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from fgbuild.errors import StageError
from fgbuild.workers.protocol import Reporter
from fgbuild.workers.training.trainer import PrefixSharedTrainer

_RECORDED: tuple[str, ...] = ("loss", "eval_loss", "learning_rate", "grad_norm")


class ReportingCallback(TrainerCallback):
    """Turns transformers' log records into `stage.metric` and `stage.progress` events.

    Loss, learning rate and gradient norm also go to `metrics.jsonl`, without times, so that the
    same training gives the same artifact. A loss or a gradient norm that is not finite raises.
    """

    def __init__(self, reporter: Reporter, metrics: Path, precision: str) -> None:
        self._reporter = reporter
        self._metrics = metrics
        self._precision = precision
        self._process = psutil.Process()
        self._since = time.monotonic()
        self._represented = self._computed = 0
        self.trainer: PrefixSharedTrainer | None = None
        self.recording = True
        """Whether records go to the metrics file; the last evaluation goes to the summary instead."""
        self.eval_loss: float | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._reporter.restart_clock(state.global_step)
        self._since = time.monotonic()

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
        logs = logs or {}
        known = {name: logs[name] for name in _RECORDED if name in logs}
        if "loss" not in known and "eval_loss" not in known:
            return
        self._require_finite(known, state.global_step)
        self.eval_loss = known.get("eval_loss", self.eval_loss)
        if self.recording:
            with self._metrics.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"step": state.global_step, **known}) + "\n")
        self._reporter.emit("stage.metric", step=state.global_step, **known, **self._rates())

    def _require_finite(self, known: dict[str, float], step: int) -> None:
        for name in known:
            if not math.isfinite(known[name]):
                precise = "" if self._precision == "fp32" else ' or set trainer.precision = "fp32"'
                raise StageError(
                    f"{name} is {known[name]} at step {step}; lower trainer.learning_rate{precise}, and build again "
                    "(a changed setting trains from the start)"
                )

    def _rates(self) -> dict[str, float]:
        """Tokens a second since the last record: those represented, and those really computed."""
        now, trainer = time.monotonic(), self.trainer
        memory = round(self._process.memory_info().rss / 1e6)
        if trainer is None or trainer.represented_tokens == self._represented:
            return {"memory_mb": memory}
        seconds = now - self._since
        rates = {
            "tokens_per_s": round((trainer.represented_tokens - self._represented) / seconds, 1),
            "computed_tokens_per_s": round((trainer.computed_tokens - self._computed) / seconds, 1),
            "memory_mb": memory,
        }
        self._since = now
        self._represented, self._computed = trainer.represented_tokens, trainer.computed_tokens
        return rates
