"""The value types of a GGUF header, and their bytes.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3, little-endian.
An array keeps its items encoded: 262,144 vocabulary strings cost nothing until they are asked for.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fgbuild.errors import FgbuildError


class GgufError(FgbuildError):
    """A GGUF file that cannot be read or written; the message names the file and the reason."""


class ValueType(enum.IntEnum):
    """Type tags of metadata values."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


# struct codes of the fixed-size types
CODES = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.FLOAT32: "f",
    ValueType.BOOL: "?",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
    ValueType.FLOAT64: "d",
}
ITEM_SIZES = {kind: struct.calcsize("<" + code) for kind, code in CODES.items()}


@dataclass(frozen=True)
class Scalar:
    """One number, truth value or string."""

    type: ValueType
    value: Any

    def encode(self) -> bytes:
        """The type tag and the value."""
        tag = struct.pack("<I", self.type)
        if self.type is ValueType.STRING:
            return tag + encode_string(self.value)
        return tag + struct.pack("<" + CODES[self.type], self.value)


@dataclass(frozen=True)
class Array:
    """`count` items of one type, encoded one after another in `data`.

    `data` of an array that was read is a view of the mapped file.
    """

    item_type: ValueType
    count: int
    data: bytes | memoryview

    def encode(self) -> bytes:
        """The type tag, the item type, the count and the items."""
        return struct.pack("<IIQ", ValueType.ARRAY, self.item_type, self.count) + bytes(self.data)

    def values(self) -> list[Any]:
        """The items as Python objects. Raises ValueError for a string that is not UTF-8."""
        if self.item_type is not ValueType.STRING:
            return list(struct.unpack(f"<{self.count}{CODES[self.item_type]}", self.data))
        data = bytes(self.data)
        unpack = struct.Struct("<Q").unpack_from
        strings: list[str] = []
        offset = 0
        for _ in range(self.count):
            end = offset + 8 + unpack(data, offset)[0]
            strings.append(data[offset + 8 : end].decode("utf-8"))
            offset = end
        return strings


Field = Scalar | Array


def encode_string(text: str) -> bytes:
    """A 64-bit byte length and UTF-8 bytes."""
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def uint32(value: int) -> Scalar:
    return Scalar(ValueType.UINT32, value)


def float32(value: float) -> Scalar:
    return Scalar(ValueType.FLOAT32, value)


def boolean(value: bool) -> Scalar:
    return Scalar(ValueType.BOOL, value)


def string(value: str) -> Scalar:
    return Scalar(ValueType.STRING, value)


def strings(values: Iterable[str]) -> Array:
    items = [encode_string(value) for value in values]
    return Array(ValueType.STRING, len(items), b"".join(items))


def numbers(item_type: ValueType, values: Iterable[Any]) -> Array:
    """An array of a fixed-size type. Raises struct.error for a value out of its range."""
    items = list(values)
    return Array(item_type, len(items), struct.pack(f"<{len(items)}{CODES[item_type]}", *items))
