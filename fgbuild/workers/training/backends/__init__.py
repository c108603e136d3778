"""Training libraries: each module here has `build`, which makes a trainer of a task.

`build(training, precision, arguments, callbacks)` returns an SFTTrainer that is ready to train.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from fgbuild.recipes import beyond_unsloth


def prepare(trainer: dict[str, Any], lora: dict[str, Any], state: Path) -> None:
    """Import unsloth where it is to train: it changes other libraries, which have to be imported after it.

    Call before anything imports transformers or trl. Raises DataError where it cannot be loaded.
    """
    if trainer["backend"] == "trl":
        return
    resumed = any((state / "checkpoints").glob("checkpoint-*"))
    if chosen_backend(trainer, lora, state / "backend", resumed=resumed) == "unsloth":
        # Code that it writes for itself, by default into the current directory.
        os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(state / "unsloth"))
        load("unsloth")


def chosen_backend(trainer: dict[str, Any], lora: dict[str, Any], chosen: Path, *, resumed: bool) -> str:
    """ "trl" or "unsloth" by the manifest; a resumed training keeps what it began with, which the file `chosen` says.

    `auto` is unsloth for an adapter that it can train, where it is installed and there is a GPU.
    """
    backend = trainer["backend"]
    if backend == "auto":
        before = chosen.read_text("utf-8") if resumed and chosen.exists() else ""
        backend = before if before in ("trl", "unsloth") else _best(trainer, lora)
    chosen.write_text(backend, "utf-8")
    return str(backend)


def _best(trainer: dict[str, Any], lora: dict[str, Any]) -> str:
    if beyond_unsloth(trainer, lora) or importlib.util.find_spec("unsloth") is None:
        return "trl"
    import torch

    return "unsloth" if torch.cuda.is_available() else "trl"


def load(backend: str) -> ModuleType:
    """The module of a backend. The code fingerprint does not see it: `fgbuild.stages.train` declares it."""
    return importlib.import_module(f"{__name__}.{backend}")
