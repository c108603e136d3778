"""What a training that was cut off left behind, and what of it can be trusted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerState

TRAINER_STATE = "trainer_state.json"
"""The file of a checkpoint that transformers' Trainer writes last."""


def last_complete(directory: Path) -> tuple[Path, TrainerState] | None:
    """The newest complete checkpoint and its state; every other one is removed.

    A checkpoint without a sound state file was being written when the process died.
    """
    found = sorted(directory.glob("checkpoint-*"), key=_step, reverse=True)
    complete: tuple[Path, TrainerState] | None = None
    for checkpoint in found:
        state = None if complete else _state(checkpoint)
        if state is None:
            shutil.rmtree(checkpoint, ignore_errors=True)
        else:
            complete = checkpoint, state
    return complete


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _state(checkpoint: Path) -> TrainerState | None:
    try:
        return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE))
    except (OSError, ValueError, TypeError):
        return None


def keep_metrics(path: Path, last_step: int) -> None:
    """Drop the records past `last_step`, and a last line that was cut off; all of them for -1."""
    records = [record for record in read_metrics(path) if record["step"] <= last_step]
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    os.replace(temporary, path)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a metrics file, without a last line that was cut off; [] where there is none."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def same_threads(path: Path, threads: int, *, resumed: bool) -> int:
    """The thread count to train with: the one the training began with, kept in `path`.

    Sums over a dimension depend on how many threads share it, and a resumed training shall end
    with the bytes of an uninterrupted one.
    """
    if resumed and path.exists() and path.read_text("utf-8").isdigit():
        return int(path.read_text("utf-8"))
    path.write_text(str(threads), "utf-8")
    return threads
