"""Writes GGUF files, version 3, as a stream: no more than one chunk of a tensor is in memory.

Tensors follow each other in the given order, each padded to 32 bytes with zeros, the last one
too: llama.cpp expects exactly that layout.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fgbuild.gguf_io.header import MAGIC, GgufFile
from fgbuild.gguf_io.metadata import Field, GgufError, encode_string
from fgbuild.gguf_io.tensors import ALIGNMENT, Buffer, TensorInfo, TensorType, as_bytes, byte_size, padded

VERSION = 3


@dataclass(frozen=True)
class Tensor:
    """One tensor to write.

    shape: (columns, rows, …) as in the file. chunks: gives its bytes in order, in pieces of any
    size; called once, when the tensor's turn comes.
    """

    name: str
    shape: tuple[int, ...]
    type: TensorType
    chunks: Callable[[], Iterable[Buffer]]

    @property
    def nbytes(self) -> int:
        return byte_size(self.shape, self.type)


@dataclass(frozen=True)
class Patch:
    """New bytes at `offset` of a tensor that is otherwise copied."""

    offset: int
    data: bytes


def encode_header(metadata: Mapping[str, Field], tensors: Sequence[Tensor]) -> bytes:
    """The bytes before the first tensor, padding included."""
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(metadata))]
    for key, field in metadata.items():
        parts += (encode_string(key), field.encode())
    offset = 0
    for tensor in tensors:
        dimensions = len(tensor.shape)
        parts.append(encode_string(tensor.name))
        parts.append(struct.pack(f"<I{dimensions}Q", dimensions, *tensor.shape))
        parts.append(struct.pack("<IQ", tensor.type, offset))
        offset += padded(tensor.nbytes)
    header = b"".join(parts)
    return header.ljust(padded(len(header)), b"\0")


def write(
    path: Path,
    metadata: Mapping[str, Field],
    tensors: Sequence[Tensor],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write a GGUF file and return its size in bytes; `progress` gets the bytes written after each tensor.

    Raises GgufError where a tensor's chunks do not add up to its shape.
    """
    if "general.alignment" in metadata:
        raise GgufError(f"{path}: general.alignment is fixed at {ALIGNMENT} and must not be set")
    with path.open("wb") as stream:
        stream.write(encode_header(metadata, tensors))
        for tensor in tensors:
            written = sum(stream.write(as_bytes(chunk)) for chunk in tensor.chunks())
            if written != tensor.nbytes:
                raise GgufError(f"{path}: tensor {tensor.name!r} gave {written} bytes, not {tensor.nbytes}")
            stream.write(b"\0" * (padded(written) - written))
            progress(stream.tell())
        return stream.tell()


def rewrite(
    source: GgufFile,
    path: Path,
    metadata: Mapping[str, Field],
    replaced: Mapping[str, Callable[[], Iterable[Buffer]]],
    patches: Mapping[str, Sequence[Patch]],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write `source` again with new metadata, and with some tensors changed; return the size.

    replaced: tensor name → gives its new bytes in order, in the type it has. patches: tensor name →
    pieces to overwrite after copying. Everything else is copied by the kernel where it can be.
    progress: called with the bytes written so far after each tensor.
    """
    unknown = (replaced.keys() | patches.keys()) - source.tensors.keys()
    if unknown:
        raise GgufError(f"{source.path}: no tensor named {sorted(unknown)[0]!r} to change")
    infos = list(source.tensors.values())
    header = encode_header(
        {key: field for key, field in metadata.items() if key != "general.alignment"},
        [Tensor(info.name, info.shape, info.type, lambda: ()) for info in infos],
    )
    with path.open("w+b") as out, source.path.open("rb") as original:
        out.write(header)
        for info in infos:
            start = out.tell()
            if info.name in replaced:
                written = sum(out.write(as_bytes(chunk)) for chunk in replaced[info.name]())
                if written != info.nbytes:
                    raise GgufError(f"{path}: tensor {info.name!r} gave {written} bytes, not {info.nbytes}")
            else:
                copy_range(original, info.offset, out, info.nbytes)
                _apply(out, start, info, patches.get(info.name, ()))
            out.write(b"\0" * (padded(info.nbytes) - info.nbytes))
            progress(out.tell())
        return out.tell()


def _apply(out: BinaryIO, start: int, info: TensorInfo, patches: Iterable[Patch]) -> None:
    for patch in patches:
        if patch.offset < 0 or patch.offset + len(patch.data) > info.nbytes:
            raise GgufError(f"a patch at {patch.offset} does not fit into tensor {info.name!r}")
        out.seek(start + patch.offset)
        out.write(patch.data)
    out.seek(start + info.nbytes)


def copy_range(source: BinaryIO, offset: int, out: BinaryIO, size: int) -> None:
    """Append `size` bytes of `source` from `offset` to `out`, inside the kernel where it can be."""
    out.flush()
    done = 0
    while done < size:
        try:
            count = os.copy_file_range(source.fileno(), out.fileno(), size - done, offset + done, out.tell() + done)
        except (OSError, AttributeError):
            count = 0
        if count == 0:
            break
        done += count
    out.seek(done, os.SEEK_CUR)
    source.seek(offset + done)
    while done < size:
        block = source.read(min(1 << 22, size - done))
        if not block:
            raise GgufError(f"{source.name}: ended while it was copied")
        done += out.write(block)
