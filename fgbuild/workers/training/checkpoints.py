"""Checkpoints that are there whole or not at all, and what a training that was cut off goes on from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerState

from fgbuild.workers.training.distributed import is_main, wait_for_all
from fgbuild.workers.training.recipes import best_measured

if TYPE_CHECKING:
    from transformers import Trainer
else:
    Trainer = object

TRAINER_STATE = "trainer_state.json"
"""The file of a checkpoint that transformers' Trainer writes last."""

UNFINISHED = "unfinished"
"""Where a checkpoint is written before it gets its name, and where one goes to be removed."""

KEPT = 2
"""Newest checkpoints that stay."""


class AtomicCheckpoints(Trainer):
    """Makes a transformers Trainer's checkpoints appear whole; to be named before the trainer among the bases.

    Each is written aside, brought to the disk, and renamed to checkpoint-N; then older ones go. A process that is
    killed, or a machine that loses power, at any moment leaves the checkpoints before or after that rename.
    Of several processes each writes its own random numbers, and the main one the rest.
    """

    keeps_best = False
    """Whether the checkpoint with the lowest eval loss stays too."""

    _aside: Path | None = None

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._aside) if self._aside else super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        directory = Path(self.args.output_dir or ".")
        aside = directory / UNFINISHED
        if is_main():
            shutil.rmtree(aside, ignore_errors=True)
        wait_for_all()
        self._aside = aside
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self._aside = None
        wait_for_all()
        if is_main():
            publish(of_step(aside, self.state.global_step), of_step(directory, self.state.global_step))
            best = best_measured(self.state) if self.keeps_best else None
            prune(directory, keep=[best.step] if best else [])
        wait_for_all()


def publish(source: Path, target: Path) -> None:
    """Move a directory to its final name, with all that is in it on the disk before."""
    for folder, _, names in os.walk(source):
        for path in (*(Path(folder, name) for name in names), Path(folder)):
            _to_disk(path)
    if target.exists():  # the same step, saved again by a training that began anew
        _remove(target)
    os.replace(source, target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(directory: Path, keep: Iterable[int] = ()) -> None:
    """Remove all checkpoints but the newest ones and those of the steps in `keep`."""
    kept = set(keep)
    for checkpoint in _newest_first(directory)[KEPT:]:
        if _step(checkpoint) not in kept:
            _remove(checkpoint)


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint, which no longer has its name when its first file goes."""
    doomed = checkpoint.parent / UNFINISHED / f"removed-{checkpoint.name}"
    doomed.parent.mkdir(exist_ok=True)
    shutil.rmtree(doomed, ignore_errors=True)
    os.replace(checkpoint, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def last_complete(directory: Path) -> tuple[Path, TrainerState] | None:
    """The newest complete checkpoint and its state; leftovers of unfinished ones are removed."""
    shutil.rmtree(directory / UNFINISHED, ignore_errors=True)
    for checkpoint in _newest_first(directory):
        state = _state(checkpoint)
        if state is not None:
            return checkpoint, state
        _remove(checkpoint)
    return None


def newest_step(directory: Path) -> int | None:
    """The step of the newest checkpoint, or None where there is none."""
    return next((_step(checkpoint) for checkpoint in _newest_first(directory)), None)


def of_step(directory: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return directory / f"checkpoint-{step}"


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob("checkpoint-*"), key=_step, reverse=True)


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _state(checkpoint: Path) -> TrainerState | None:
    try:
        return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE))
    except (OSError, ValueError, TypeError):
        return None


def same_threads(path: Path, threads: int, *, resumed: bool) -> int:
    """The thread count to train with: the one the training began with, kept in `path`.

    Sums over a dimension depend on how many threads share it, and a resumed training shall end
    with the bytes of an uninterrupted one.
    """
    if resumed and path.exists() and path.read_text("utf-8").isdigit():
        return int(path.read_text("utf-8"))
    path.write_text(str(threads), "utf-8")
    return threads
