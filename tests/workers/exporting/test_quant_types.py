"""Every quant.type on the tiny base: written, predicted to the byte, read again, loaded and computed with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_sample import export_job

from fgbuild.errors import FgbuildError, StageError
from fgbuild.gguf_io import header, writer
from fgbuild.gguf_io.file_types import FILE_TYPES, K_QUANTS, tensor_types
from fgbuild.gguf_io.metadata import string
from fgbuild.gguf_io.quant import Float32
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.naming import gguf_name
from fgbuild.workers import export
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting import gguf_file, k_quants
from fgbuild.workers.exporting.adapter import Adapter
from fgbuild.workers.exporting.model import TunedModel
from fgbuild.workers.protocol import Reporter
from fgbuild.workers.verifying import checks

IDS = [2, 105, 48, 500, 900, 1300, 2000, 3500, 106, 107, 46, 52]
LOSS = {"f16": 0.9999, "bf16": 0.9999, "q8_0": 0.999, "q6_k": 0.999, "q5_k_m": 0.98, "q4_k_m": 0.97}
"""Least correlation of logits with those of the bf16 file; random weights bear quantising worse than trained ones."""


class Recorder(Reporter):
    def __init__(self) -> None:
        super().__init__("clock:export")
        self.events: list[dict[str, Any]] = []

    def emit(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, **fields})


@pytest.fixture(scope="module")
def adapter(tiny_base: Path) -> Adapter:
    """Random factors on two kinds of layers, and two rows of tokens."""
    source = header.read(tiny_base / "base_q8_0.gguf")
    random = np.random.default_rng(0)

    def normal(*shape: int) -> Float32:
        return random.standard_normal(shape, dtype=np.float32) * np.float32(0.05)

    factors = {}
    for name, stored in gemma.tensor_names(6).items():
        if stored.endswith(("attn_q.weight", "ffn_down.weight")):
            columns, rows = source.tensor(stored).shape
            factors[name] = (normal(4, columns), normal(rows, 4))
    return Adapter(factors, 2.0, {46: normal(128), 50: normal(128)})


@pytest.fixture
def written(
    tiny_base: Path, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Path, list[dict[str, Any]]]]:
    """Runs the stage's worker for a type; returns the GGUF and the events."""
    monkeypatch.setattr("fgbuild.workers.exporting.tuned.load", lambda directory: adapter)

    def run(kind: str, **quant: Any) -> tuple[Path, list[dict[str, Any]]]:
        (tmp_path / kind).mkdir()
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / "train" / "adapter_model.safetensors").write_bytes(b"what load gives instead")
        job, reporter = export_job(tiny_base, tmp_path / "train", tmp_path / kind, type=kind, **quant), Recorder()
        export.run(job, reporter)
        assert not list(job.state.glob("*.gguf")), "what a k-quant is made from is removed"
        return job.output / gguf_name("clock", kind), reporter.events

    return run


def logits(model: Any) -> Float32:
    model.reset()
    model.eval(IDS)
    return np.array(model.scores[: len(IDS)]).ravel()


