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


def prepare(settings: dict[str, Any], state: Path) -> None:
    """Import unsloth where it is to train: it changes other libraries, which have to be imported after it.

    Call before anything imports transformers or trl. Raises DataError where it cannot be loaded.
    """
    if settings["backend"] == "trl":
        return
    resumed = any((state / "checkpoints").glob("checkpoint-*"))
    if chosen_backend(settings, state / "backend", resumed=resumed) == "unsloth":
        # Code that it writes for itself, by default into the current directory.
        os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(state / "unsloth"))
        load("unsloth")


def chosen_backend(settings: dict[str, Any], chosen: Path, *, resumed: bool) -> str:
    """ "trl" or "unsloth" by `[trainer]`; a resumed training keeps what it began with, which the file `chosen` says.

    `auto` is unsloth for an adapter where it is installed and there is a GPU.
    """
    backend = settings["backend"]
    if backend == "auto":
        before = chosen.read_text("utf-8") if resumed and chosen.exists() else ""
        backend = before if before in ("trl", "unsloth") else _best(settings["method"])
    chosen.write_text(backend, "utf-8")
    return str(backend)


def _best(method: str) -> str:
    import torch

    usable = method == "lora" and torch.cuda.is_available() and importlib.util.find_spec("unsloth") is not None
    return "unsloth" if usable else "trl"


def load(backend: str) -> ModuleType:
    """The module of a backend. The code fingerprint does not see it: `fgbuild.stages.train` declares it."""
    return importlib.import_module(f"{__name__}.{backend}")
