"""One training, from rows of token ids to an adapter or to all weights anew.

Checkpoints go to `state`, and a training that was cut off goes on from the last one. On CPU the
same training gives the same bytes with the same number of threads and of processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic as deterministic
from transformers import TrainerState, enable_full_determinism
from trl import SFTConfig, SFTTrainer

from fgbuild.errors import DataError
from fgbuild.workers.protocol import Reporter
from fgbuild.workers.training.backends import chosen_backend, load
from fgbuild.workers.training.batch_size import Batch, predicted_peak, remembered_batch
from fgbuild.workers.training.callbacks import ReportingCallback, records
from fgbuild.workers.training.checkpoints import last_complete, of_step, same_threads
from fgbuild.workers.training.distributed import Silent, by_main, draw_apart, is_main, leave, part_of
from fgbuild.workers.training.memory import keep_freed_memory
from fgbuild.workers.training.precision import choose_precision
from fgbuild.workers.training.recipes import RecipeCallback, best_measured, gave_up
from fgbuild.workers.training.save import save
from fgbuild.workers.training.task import Rows, Training

__all__ = ["Rows", "Training", "fine_tune"]

CHECKPOINT_EVERY = 10
"""Steps between checkpoints; one is about 45 MB for all-linear LoRA of rank 16, optimizer included."""

FULL_CHECKPOINT_EVERY = 50
"""The same where all weights are trained; one is about 3.2 GB."""


def fine_tune(training: Training, reporter: Reporter) -> None:
    """Train, or go on with what was cut off, and write `training.output`.

    Raises StageError for a loss or gradient that is no number, DataError for a setting that this device, base or data
    cannot bear, or that several processes cannot share; each message names the field and the next step.
    """
    settings, state = training.trainer, training.state
    if settings["eval_every"] and not training.eval and (settings["early_stopping"] or settings["keep"] == "best"):
        raise DataError("trainer.eval_every: there is no held-out example to measure on; raise dataset.eval_fraction")
    reporter = reporter if is_main() else Silent(reporter.stage)
    last = by_main(lambda: last_complete(state / "checkpoints"))
    resumed = last is not None
    threads, precision, backend = by_main(lambda: _remembered(training, resumed=resumed))
    torch.set_num_threads(threads)
    keep_freed_memory()
    reporter.note(f"training in {precision} on {'cuda' if torch.cuda.is_available() else 'cpu'}")
    build = _Builder(training, precision, backend, reporter)
    shared = part_of(settings, backend)
    batch = remembered_batch(shared, state / "batch_size", build.trial, training.train, resumed=resumed)
    trainer = build.trainer(batch)
    peak = predicted_peak(trainer, training.train, batch)
    reporter.note(f"peak memory predicted: {peak / 1e9:.1f} GB")
    draw_apart(settings["seed"])
    if last:
        reporter.note(f"resumed from the checkpoint at step {last[1].global_step}")
    if last and is_over(last[1], settings["early_stopping"]):
        # The Trainer makes a step before it looks at how many there are to be.
        take_over(trainer, *last)
    else:
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    reporter.emit("stage.result", summary=finish(training, trainer, precision, backend, batch))
    leave()


def _remembered(training: Training, *, resumed: bool) -> tuple[int, str, str]:
    """Threads, precision and backend: those that the training began with, where it goes on."""
    settings, state = training.trainer, training.state
    return (
        same_threads(state / "threads", torch.get_num_threads(), resumed=resumed),
        choose_precision(settings["precision"], state / "precision", resumed=resumed),
        chosen_backend(settings, training.lora, state / "backend", resumed=resumed),
    )


class _Builder:
    """Makes the trainer of a task, with its random numbers from the start each time."""

    def __init__(self, training: Training, precision: str, backend: str, reporter: Reporter) -> None:
        self._training = training
        self._precision = precision
        self._backend = backend
        self._reporter = reporter

    def trainer(self, batch: Batch) -> SFTTrainer:
        settings = self._training.trainer
        enable_full_determinism(settings["seed"], warn_only=torch.cuda.is_available())
        # Every operation used here writes all of its output, so filling it first would be work done twice.
        deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch ships no stub for it
        report = ReportingCallback(self._reporter, self._precision)
        recipe = RecipeCallback(settings["early_stopping"], keep_best=settings["keep"] == "best")
        given = arguments(self._training, batch)
        trainer = load(self._backend).build(self._training, self._precision, given, [report, recipe])
        trainer.keeps_best = settings["keep"] == "best"
        report.trainer = trainer
        return trainer

    def trial(self) -> SFTTrainer:
        """A trainer of one row at a time, to measure with."""
        return self.trainer(Batch(1, 1))


def arguments(training: Training, batch: Batch) -> SFTConfig:
    """A manifest's `[trainer]` in TRL's words."""
    settings = training.trainer
    evaluates = bool(training.eval) and settings["eval_every"] > 0
    return SFTConfig(
        output_dir=str(training.state / "checkpoints"),
        num_train_epochs=settings["epochs"],
        max_steps=settings["max_steps"],
        per_device_train_batch_size=batch.size,
        # Without gradients four times the rows take the same memory, and share one pass over the prompt.
        per_device_eval_batch_size=4 * batch.size,
        gradient_accumulation_steps=batch.passes,
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=settings["schedule"],
        warmup_steps=settings["warmup_steps"],
        weight_decay=settings["weight_decay"],
        max_grad_norm=settings["max_grad_norm"],
        seed=settings["seed"],
        data_seed=settings["seed"],
        full_determinism=not torch.cuda.is_available(),
        bf16=False,  # the trainer's own functions say what is in bf16; autocast would cast the rest as well
        fp16=False,
        gradient_checkpointing=False,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=settings["eval_every"] if evaluates else None,
        save_strategy="steps",
        save_steps=FULL_CHECKPOINT_EVERY if training.full else CHECKPOINT_EVERY,
        save_total_limit=None,  # the trainer removes older ones itself
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )


def is_over(state: TrainerState, patience: int) -> bool:
    """Whether a training has made all its steps, or stopped early."""
    return state.global_step >= state.max_steps or gave_up(state, patience)


def take_over(trainer: SFTTrainer, checkpoint: Path, state: TrainerState) -> None:
    """Give the trainer the weights of a checkpoint, and `state`."""
    trainer._load_from_checkpoint(str(checkpoint))
    trainer.state = state


def finish(training: Training, trainer: SFTTrainer, precision: str, backend: str, batch: Batch) -> dict[str, Any]:
    """Write what the training made, with the weights that the manifest wants to keep; returns its summary."""
    settings, state = training.trainer, trainer.state
    model: Any = trainer.model
    metrics = records(state)
    losses = [record["loss"] for record in metrics if "loss" in record]
    best = best_measured(state) if settings["keep"] == "best" else None
    eval_loss = None
    if best is not None:
        if best.step != state.global_step:
            trainer._load_from_checkpoint(str(of_step(training.state / "checkpoints", best.step)))
        eval_loss = best.eval_loss
    elif training.eval:
        eval_loss = trainer.evaluate()["eval_loss"]
    summary: dict[str, Any] = {
        "steps": state.global_step,
        "loss_first": losses[0],
        "loss": losses[-1],
        "eval_loss": eval_loss,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "precision": precision,
        "method": settings["method"],
        "backend": backend,
    }
    if best is not None:
        summary |= {"best_step": best.step, "best_eval_loss": best.eval_loss}
    if state.global_step < state.max_steps:
        summary["stopped_early"] = True
    if settings["batch_size"] == "auto":
        summary["batch_size"] = batch.size
    if is_main():
        save(training, model, metrics, summary)
    return summary