@pytest.mark.parametrize("kind", FILE_TYPES)
def test_a_type_end_to_end(kind: str, written: Any, tiny_base: Path, open_llama: Callable[[Path], Any]) -> None:
    path, events = written(kind)
    size = path.stat().st_size
    artifact = events[-1]
    assert (artifact["bytes"], artifact["predicted_bytes"]) == (size, size)
    progress = [event for event in events if event["kind"] == "stage.progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == round(size / 1e6, 3)

    file = header.read(path)
    assert {name: info.type for name, info in file.tensors.items()} == tensor_types(
        kind, {name: info.shape for name, info in header.read(tiny_base / "base_q8_0.gguf").tensors.items()}
    )
    for other in FILE_TYPES:
        check, _ = checks.header(path, other)
        assert check.passed is (other == kind), (other, check.reason)
    assert file.scalar("tokenizer.ggml.eom_token_id") == 50
    assert file.scalar("fgbuild.domain") == "clock"

    exact, _ = written("bf16") if kind != "bf16" else (path, events)
    found, wanted = logits(open_llama(path)), logits(open_llama(exact))
    assert np.corrcoef(found, wanted)[0, 1] > LOSS[kind]


def gemma_of_wide_rows(path: Path, layers: int) -> dict[str, tuple[int, ...]]:
    """A GGUF of a Gemma 3 whose rows hold whole k-quant blocks, with as little else as llama.cpp's quantiser needs."""
    config = gemma.model_config(
        hidden=256, inner=512, layers=layers, heads=1, kv_heads=1, head_dim=256, vocab=64,
        context=512, window=512, rope=1e6, rope_local=1e4, epsilon=1e-6,
    )  # fmt: skip
    random = np.random.default_rng(3)
    tensors, shapes = [], {}
    for name, stored in gemma.tensor_names(layers).items():
        shape = gemma.tensor_shape(name, config)
        values = random.standard_normal(shape, dtype=np.float32)
        shapes[stored] = tuple(reversed(shape))
        tensors.append(writer.Tensor(stored, shapes[stored], TensorType.F32, lambda values=values: [values]))
    metadata = {"general.architecture": string("gemma3"), **gemma.architecture_metadata(config)}
    writer.write(path, metadata, tensors)
    return shapes


@pytest.mark.parametrize("kind", K_QUANTS)
@pytest.mark.parametrize("layers", [1, 8, 18])
def test_llama_cpp_gives_each_tensor_the_type_that_was_predicted(kind: str, layers: int, tmp_path: Path) -> None:
    shapes = gemma_of_wide_rows(tmp_path / "wide.gguf", layers)
    k_quants.quantize(tmp_path / "wide.gguf", tmp_path / "out.gguf", kind, {}, lambda done: None)
    found = header.read(tmp_path / "out.gguf")
    assert {name: info.type for name, info in found.tensors.items()} == tensor_types(kind, shapes)
    assert TensorType.Q6_K in tensor_types(kind, shapes).values()


def importance_file(path: Path, entries: dict[str, Float32], count: float = 4.0) -> Path:
    """A file as llama-imatrix writes it."""
    tensors = []
    for name, sums in entries.items():
        counts = np.array([[count]], np.float32)
        for part, values in ((f"{name}.in_sum2", sums[None, :]), (f"{name}.counts", counts)):
            shape = tuple(reversed(values.shape))
            tensors.append(writer.Tensor(part, shape, TensorType.F32, lambda values=values: [values]))
    writer.write(path, {"general.type": string("imatrix")}, tensors)
    return path


def test_an_importance_matrix_moves_the_error_to_columns_that_matter_less(
    tiny_base: Path, adapter: Adapter, tmp_path: Path
) -> None:
    name, stored = "model.layers.0.mlp.down_proj.weight", "blk.0.ffn_down.weight"
    sums = np.full(512, 1e-3, np.float32)
    sums[::32] = 10.0  # one in each block
    matrix = importance_file(tmp_path / "imatrix.gguf", {stored: sums})
    model = TunedModel(tiny_base, adapter)
    assert k_quants.read_importance(matrix, model.shapes)[stored].tolist() == (sums / 4).tolist()
    wanted = adapter.merged(model.weights, name)[:, ::32]

    def error(imatrix: Path | None) -> float:
        import gguf

        path = tmp_path / "out.gguf"
        gguf_file.write_builtin(tiny_base, adapter, "q4_k_m", {}, path, tmp_path, lambda done, total: None, imatrix)
        file = header.read(path)
        data = np.frombuffer(file.tensor_bytes(stored), np.uint8).reshape(128, -1)
        values = gguf.quants.dequantize(data, gguf.GGMLQuantizationType(int(file.tensor(stored).type)))
        assert ("quantize.imatrix.file" in file.metadata) is (imatrix is not None)
        return float(np.square(values[:, ::32] - wanted).mean())

    assert error(matrix) < 0.8 * error(None)


@pytest.mark.parametrize(
    ("entries", "count", "words"),
    [
        ({}, 4.0, "holds no activations"),
        ({"blk.0.ffn_down.weight": np.ones(64, np.float32)}, 4.0, "64 columns there and 512 here"),
        ({"blk.99.ffn_down.weight": np.ones(512, np.float32)}, 4.0, "512 columns there and none here"),
        ({"blk.0.ffn_down.weight": np.full(512, np.nan, np.float32)}, 4.0, "damaged"),
    ],
)
def test_an_importance_matrix_of_something_else_is_refused(
    tiny_base: Path, adapter: Adapter, tmp_path: Path, entries: dict[str, Float32], count: float, words: str
) -> None:
    path = importance_file(tmp_path / "imatrix.gguf", entries, count)
    with pytest.raises(FgbuildError, match=words):
        k_quants.read_importance(path, TunedModel(tiny_base, adapter).shapes)


def test_a_column_that_no_token_reached_weighs_one(tiny_base: Path, adapter: Adapter, tmp_path: Path) -> None:
    path = importance_file(tmp_path / "i.gguf", {"blk.0.ffn_down.weight": np.zeros(512, np.float32)}, 0.0)
    found = k_quants.read_importance(path, TunedModel(tiny_base, adapter).shapes)
    assert found["blk.0.ffn_down.weight"].tolist() == [1.0] * 512


def test_what_llama_cpp_refuses_is_a_stage_error(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, or is it?")
    with pytest.raises(StageError, match="quantiser ended with 1"):
        k_quants.quantize(tmp_path / "bad.gguf", tmp_path / "out.gguf", "q4_k_m", {}, lambda done: None)


def test_float16_is_refused_where_it_cannot_hold_a_weight(tiny_base: Path, adapter: Adapter, tmp_path: Path) -> None:
    name = next(iter(adapter.factors))
    down, up = adapter.factors[name]
    huge = Adapter({name: (down * 1e5, up * 1e5)}, 2.0, {})
    with pytest.raises(StageError, match="beyond what float16 can hold; use quant"):
        gguf_file.write_builtin(tiny_base, huge, "f16", {}, tmp_path / "x", tmp_path, lambda done, total: None)


def test_pieces_of_rows_merge_to_the_same_bits(tiny_base: Path, adapter: Adapter) -> None:
    weights = TunedModel(tiny_base, adapter).weights
    for name in adapter.names:
        whole = adapter.merged(weights, name)
        for step in (1, 7, 100):
            parts = [adapter.merged(weights, name, slice(at, at + step)) for at in range(0, len(whole), step)]
            assert np.abs(np.concatenate(parts) - whole).max() < 1e-6
