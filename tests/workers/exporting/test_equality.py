"""What export writes, bit for bit beside llama.cpp's converter of the llama-cpp-python release in use."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fgbuild.gguf_io import header
from fgbuild.gguf_io.metadata import string, uint32
from fgbuild.workers.exporting import gguf_file, tuned

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "export"


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's module of the same name."""
    monkeypatch.syspath_prepend(str(BENCHMARK))
    return importlib.import_module("reference")


@pytest.fixture
def train(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(BENCHMARK))
    samples = importlib.import_module("samples")
    return Path(samples.write_adapter(tiny_base, tmp_path / "train", samples.TARGETS["all-linear"]))


@pytest.mark.parametrize("kind", ["q8_0", "f16", "bf16"])
def test_every_tensor_and_key_is_the_converters(
    tiny_base: Path, train: Path, reference: Any, tmp_path: Path, kind: str
) -> None:
    try:
        reference.converter()
    except reference.Unreachable as error:
        pytest.skip(str(error))
    trained, path = tuned.load(train), tmp_path / "ours.gguf"
    gguf_file.write_checkpoint(tiny_base, trained, tmp_path / "merged")
    gguf_file.write_builtin(tiny_base, trained, kind, {}, path, tmp_path, lambda done, total: None)
    reference.convert(tmp_path / "merged", tmp_path / "theirs.gguf", kind)
    ours, theirs, base = (
        header.read(path),
        header.read(tmp_path / "theirs.gguf"),
        header.read(tiny_base / "base_q8_0.gguf"),
    )
    assert reference.differences(ours, theirs) == []
    changed = {name for name in base.tensors if base.tensor_bytes(name) != ours.tensor_bytes(name)}
    assert len(changed) >= 7 * 6 + 1, "the adapter must change every linear layer and the token rows"


def test_a_difference_is_found(tiny_base: Path, reference: Any) -> None:
    base = header.read(tiny_base / "base_q8_0.gguf")
    name, info = next(iter(base.tensors.items()))
    moved = {**base.tensors, name: replace(info, offset=info.offset + 32)}
    keys = {**base.metadata, "gemma3.block_count": uint32(7), "general.name": string("other")}
    assert reference.differences(base, base) == []
    assert reference.differences(replace(base, tensors=moved), base) == [f"tensor {name} has other bytes"]
    assert reference.differences(replace(base, metadata=keys), base) == ["gemma3.block_count is 7, theirs 6"]
    fewer = {key: value for key, value in base.tensors.items() if key != name}
    assert reference.differences(base, replace(base, tensors=fewer)) == [f"tensor {name} is in one file alone"]
