from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch

from fgbuild.gguf_io.quant import bf16_to_float32, dequantized_chunks, float32_to_bf16, quantize
from fgbuild.gguf_io.tensors import TensorType


def test_bfloat16_rounds_as_torch_does() -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 2**32, 50_000, dtype=np.uint32)
    values = bits.view(np.float32)
    values = np.concatenate([values[np.isfinite(values)], np.float32([0.0, -0.0, np.inf, -np.inf, 3.4e38])])
    ours = float32_to_bf16(values)
    theirs = torch.from_numpy(values.copy()).bfloat16().view(torch.int16).numpy().view(np.uint16)
    assert (ours == theirs).all()
    assert np.isnan(bf16_to_float32(float32_to_bf16(np.float32([np.nan])))).all()


def test_bfloat16_survives_the_way_there_and_back() -> None:
    bits = np.arange(0, 0x7F80, dtype=np.uint16)
    assert (float32_to_bf16(bf16_to_float32(bits)) == bits).all()


def test_q8_0_is_within_half_a_step() -> None:
    values = np.random.default_rng(1).standard_normal((7, 64), dtype=np.float32)
    data = quantize(values, TensorType.Q8_0)
    assert data.shape == (7, 68)
    chunks = list(dequantized_chunks(memoryview(data.tobytes()), 64, TensorType.Q8_0))
    step = np.abs(values.reshape(-1, 32)).max(axis=1) / 127
    error = np.abs(np.concatenate(chunks) - values).reshape(-1, 32).max(axis=1)
    assert (error <= step * 0.51 + 1e-4).all()


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        quantize(np.full((1, 32), np.nan, dtype=np.float32), TensorType.Q8_0)


def test_float32_tensors_pass_unchanged() -> None:
    values = np.arange(10, dtype=np.float32)
    (chunk,) = dequantized_chunks(memoryview(values.tobytes()), 10, TensorType.F32)
    assert chunk.tolist() == [values.tolist()]
    assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType.F32] == (1, 4)
