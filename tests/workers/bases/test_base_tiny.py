from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from fgbuild.functiongemma.render import render_text
from fgbuild.gguf_io import header, size, writer
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers.bases import gemma, tiny
from fgbuild.workers.bases.tensors_file import SafetensorsFile

IDS = [2, 105, 48, 500, 900, 1300, 2000, 3500, 106, 107, 46, 52]


def _llama_logits(model: Any, ids: list[int]) -> np.ndarray:
    model.reset()
    model.eval(ids)
    return np.array(model.scores[: len(ids)], dtype=np.float32)


def _torch_logits(directory: Path, ids: list[int]) -> np.ndarray:
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    with torch.no_grad():
        return np.asarray(model(torch.tensor([ids])).logits[0].numpy())


def test_artifact_is_complete_and_says_what_it_is(tiny_base: Path) -> None:
    assert {path.name for path in tiny_base.iterdir()} == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "tokenizer.model", "chat_template.jinja", "base_q8_0.gguf", "base.json",
    }  # fmt: skip
    summary = json.loads((tiny_base / "base.json").read_text())
    counted = sum(int(np.prod(e.shape)) for e in SafetensorsFile(tiny_base / "model.safetensors").entries.values())
    assert summary == {
        "name": "tiny", "kind": "tiny", "licence": "gemma", "parameters": counted, "revision": "seed-0",
        "sources": [], "brings_template": False,
    }  # fmt: skip
    assert json.loads((tiny_base / "generation_config.json").read_text())["eos_token_id"] == [1, 106, 50]


def test_same_seed_same_bytes_and_another_seed_other_weights() -> None:
    def digest(seed: int) -> str:
        model = tiny.load({"name": "tiny", "kind": "tiny", "seed": seed})
        chunks = [chunk for name in gemma.tensor_names(6) for chunk in model.weights(name) if "norm" not in name]
        return hashlib.sha256(b"".join(chunk.tobytes() for chunk in chunks)).hexdigest()

    assert digest(3) == digest(3) != digest(4)


def test_vocabulary_is_fixed() -> None:
    vocabulary = tiny.vocabulary()
    assert len(set(vocabulary.pieces)) == len(vocabulary.pieces) <= tiny.PIECES
    assert vocabulary.pieces[:5] == ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    assert vocabulary.pieces[105:108] == ["<start_of_turn>", "<end_of_turn>", "\n"]
    digest = hashlib.sha256("\0".join(vocabulary.pieces).encode()).hexdigest()
    assert digest == "a07b3d5198ab1563af72e566c1850b9d8b657d796b2f02b360098372f620ac77", (
        "a changed vocabulary changes every model built on tiny"
    )


def test_prompts_are_short_in_it(tiny_base: Path) -> None:
    from tokenizers import Tokenizer

    tool = {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "The city."}},
            "required": ["city"],
        },
    }
    text = render_text([{"role": "user", "content": "What is the weather in Oslo?"}], [tool])
    ids = Tokenizer.from_file(str(tiny_base / "tokenizer.json")).encode(text, add_special_tokens=False).ids
    assert len(ids) < len(text) / 4


def test_learning_is_byte_pair_merging() -> None:
    assert tiny.learn({"abab": 2, "abc": 1}, 3) == ["ab", "abab", "abc"]
    assert tiny.learn({"aaa": 1}, 9) == ["aa", "aaa"]


def test_llama_cpp_computes_what_transformers_does(tiny_base: Path, tiny_llama: Any) -> None:
    ours, theirs = _torch_logits(tiny_base, IDS), _llama_logits(tiny_llama, IDS)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999
    sure = np.diff(np.sort(ours, axis=1)[:, -2:], axis=1)[:, 0] > 0.5
    assert sure.sum() >= 4
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1))[sure].all()


def test_unquantised_logits_are_the_same(tiny_base: Path, tmp_path: Path, open_llama: Callable[[Path], Any]) -> None:
    weights = SafetensorsFile(tiny_base / "model.safetensors")
    tensors = []
    for name, stored in gemma.tensor_names(6).items():
        values = weights.float32(name) + np.float32(gemma.is_norm(name))
        tensors.append(writer.Tensor(stored, values.shape[::-1], TensorType.F32, lambda values=values: [values]))
    path = tmp_path / "f32.gguf"
    writer.write(path, header.read(tiny_base / "base_q8_0.gguf").metadata, tensors)
    difference = np.abs(_llama_logits(open_llama(path), IDS) - _torch_logits(tiny_base, IDS)).max()
    assert difference < 0.05


def test_stop_token_and_size_are_in_the_file(tiny_base: Path) -> None:
    path = tiny_base / "base_q8_0.gguf"
    found = header.read(path)
    assert found.scalar("tokenizer.ggml.eom_token_id") == 50
    assert found.scalar("tokenizer.ggml.eot_token_id") == 106
    assert "generation" not in str(found.scalar("tokenizer.chat_template")).split("add_generation_prompt")[0]
    assert path.stat().st_size == size.predicted_rewrite(found, found.metadata)
