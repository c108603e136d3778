from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_sample import TOKENS, peft_model
from safetensors.numpy import load_file, save_file

from fgbuild.errors import StageError
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting.adapter import load


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"use_rslora": True},
        {"lora_alpha": 3, "target_modules": ["q_proj"]},
        {"use_dora": True},
        {"use_dora": True, "use_rslora": True},
    ],
)
def test_merging_is_pefts(tiny_base: Path, tmp_path: Path, config: dict[str, Any]) -> None:
    model = peft_model(tiny_base, trainable_token_indices=TOKENS, **config)
    model.save_pretrained(tmp_path)
    adapter = load(tmp_path)
    merged = model.merge_and_unload().state_dict()
    weights = SafetensorsFile(tiny_base / "model.safetensors")
    assert len(adapter.factors) == (6 if "target_modules" in config else 42)
    for name in adapter.factors:
        assert np.allclose(adapter.merged(weights, name), merged[name].numpy(), rtol=0, atol=1e-6)
        assert not np.allclose(adapter.merged(weights, name), weights.float32(name), atol=1e-4)
    assert list(adapter.token_rows) == TOKENS
    for token, row in adapter.token_rows.items():
        assert (row == merged["model.embed_tokens.weight"][token].numpy()).all()


@pytest.fixture
def saved(tiny_base: Path, tmp_path: Path) -> Path:
    peft_model(tiny_base, trainable_token_indices=TOKENS, target_modules=["q_proj"]).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"use_dora": True}, "use_dora and the row lengths do not go together"),
        ({"rank_pattern": {"q_proj": 8}}, "rank_pattern is set"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is set"),
        ({"peft_type": "IA3"}, "not a LoRA adapter"),
        ({"r": 0}, "not a LoRA adapter"),
        ({"r": None}, "not an adapter configuration|not a LoRA adapter"),
        ({"trainable_token_indices": [46]}, "3 token rows for 1 token ids"),
    ],
)
def test_what_cannot_be_merged_is_refused(saved: Path, changes: dict[str, Any], words: str) -> None:
    path = saved / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(StageError, match=words):
        load(saved)


def test_unknown_and_missing_tensors_are_refused(saved: Path) -> None:
    path = saved / "adapter_model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "base_model.model.lm_head.weight": np.zeros((2, 2), np.float32)}, path)
    with pytest.raises(StageError, match=r"lm_head\.weight"):
        load(saved)
    save_file({}, path)
    with pytest.raises(StageError, match="the adapter is empty"):
        load(saved)


def test_an_adapter_of_another_shape_is_refused(saved: Path, tiny_base: Path) -> None:
    adapter = load(saved)
    name, (down, up) = next(iter(adapter.factors.items()))
    adapter.factors[name] = (down[:, :64], up)
    with pytest.raises(StageError, match="does not fit"):
        adapter.merged(SafetensorsFile(tiny_base / "model.safetensors"), name)


def test_row_lengths_of_another_shape_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    peft_model(tiny_base, use_dora=True).save_pretrained(tmp_path)
    adapter = load(tmp_path)
    name = next(iter(adapter.lengths))
    adapter.lengths[name] = adapter.lengths[name][:3]
    with pytest.raises(StageError, match="do not fit the base"):
        adapter.merged(SafetensorsFile(tiny_base / "model.safetensors"), name)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{"])
def test_a_broken_configuration_is_a_clear_error(saved: Path, text: str) -> None:
    (saved / "adapter_config.json").write_text(text)
    with pytest.raises(StageError, match=r"adapter_config\.json: not an adapter configuration"):
        load(saved)
