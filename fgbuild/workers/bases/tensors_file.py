"""Reads and writes safetensors with bfloat16, which numpy lacks, and without torch.

Format: https://huggingface.co/docs/safetensors: a 64-bit header length, a JSON header of
{name: {dtype, shape, data_offsets}}, then the tensors' bytes.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbuild.errors import FgbuildError
from fgbuild.gguf_io.quant import Bf16Bits, Float32, bf16_to_float32, float32_to_bf16
from fgbuild.gguf_io.tensors import Buffer, as_bytes

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}
MAX_HEADER = 100_000_000
"""The format's own limit on the header's length."""


@dataclass(frozen=True)
class Output:
    """One tensor to write; `chunks` gives its bytes in order."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[Buffer]]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


def write(path: Path, tensors: Sequence[Output], progress: Callable[[int], None] = lambda _: None) -> None:
    """Write the tensors in the given order; `progress` gets the bytes written after each chunk."""
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        end = offset + tensor.nbytes
        table[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": (offset, end)}
        offset = end
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        for tensor in tensors:
            start = stream.tell()
            for chunk in tensor.chunks():
                stream.write(as_bytes(chunk))
                progress(stream.tell())
            if stream.tell() - start != tensor.nbytes:
                raise ValueError(f"{tensor.name}: {stream.tell() - start} bytes written, not {tensor.nbytes}")


@dataclass(frozen=True)
class Entry:
    """Where a stored tensor lies; `start` and `end` count from the file's first byte."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class SafetensorsFile:
    """A mapped safetensors file. Raises FgbuildError where its header cannot be trusted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                self._buffer = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
            self.entries = self._table()
        except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
            raise FgbuildError(f"{path}: not a sound safetensors file ({error}); build or download it again") from None

    def _table(self) -> dict[str, Entry]:
        (length,) = struct.unpack_from("<Q", self._buffer)
        if length > MAX_HEADER or 8 + length > len(self._buffer):
            raise ValueError(f"its header claims {length} bytes")
        data = 8 + length
        table: dict[str, Entry] = {}
        for name, item in json.loads(bytes(self._buffer[8:data])).items():
            if name == "__metadata__":
                continue
            start, end = (data + int(offset) for offset in item["data_offsets"])
            shape = tuple(int(size) for size in item["shape"])
            if end - start != math.prod(shape) * ITEM_BYTES[item["dtype"]]:
                raise ValueError(f"tensor {name!r} does not have the bytes of its shape")
            if not data <= start <= end <= len(self._buffer):
                raise ValueError(f"tensor {name!r} lies outside the file")
            table[name] = Entry(item["dtype"], shape, start, end)
        return table

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def entry(self, name: str) -> Entry:
        """Raises FgbuildError where the file has no such tensor."""
        if name not in self.entries:
            raise FgbuildError(f"{self.path}: no tensor named {name!r}; build or download it again")
        return self.entries[name]

    def raw(self, name: str) -> memoryview:
        """A tensor's stored bytes, as a view of the file."""
        entry = self.entry(name)
        return self._buffer[entry.start : entry.end]

    def float32(self, name: str, rows: slice = slice(None)) -> Float32:
        """A tensor, or some of its rows, as float32."""
        values = self._stored(name)[rows]
        dtype = self.entry(name).dtype
        return bf16_to_float32(values) if dtype == "BF16" else np.asarray(values, dtype=np.float32)

    def bf16(self, name: str, rows: slice = slice(None)) -> Bf16Bits:
        """A tensor, or some of its rows, as bfloat16 bits."""
        if self.entry(name).dtype == "BF16":
            return self._stored(name)[rows]
        return float32_to_bf16(self.float32(name, rows))

    def _stored(self, name: str) -> NDArray[Any]:
        entry = self.entry(name)
        kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
        if entry.dtype not in kinds:
            raise FgbuildError(f"{self.path}: tensor {name!r} is {entry.dtype}, not a floating-point type")
        return np.frombuffer(self.raw(name), dtype=kinds[entry.dtype]).reshape(entry.shape)
