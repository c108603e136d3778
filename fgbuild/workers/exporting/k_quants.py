"""llama.cpp's own quantiser, through llama-cpp-python, and the importance matrices that it can weigh errors by."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from fgbuild.errors import FgbuildError, StageError
from fgbuild.gguf_io import header
from fgbuild.gguf_io.file_types import FILE_TYPES
from fgbuild.gguf_io.header import GgufFile
from fgbuild.gguf_io.quant import Float32
from fgbuild.gguf_io.tensors import TensorType

SUMS, COUNTS = ".in_sum2", ".counts"
"""What llama-imatrix appends to a tensor's name: sums of squared activations, and of how many tokens."""


def quantize(
    source: Path, target: Path, quant_type: str, importance: Mapping[str, Float32], progress: Callable[[int], None]
) -> None:
    """Write `source` to `target` in a k-quant type; Q8_0 tensors of it must be to stay so, and are copied.

    importance: GGUF name → weight (columns,) of each column's error; {} for none. progress: gets the bytes written.
    Raises StageError where llama.cpp refuses; its reason is in the stage's log.
    """
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = FILE_TYPES[quant_type]
    params.nthread = int(os.environ.get("OMP_NUM_THREADS", "0"))  # cores that the build granted; 0: all
    weights = {name: np.ascontiguousarray(values, np.float32) for name, values in importance.items()}
    if weights:
        params.imatrix = _entries(weights)
    llama_cpp.llama_backend_init()
    with ThreadPoolExecutor(1) as pool:
        paths = os.fsencode(source), os.fsencode(target)
        running = pool.submit(lambda: llama_cpp.llama_model_quantize(*paths, ctypes.byref(params)))
        while True:
            try:
                code = running.result(timeout=0.2)
                break
            except TimeoutError:
                progress(target.stat().st_size if target.exists() else 0)
    if code:
        raise StageError(f"llama.cpp's quantiser ended with {code}; its reason is in the stage's log")


def _entries(importance: Mapping[str, Float32]) -> Any:
    """The matrix as llama.cpp's C structures, closed by one without a name. They point into the given arrays."""
    from llama_cpp import llama_cpp

    kind = llama_cpp.llama_model_imatrix_data
    pointer = ctypes.POINTER(ctypes.c_float)
    filled = [kind(name.encode(), values.ctypes.data_as(pointer), values.size) for name, values in importance.items()]
    return (kind * (len(filled) + 1))(*filled)


def read_importance(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Float32]:
    """Mean squared activation of each column, by tensor, from a file of llama.cpp's llama-imatrix.

    shapes: GGUF name → (columns, rows) of the model. Raises FgbuildError for a file of another kind or model.
    """
    file = header.read(path)
    found = {name.removesuffix(SUMS): _means(file, name) for name in file.tensors if name.endswith(SUMS)}
    if not found:
        raise FgbuildError(f"quant.imatrix: {path} holds no activations; make it with llama-imatrix, in GGUF format")
    for name, values in found.items():
        columns = shapes[name][0] if name in shapes else None
        if columns != values.size:
            raise FgbuildError(
                f"quant.imatrix: {path} is of another model: {name} has {values.size} columns there and "
                f"{columns or 'none'} here; make it from this base"
            )
    return found


def _means(file: GgufFile, name: str) -> Float32:
    """Columns without a token weigh 1, as in llama.cpp's quantize."""
    counts_name = name.removesuffix(SUMS) + COUNTS
    for needed in (name, counts_name):
        if file.tensor(needed).type is not TensorType.F32:
            raise FgbuildError(f"quant.imatrix: {file.path}: {needed} is not float32; make it again with llama-imatrix")
    sums, counts = (np.frombuffer(file.tensor_bytes(part), "<f4") for part in (name, counts_name))
    if counts.size != 1 or not np.isfinite(sums).all():
        raise FgbuildError(f"quant.imatrix: {file.path}: {name} is damaged or of a mixture of experts; make it again")
    return sums / counts if counts[0] > 0 else np.ones_like(sums)
