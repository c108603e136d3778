"""The bf16 GGUF of a real adapter on the tiny base."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from export_sample import TOKENS, peft_model

from fgbuild.gguf_io import header
from fgbuild.gguf_io.quant import bf16_to_float32
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers.bases import gemma
from fgbuild.workers.evaluating import unquantized


def test_it_is_the_merged_model_rounded_once(
    tiny_base: Path, tmp_path: Path, open_llama: Callable[[Path], Any]
) -> None:
    model = peft_model(tiny_base, trainable_token_indices=TOKENS)
    model.save_pretrained(tmp_path / "train")
    unquantized.write(tiny_base, tmp_path / "train", tmp_path / "model.gguf")
    merged = dict(model.merge_and_unload().state_dict())
    file = header.read(tmp_path / "model.gguf")
    names = gemma.tensor_names(int(str(file.scalar("gemma3.block_count"))))
    assert file.scalar("general.file_type") == 32
    assert file.tensors.keys() == set(names.values())
    for name, stored in names.items():
        expected = merged[name].float()
        data = np.frombuffer(file.tensor_bytes(stored), np.uint8)
        if gemma.is_norm(name):
            assert file.tensors[stored].type is TensorType.F32
            np.testing.assert_array_equal(data.view(np.float32), (expected + 1).numpy().ravel())
        else:
            assert file.tensors[stored].type is TensorType.BF16
            found = torch.from_numpy(bf16_to_float32(data.view(np.uint16)).copy())
            # Where torch and numpy sum in another order, a value may fall to the other neighbour.
            torch.testing.assert_close(found, expected.ravel(), rtol=2**-8, atol=1e-6)
    ids = [2, 105, *range(300, 320)]
    llama = open_llama(tmp_path / "model.gguf")
    llama.eval(ids)
    assert np.isfinite(llama.scores[: len(ids)]).all()
