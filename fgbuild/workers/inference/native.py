"""llama.cpp's library as this project loads it, and what it says when something fails."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from typing import Any

from fgbuild.errors import StageError

# Read by OpenMP once, as llama.cpp is loaded: threads that wait by spinning make decoding ten
# times slower wherever something else wants a core too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import llama_cpp

GGML_LOG_LEVEL_ERROR = 3

_errors: deque[str] = deque(maxlen=8)


class LlamaError(StageError):
    """llama.cpp could not load the file or evaluate a prompt."""


@llama_cpp.llama_log_callback
def _collect_errors(level: int, text: bytes, _user_data: Any) -> None:
    """Keep llama.cpp's error lines for our messages; its other output is noise in a worker's log."""
    if level == GGML_LOG_LEVEL_ERROR:
        line = text.decode("utf-8", "replace").strip()
        if line:
            _errors.append(line)


def start() -> None:
    """Make llama.cpp ready, with its log kept here; safe to call again."""
    llama_cpp.llama_log_set(_collect_errors, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    _errors.clear()


def last_error() -> str:
    return _errors[-1] if _errors else "it gave no reason."
