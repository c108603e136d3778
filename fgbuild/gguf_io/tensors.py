"""Tensor types of GGUF and the entries of its tensor table."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Buffer: TypeAlias = "bytes | memoryview | np.ndarray[Any, Any]"
"""What tensor bytes come as; numpy is imported only by those who pass its arrays."""


def as_bytes(data: Buffer) -> memoryview:
    """The bytes of `data`, which must be contiguous, without a copy."""
    return memoryview(data).cast("B")  # type: ignore[arg-type]


ALIGNMENT = 32
"""Default of `general.alignment`: every tensor starts at a multiple of this many bytes."""


class TensorType(enum.IntEnum):
    """ggml's type numbers, those that a Gemma file is found with."""

    F32 = 0
    F16 = 1
    Q4_0 = 2
    Q4_1 = 3
    Q5_0 = 6
    Q5_1 = 7
    Q8_0 = 8
    Q2_K = 10
    Q3_K = 11
    Q4_K = 12
    Q5_K = 13
    Q6_K = 14
    IQ4_NL = 20
    IQ4_XS = 23
    BF16 = 30


BLOCKS: dict[TensorType, tuple[int, int]] = {
    TensorType.F32: (1, 4),
    TensorType.F16: (1, 2),
    TensorType.BF16: (1, 2),
    TensorType.Q4_0: (32, 18),
    TensorType.Q4_1: (32, 20),
    TensorType.Q5_0: (32, 22),
    TensorType.Q5_1: (32, 24),
    TensorType.Q8_0: (32, 34),
    TensorType.Q2_K: (256, 84),
    TensorType.Q3_K: (256, 110),
    TensorType.Q4_K: (256, 144),
    TensorType.Q5_K: (256, 176),
    TensorType.Q6_K: (256, 210),
    TensorType.IQ4_NL: (32, 18),
    TensorType.IQ4_XS: (256, 136),
}
"""Type → (values, bytes) of one block; a row holds whole blocks. From ggml's type traits."""


@dataclass(frozen=True)
class TensorInfo:
    """One entry of the tensor table.

    shape: (columns, rows, …), the fastest dimension first, as GGUF stores it.
    offset: of the first byte from the start of the file.
    """

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    nbytes: int

    @property
    def rows(self) -> int:
        return math.prod(self.shape[1:])

    @property
    def row_bytes(self) -> int:
        return self.nbytes // self.rows


def byte_size(shape: tuple[int, ...], kind: TensorType) -> int:
    """Bytes of a tensor. Raises ValueError where a row does not hold whole blocks."""
    values, size = BLOCKS[kind]
    if shape[0] % values:
        raise ValueError(f"rows of {shape[0]} values do not divide into {kind.name} blocks of {values}")
    return math.prod(shape) // values * size


def padded(size: int, alignment: int = ALIGNMENT) -> int:
    """`size` rounded up to the alignment."""
    return -(-size // alignment) * alignment
