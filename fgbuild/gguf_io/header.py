"""Reads a GGUF header: metadata and tensor table, never the weights.

Every count, length and offset is checked against the file's size before it is used, so that a
damaged or hostile file ends in a `GgufError` and never in a hang or a huge allocation.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from fgbuild.gguf_io.metadata import CODES, ITEM_SIZES, Array, Field, GgufError, Scalar, ValueType
from fgbuild.gguf_io.tensors import ALIGNMENT, TensorInfo, TensorType, byte_size, padded

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_ENTRIES = 1 << 16
"""Most metadata keys or tensors accepted; Gemma 3 270M has 33 and 236."""
MAX_ARRAY = 1 << 22
"""Most items of one array accepted; Gemma's vocabulary has 262,144."""
MAX_STRING = 1 << 24
MAX_DIMENSIONS = 4


@dataclass(frozen=True)
class GgufFile:
    """A header that was read, and the mapped file behind it.

    metadata: key → value, in file order. tensors: name → entry, in file order.
    data_offset: where the tensor section starts. buffer: the whole file, read-only.
    """

    path: Path
    size: int
    metadata: dict[str, Field]
    tensors: dict[str, TensorInfo]
    data_offset: int
    buffer: memoryview

    def tensor_bytes(self, name: str) -> memoryview:
        """The stored bytes of a tensor, as a view of the file."""
        info = self.tensor(name)
        return self.buffer[info.offset : info.offset + info.nbytes]

    def tensor(self, name: str) -> TensorInfo:
        """The entry of a tensor. Raises GgufError where the file has none of that name."""
        try:
            return self.tensors[name]
        except KeyError:
            raise GgufError(f"{self.path}: no tensor named {name!r}; it is not a Gemma 3 GGUF") from None

    def scalar(self, key: str) -> object:
        """A scalar's value. Raises GgufError where the key is absent or an array."""
        field = self.metadata.get(key)
        if not isinstance(field, Scalar):
            raise GgufError(f"{self.path}: metadata key {key!r} is missing or not a scalar")
        return field.value

    def array(self, key: str) -> Array:
        """An array, its items still encoded. Raises GgufError where the key is absent or no array."""
        field = self.metadata.get(key)
        if not isinstance(field, Array):
            raise GgufError(f"{self.path}: metadata key {key!r} is missing or not an array")
        return field


def read(path: Path) -> GgufFile:
    """The header of `path`. Raises GgufError for a file that is not a sound GGUF."""
    try:
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise GgufError(f"{path}: cannot be read ({error})") from None
    try:
        return _parse(path, memoryview(mapped))
    except _Damaged as error:
        raise GgufError(f"{path}: not a sound GGUF file: {error}; build or download it again") from None


class _Damaged(Exception):
    """Why the header cannot be trusted."""


class _Cursor:
    """Reads little-endian values at a moving offset, never past the end."""

    def __init__(self, buffer: memoryview) -> None:
        self.buffer = buffer
        self.offset = 0

    def skip(self, size: int) -> int:
        """Move over `size` bytes and return where they start."""
        start = self.offset
        if size > len(self.buffer) - start:
            raise _Damaged(f"it ends at byte {len(self.buffer)}, inside a field that starts at {start}")
        self.offset = start + size
        return start

    def number(self, code: str) -> int:
        value = struct.unpack_from("<" + code, self.buffer, self.skip(struct.calcsize("<" + code)))[0]
        return int(value)

    def text(self, what: str) -> str:
        length = self.number("Q")
        if length > MAX_STRING:
            raise _Damaged(f"{what} claims {length} bytes")
        start = self.skip(length)
        try:
            return str(self.buffer[start : start + length], "utf-8")
        except UnicodeDecodeError:
            raise _Damaged(f"{what} at byte {start} is not UTF-8") from None

    def value_type(self, what: str) -> ValueType:
        tag = self.number("I")
        try:
            return ValueType(tag)
        except ValueError:
            raise _Damaged(f"{what} has the unknown value type {tag}") from None


def _parse(path: Path, buffer: memoryview) -> GgufFile:
    cursor = _Cursor(buffer)
    if bytes(buffer[cursor.skip(4) : 4]) != MAGIC:
        raise _Damaged("it does not start with 'GGUF'")
    version = cursor.number("I")
    if version not in VERSIONS:
        raise _Damaged(f"version {version} is not one of {VERSIONS}")
    tensor_count = _count(cursor, "tensor count", 24)
    metadata_count = _count(cursor, "metadata count", 13)
    metadata = _metadata(cursor, metadata_count)
    alignment = _alignment(metadata)
    entries = [_tensor_entry(cursor) for _ in range(tensor_count)]
    data_offset = padded(cursor.offset, alignment)
    tensors = _tensors(entries, data_offset, alignment, len(buffer))
    return GgufFile(path, len(buffer), metadata, tensors, data_offset, buffer)


