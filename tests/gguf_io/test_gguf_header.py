from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgbuild.gguf_io import header, writer
from fgbuild.gguf_io.metadata import GgufError, ValueType, boolean, float32, numbers, string, strings, uint32
from fgbuild.gguf_io.tensors import TensorType

METADATA = {
    "general.architecture": string("gemma3"),
    "gemma3.block_count": uint32(2),
    "gemma3.epsilon": float32(0.5),
    "tokenizer.ggml.add_bos_token": boolean(True),
    "tokenizer.ggml.tokens": strings(["<pad>", "▁a", "é\n"]),
    "tokenizer.ggml.token_type": numbers(ValueType.INT32, [3, 1, -1]),
}


def write_sample(path: Path) -> Path:
    values = np.arange(64, dtype=np.float32)
    tensors = [
        writer.Tensor("norm.weight", (5,), TensorType.F32, lambda: [values[:5]]),
        writer.Tensor("table.weight", (32, 3), TensorType.Q8_0, lambda: [bytes(34), bytes(68)]),
    ]
    writer.write(path, METADATA, tensors)
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "sample.gguf")


def test_reads_back_what_was_written(sample: Path) -> None:
    found = header.read(sample)
    assert list(found.metadata) == list(METADATA)
    assert found.scalar("gemma3.block_count") == 2
    assert found.scalar("gemma3.epsilon") == 0.5
    assert found.scalar("tokenizer.ggml.add_bos_token") is True
    assert found.array("tokenizer.ggml.tokens").values() == ["<pad>", "▁a", "é\n"]
    assert found.array("tokenizer.ggml.token_type").values() == [3, 1, -1]
    norm, table = found.tensors.values()
    assert (norm.shape, norm.nbytes, norm.offset % 32) == ((5,), 20, 0)
    assert (table.shape, table.nbytes, table.rows, table.row_bytes) == ((32, 3), 102, 3, 34)
    assert np.frombuffer(found.tensor_bytes("norm.weight"), dtype="<f4").tolist() == [0, 1, 2, 3, 4]


def test_missing_names_are_errors_that_name_the_file(sample: Path) -> None:
    found = header.read(sample)
    for ask in (
        lambda: found.scalar("no.such"),
        lambda: found.scalar("tokenizer.ggml.tokens"),
        lambda: found.array("gemma3.block_count"),
        lambda: found.tensor("no.such"),
    ):
        with pytest.raises(GgufError, match=r"sample\.gguf"):
            ask()


def test_every_truncation_is_an_error(sample: Path, tmp_path: Path) -> None:
    data = sample.read_bytes()
    end = max(info.offset + info.nbytes for info in header.read(sample).tensors.values())
    short = tmp_path / "short.gguf"
    for length in range(0, end, 7):
        short.write_bytes(data[:length])
        with pytest.raises(GgufError):
            header.read(short)


def _header(*, tensors: int = 0, metadata: int = 0, body: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, metadata) + body


def _key(name: bytes, kind: int, rest: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + rest


def _tensor(name: bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return struct.pack("<Q", len(name)) + name + dimensions + struct.pack("<IQ", kind, offset)


HOSTILE = {
    "empty": b"",
    "magic": b"GGML" + bytes(40),
    "version": _header(version=1),
    "tensor count": _header(tensors=1 << 62),
    "metadata count": _header(metadata=1 << 63),
    "array length": _header(metadata=1, body=_key(b"a", 9, struct.pack("<IQ", 4, 1 << 63))),
    "string array length": _header(metadata=1, body=_key(b"a", 9, struct.pack("<IQ", 8, 1 << 63))),
    "string array item": _header(metadata=1, body=_key(b"a", 9, struct.pack("<IQQ", 8, 1, 1 << 63))),
    "nested array": _header(metadata=1, body=_key(b"a", 9, struct.pack("<IQ", 9, 1))),
    "string length": _header(metadata=1, body=_key(b"a", 8, struct.pack("<Q", 1 << 40))),
    "value type": _header(metadata=1, body=_key(b"a", 99, bytes(8))),
    "key twice": _header(metadata=2, body=_key(b"a", 4, bytes(4)) * 2),
    "key not UTF-8": _header(metadata=1, body=_key(b"\xff", 4, bytes(4))),
    "alignment": _header(metadata=1, body=_key(b"general.alignment", 4, struct.pack("<I", 7))),
    "tensor type": _header(tensors=1, body=_tensor(b"t", (32,), 77, 0) + bytes(200)),
    "dimensions": _header(tensors=1, body=_tensor(b"t", (1,) * 9, 0, 0) + bytes(200)),
    "shape zero": _header(tensors=1, body=_tensor(b"t", (0,), 0, 0) + bytes(200)),
    "shape overflow": _header(tensors=1, body=_tensor(b"t", (1 << 62, 1 << 62), 0, 0) + bytes(200)),
    "half a block": _header(tensors=1, body=_tensor(b"t", (33,), 8, 0) + bytes(200)),
    "tensor beyond the end": _header(tensors=1, body=_tensor(b"t", (4,), 0, 1 << 20) + bytes(200)),
    "tensor misaligned": _header(tensors=1, body=_tensor(b"t", (4,), 0, 3) + bytes(200)),
    "tensor twice": _header(tensors=2, body=_tensor(b"t", (4,), 0, 0) * 2 + bytes(200)),
    "tensors overlap": _header(tensors=2, body=_tensor(b"t", (16,), 0, 0) + _tensor(b"u", (16,), 0, 32) + bytes(200)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_headers_are_refused_at_once(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    started = time.monotonic()
    with pytest.raises(GgufError, match=r"hostile\.gguf"):
        header.read(path)
    assert time.monotonic() - started < 1


def test_a_missing_file_and_a_directory_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(GgufError):
            header.read(path)


@settings(max_examples=300, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_never_raise_anything_but_gguf_error(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(write_sample(tmp_path / "sound.gguf").read_bytes())
    for position, value in changes:
        data[position % len(data)] = value
    path = tmp_path / "flipped.gguf"
    path.write_bytes(data)
    try:
        found = header.read(path)
    except GgufError:
        return
    for info in found.tensors.values():
        assert len(found.tensor_bytes(info.name)) == info.nbytes
