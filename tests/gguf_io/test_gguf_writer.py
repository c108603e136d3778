from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgbuild.gguf_io import header, size, writer
from fgbuild.gguf_io.metadata import (
    Array,
    Field,
    GgufError,
    Scalar,
    ValueType,
    numbers,
    string,
    strings,
    uint32,
)
from fgbuild.gguf_io.tensors import TensorType

VALUES = np.arange(96, dtype=np.float32).reshape(3, 32)


def _tensors() -> list[writer.Tensor]:
    return [
        writer.Tensor("a", (3,), TensorType.F32, lambda: [VALUES[0, :3]]),
        writer.Tensor("b", (32, 3), TensorType.F32, lambda: [VALUES[:1], VALUES[1:]]),
        writer.Tensor("c", (32, 2), TensorType.Q8_0, lambda: [b"c" * 68]),
    ]


def _sample(path: Path) -> header.GgufFile:
    writer.write(path, {"general.architecture": string("gemma3"), "n": uint32(1)}, _tensors())
    return header.read(path)


def test_the_gguf_library_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    _sample(path)
    reader = gguf.GGUFReader(path)
    assert [tensor.name for tensor in reader.tensors] == ["a", "b", "c"]
    assert reader.tensors[1].data.tolist() == VALUES.tolist()
    assert reader.fields["general.architecture"].contents() == "gemma3"


def test_a_tensor_of_the_wrong_size_is_an_error(tmp_path: Path) -> None:
    tensor = writer.Tensor("a", (3,), TensorType.F32, lambda: [bytes(8)])
    with pytest.raises(GgufError, match="gave 8 bytes, not 12"):
        writer.write(tmp_path / "a.gguf", {}, [tensor])
    with pytest.raises(GgufError, match="alignment"):
        writer.write(tmp_path / "a.gguf", {"general.alignment": uint32(64)}, [])


def test_rewrite_changes_what_it_is_told_and_copies_the_rest(tmp_path: Path) -> None:
    source = _sample(tmp_path / "a.gguf")
    new = VALUES * 2
    metadata = {**source.metadata, "n": uint32(2), "added": string("x" * 1000)}
    path = tmp_path / "b.gguf"
    seen: list[int] = []
    written = writer.rewrite(
        source, path, metadata, {"b": lambda: new}, {"c": [writer.Patch(34, b"d" * 34)]}, seen.append
    )
    found = header.read(path)
    assert written == path.stat().st_size == size.predicted_rewrite(source, metadata) == seen[-1]
    assert found.scalar("n") == 2
    assert found.tensor_bytes("a") == source.tensor_bytes("a")
    assert found.tensor_bytes("b") == new.tobytes()
    assert found.tensor_bytes("c") == b"c" * 34 + b"d" * 34


def test_rewrite_with_nothing_changed_gives_the_same_bytes(tmp_path: Path) -> None:
    source = _sample(tmp_path / "a.gguf")
    writer.rewrite(source, tmp_path / "b.gguf", source.metadata, {}, {})
    assert (tmp_path / "b.gguf").read_bytes() == (tmp_path / "a.gguf").read_bytes()


def test_rewrite_copies_without_copy_file_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _sample(tmp_path / "a.gguf")
    calls = 0

    def refuse(*_: object) -> int:
        nonlocal calls
        calls += 1
        raise OSError

    monkeypatch.setattr("os.copy_file_range", refuse)
    writer.rewrite(source, tmp_path / "b.gguf", source.metadata, {}, {})
    assert calls == 3
    assert (tmp_path / "b.gguf").read_bytes() == (tmp_path / "a.gguf").read_bytes()


def test_rewrite_refuses_what_does_not_fit(tmp_path: Path) -> None:
    source, path = _sample(tmp_path / "a.gguf"), tmp_path / "b.gguf"
    with pytest.raises(GgufError, match="no tensor named 'z'"):
        writer.rewrite(source, path, {}, {"z": list}, {})
    with pytest.raises(GgufError, match="gave 3 bytes, not 384"):
        writer.rewrite(source, path, {}, {"b": lambda: [b"ab", b"c"]}, {})
    with pytest.raises(GgufError, match="does not fit"):
        writer.rewrite(source, path, {}, {}, {"c": [writer.Patch(60, bytes(9))]})


FIELDS = st.one_of(
    st.text(max_size=20).map(string),
    st.integers(0, 2**32 - 1).map(uint32),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: Scalar(ValueType.INT64, value)),
    st.floats(width=64, allow_nan=False).map(lambda value: Scalar(ValueType.FLOAT64, value)),
    st.lists(st.text(max_size=9), max_size=9).map(strings),
    st.lists(st.integers(-128, 127), max_size=9).map(lambda values: numbers(ValueType.INT8, values)),
)
TENSORS = st.lists(
    st.tuples(st.text(min_size=1, max_size=9), st.integers(1, 3), st.sampled_from([0, 1, 8, 30])),
    max_size=5,
    unique_by=lambda item: item[0],
)


@settings(deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=20), FIELDS, max_size=8), TENSORS)
def test_any_file_reads_back_and_has_the_predicted_size(
    tmp_path: Path, metadata: dict[str, Field], shapes: list[tuple[str, int, int]]
) -> None:
    metadata.pop("general.alignment", None)
    tensors = []
    for name, rows, kind in shapes:
        tensor = writer.Tensor(name, (32, rows), TensorType(kind), lambda: ())
        data = name.encode().ljust(tensor.nbytes, b"\x01")[: tensor.nbytes]
        tensors.append(writer.Tensor(name, (32, rows), TensorType(kind), lambda data=data: [data]))
    path = tmp_path / "any.gguf"
    written = writer.write(path, metadata, tensors)
    assert written == path.stat().st_size
    assert written == size.predicted_size(metadata, [(t.name, t.shape, t.type) for t in tensors])
    found = header.read(path)
    assert [_plain(field) for field in found.metadata.values()] == [_plain(f) for f in metadata.values()]
    for tensor in tensors:
        assert bytes(found.tensor_bytes(tensor.name)) == b"".join(bytes(chunk) for chunk in tensor.chunks())


def _plain(field: Field) -> object:
    return field.values() if isinstance(field, Array) else field.value