def _count(cursor: _Cursor, what: str, least_bytes: int) -> int:
    """A count of entries that take at least `least_bytes` each."""
    count = cursor.number("Q")
    if count > MAX_ENTRIES or count * least_bytes > len(cursor.buffer):
        raise _Damaged(f"its {what} is {count}, too many for a file of {len(cursor.buffer)} bytes")
    return count


def _metadata(cursor: _Cursor, count: int) -> dict[str, Field]:
    metadata: dict[str, Field] = {}
    for _ in range(count):
        key = cursor.text("a metadata key")
        if key in metadata:
            raise _Damaged(f"metadata key {key!r} appears twice")
        kind = cursor.value_type(f"metadata key {key!r}")
        if kind is ValueType.ARRAY:
            metadata[key] = _array(cursor, key)
        elif kind is ValueType.STRING:
            metadata[key] = Scalar(kind, cursor.text(f"metadata key {key!r}"))
        else:
            start = cursor.skip(ITEM_SIZES[kind])
            metadata[key] = Scalar(kind, struct.unpack_from("<" + CODES[kind], cursor.buffer, start)[0])
    return metadata


def _array(cursor: _Cursor, key: str) -> Array:
    """An array's place in the file; its items are walked over, not made into objects."""
    kind = cursor.value_type(f"the items of {key!r}")
    count = cursor.number("Q")
    if kind is ValueType.ARRAY:
        raise _Damaged(f"metadata key {key!r} is an array of arrays")
    size = ITEM_SIZES.get(kind, 8)
    if count > MAX_ARRAY or count * size > len(cursor.buffer) - cursor.offset:
        raise _Damaged(f"metadata key {key!r} claims {count} items")
    start = cursor.offset
    if kind is not ValueType.STRING:
        cursor.skip(count * size)
    else:
        _skip_strings(cursor, count, key)
    return Array(kind, count, cursor.buffer[start : cursor.offset])


def _skip_strings(cursor: _Cursor, count: int, key: str) -> None:
    length_at = struct.Struct("<Q").unpack_from
    buffer, offset, last = cursor.buffer, cursor.offset, len(cursor.buffer) - 8
    for _ in range(count):
        if offset > last:
            raise _Damaged(f"metadata key {key!r} runs past the end of the file")
        offset += 8 + length_at(buffer, offset)[0]
    cursor.skip(offset - cursor.offset)


def _alignment(metadata: dict[str, Field]) -> int:
    field = metadata.get("general.alignment")
    if field is None:
        return ALIGNMENT
    value = field.value if isinstance(field, Scalar) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 8 <= value <= 4096 or value % 8:
        raise _Damaged(f"general.alignment is {value}, not a multiple of 8 up to 4096")
    return value


def _tensor_entry(cursor: _Cursor) -> tuple[str, tuple[int, ...], TensorType, int]:
    name = cursor.text("a tensor name")
    dimensions = cursor.number("I")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise _Damaged(f"tensor {name!r} has {dimensions} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(dimensions))
    kind = cursor.number("I")
    offset = cursor.number("Q")
    try:
        return name, shape, TensorType(kind), offset
    except ValueError:
        raise _Damaged(f"tensor {name!r} has the unknown type {kind}") from None


def _tensors(
    entries: list[tuple[str, tuple[int, ...], TensorType, int]], data_offset: int, alignment: int, size: int
) -> dict[str, TensorInfo]:
    """The tensor table, every tensor inside the file, aligned, and apart from every other."""
    tensors: dict[str, TensorInfo] = {}
    for name, shape, kind, offset in entries:
        if name in tensors:
            raise _Damaged(f"tensor {name!r} appears twice")
        if min(shape) < 1 or math.prod(shape) > 8 * size:
            raise _Damaged(f"tensor {name!r} has the shape {shape}")
        try:
            nbytes = byte_size(shape, kind)
        except ValueError as error:
            raise _Damaged(f"tensor {name!r}: {error}") from None
        if offset % alignment or data_offset + offset + nbytes > size:
            raise _Damaged(f"tensor {name!r} at {offset} ({nbytes} bytes) is misplaced or cut off")
        tensors[name] = TensorInfo(name, shape, kind, data_offset + offset, nbytes)
    end = data_offset
    for info in sorted(tensors.values(), key=lambda info: info.offset):
        if info.offset < end:
            raise _Damaged(f"tensor {info.name!r} overlaps the one before it")
        end = info.offset + info.nbytes
    return tensors
