"""Predicts the size of a GGUF file to the byte, without writing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fgbuild.gguf_io.header import GgufFile
from fgbuild.gguf_io.metadata import ITEM_SIZES, Array, Field, ValueType
from fgbuild.gguf_io.tensors import TensorType, byte_size, padded

FIXED_BYTES = 24
"""Magic, version, tensor count, metadata count."""


def predicted_size(metadata: Mapping[str, Field], tensors: Iterable[tuple[str, tuple[int, ...], TensorType]]) -> int:
    """Bytes of the file that `writer.write` makes of these keys and (name, shape, type) tensors."""
    header = FIXED_BYTES + sum(_string(key) + _field(field) for key, field in metadata.items())
    data = 0
    for name, shape, kind in tensors:
        header += _string(name) + 4 + 8 * len(shape) + 4 + 8
        data += padded(byte_size(shape, kind))
    return padded(header) + data


def predicted_rewrite(source: GgufFile, metadata: Mapping[str, Field]) -> int:
    """Bytes of `source` after `writer.rewrite` with these keys: tensors keep their shape and type."""
    kept = {key: field for key, field in metadata.items() if key != "general.alignment"}
    return predicted_size(kept, ((info.name, info.shape, info.type) for info in source.tensors.values()))


def _string(text: str) -> int:
    return 8 + len(text.encode("utf-8"))


def _field(field: Field) -> int:
    if isinstance(field, Array):
        return 4 + 4 + 8 + len(field.data)
    if field.type is ValueType.STRING:
        return 4 + _string(field.value)
    return 4 + ITEM_SIZES[field.type]
