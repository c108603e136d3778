"""Between stored tensor bytes, float32 and bfloat16, a few thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fgbuild.gguf_io.tensors import BLOCKS, TensorType

Float32 = NDArray[np.float32]
Bf16Bits = NDArray[np.uint16]
CHUNK_VALUES = 1 << 22
"""Values worked on at once: 16 MB as float32."""


def bf16_to_float32(bits: Bf16Bits) -> Float32:
    """Exact: bfloat16 is the upper half of a float32."""
    return np.left_shift(bits, 16, dtype=np.uint32).view(np.float32)


def float32_to_bf16(values: Float32) -> Bf16Bits:
    """Round to nearest, ties to even; a NaN stays a NaN."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = ((bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    nan = np.isnan(values)
    if nan.any():
        rounded[nan] = 0x7FC0
    return rounded


def quantize(values: Float32, kind: TensorType) -> NDArray[np.uint8]:
    """(rows, columns) float32 → (rows, bytes per row), by the gguf library's own rounding.

    Raises ValueError for NaN and infinity, OverflowError for what float16 cannot hold.
    """
    import gguf

    if not np.isfinite(values).all():
        raise ValueError("the weights hold NaN or infinity")
    if kind is TensorType.F16 and np.abs(values).max(initial=0) > np.finfo(np.float16).max:
        raise OverflowError("a weight is beyond what float16 can hold")
    if kind is TensorType.BF16:
        return float32_to_bf16(values).view(np.uint8)
    return gguf.quants.quantize(values, gguf.GGMLQuantizationType(int(kind))).view(np.uint8)


def dequantize(data: NDArray[np.uint8], kind: TensorType) -> Float32:
    """(rows, bytes per row) → (rows, columns) float32."""
    import gguf

    return np.asarray(gguf.quants.dequantize(data, gguf.GGMLQuantizationType(int(kind))), dtype=np.float32)


def dequantized_chunks(data: memoryview, columns: int, kind: TensorType) -> Iterator[Float32]:
    """A stored tensor as float32 chunks of (some rows, columns), in order."""
    values, size = BLOCKS[kind]
    rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, columns // values * size)
    step = max(1, CHUNK_VALUES // columns)
    for start in range(0, len(rows), step):
        yield dequantize(rows[start : start + step], kind)
