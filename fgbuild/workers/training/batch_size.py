"""How many rows go through the model at once: as the manifest says, or as many as memory takes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild.errors import DataError
from fgbuild.workers.training.footprint import Footprint, Trained, batch_sizes, free_bytes, measure, size_of

SPARE = 0.85
"""The share of free memory that `auto` lets a step take: other processes want some as well."""


@dataclass(frozen=True)
class Batch:
    """size: rows in one forward and backward pass. passes: of them in an optimizer step."""

    size: int
    passes: int


Rows = Sequence[dict[str, Any]]


def remembered_batch(
    settings: dict[str, Any], chosen: Path, trial: Callable[[], Trained], rows: Rows, *, resumed: bool
) -> Batch:
    """The batch by `[trainer]`; a resumed training keeps what it began with, in the file `chosen`.

    trial: makes a trainer of one row at a time, which `auto` measures `rows` with.
    """
    if settings["batch_size"] != "auto":
        return Batch(settings["batch_size"], settings["gradient_accumulation"])
    effective = settings["effective_batch"]
    before = chosen.read_text("utf-8") if resumed and chosen.exists() else ""
    if before.isdigit() and effective % max(1, int(before)) == 0:
        size = int(before)
    else:
        trainer = trial()
        size = max(1, largest(trainer, measure(trainer, rows), rows, effective, SPARE * free_bytes()))
        del trainer
        gc.collect()  # the trial's model, which is part of circles of references
    chosen.write_text(str(size), "utf-8")
    return Batch(size, effective // size)


def largest(trainer: Trained, footprint: Footprint, rows: Rows, effective: int, free: float) -> int:
    """The largest divisor of `effective` of which so many of the longest `rows` fit in `free` bytes; 0: not one row."""
    longest = sorted(rows, key=lambda row: len(row["input_ids"]), reverse=True)
    sizes = (size for size in range(effective, 0, -1) if effective % size == 0)
    return next((size for size in sizes if footprint.step(*size_of(trainer, longest[:size])) <= free), 0)


def predicted_peak(trainer: Trained, rows: Rows, batch: Batch, *, free: float | None = None) -> int:
    """Peak memory of the training, in bytes. Raises DataError where that is more than there is, with what fits.

    free: bytes that are free; default: now.
    """
    footprint = measure(trainer, rows)
    free = free_bytes() if free is None else free
    needed = footprint.largest_step(batch_sizes(trainer))
    if needed <= free:
        return footprint.resident + needed
    said = f"{batch.size} rows at once take {needed / 1e9:.1f} GB, and {max(free, 0) / 1e9:.1f} GB are free"
    size = largest(trainer, footprint, rows, batch.size, free)
    if 0 < size < batch.size:
        passes = batch.passes * batch.size // size
        step = f"set batch_size = {size} and gradient_accumulation = {passes}, which train the same"
    else:
        step = "free memory, or train on another machine"
    raise DataError(f"trainer.batch_size: {said}; {step}")
