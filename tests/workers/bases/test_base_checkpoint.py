from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma import template
from fgbuild.functiongemma.tokens import CONTROL_TOKENS
from fgbuild.gguf_io import header
from fgbuild.workers import base
from fgbuild.workers.bases import control
from fgbuild.workers.bases.checkpoint import REQUIRED, load
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.protocol import Job, Reporter

ENTRY = {"name": "mine", "kind": "path", "path": "model"}


@pytest.fixture
def checkpoint(tiny_base: Path, tmp_path: Path) -> Path:
    """A local checkpoint: the tiny base without what only an artifact has, and without a template."""
    directory = tmp_path / "model"
    directory.mkdir()
    for name in (*REQUIRED, "tokenizer_config.json"):
        shutil.copyfile(tiny_base / name, directory / name)
    return directory


def _run(root: Path) -> Path:
    output = root / "out"
    output.mkdir()
    base.run(Job("base", "base", None, dict(ENTRY), {}, output, root / "state", root, {}), Reporter("base"))
    return output


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_local_copy_gives_the_same_artifact(checkpoint: Path, tiny_base: Path, tmp_path: Path) -> None:
    output = _run(tmp_path)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer.model", "chat_template.jinja"):
        left, right = (output / name).read_bytes(), (tiny_base / name).read_bytes()
        assert (json.loads(left) == json.loads(right)) if name.endswith("json") else left == right, name
    ours, theirs = (header.read(path / "base_q8_0.gguf") for path in (output, tiny_base))
    for name in theirs.tensors:
        assert ours.tensor_bytes(name) == theirs.tensor_bytes(name)
    for key in ("tokens", "scores", "token_type"):
        left, right = (found.array(f"tokenizer.ggml.{key}").values() for found in (ours, theirs))
        assert left == right
    summary = json.loads((output / "base.json").read_text())
    assert summary["kind"] == "path"
    assert {source["file"] for source in summary["sources"]} >= set(REQUIRED)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_file_is_named_with_its_directory(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    with pytest.raises(BaseModelError, match=f"{checkpoint}: {name} not found"):
        load(ENTRY, checkpoint, "local")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"hidden_size": None}, "hidden_size is None"),
        ({"hidden_size": 96}, r"model\.embed_tokens\.weight is \(\d+, 128\), not"),
        ({"num_hidden_layers": 7, "layer_types": ["sliding_attention"] * 7}, "layer_types"),
        ({"query_pre_attn_scalar": 1}, "query_pre_attn_scalar"),
        ({"rope_scaling": {"factor": 8.0, "rope_type": "linear"}}, "rope_scaling is set"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(checkpoint: Path, changes: dict[str, Any], words: str) -> None:
    _edit(checkpoint / "config.json", **changes)
    with pytest.raises(BaseModelError, match=words):
        load(ENTRY, checkpoint, "local")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer.model"])
def test_damaged_files_are_clear_errors(checkpoint: Path, name: str) -> None:
    (checkpoint / name).write_bytes(b"\xff{")
    with pytest.raises(BaseModelError, match=name):
        load(ENTRY, checkpoint, "local")


def test_its_own_template_is_kept_where_it_agrees(checkpoint: Path, tmp_path: Path) -> None:
    text = "{# their own #}" + template.chat_template(generation_markers=False)
    (checkpoint / "chat_template.jinja").write_text(text)
    output = _run(tmp_path)
    assert (output / "chat_template.jinja").read_text() == text
    assert header.read(output / "base_q8_0.gguf").scalar("tokenizer.chat_template") == text
    assert json.loads((output / "base.json").read_text())["brings_template"] is True


def test_a_template_in_the_tokenizer_configuration_is_found(checkpoint: Path) -> None:
    text = template.chat_template(generation_markers=False)
    _edit(checkpoint / "tokenizer_config.json", chat_template=text)
    assert load(ENTRY, checkpoint, "local").template == text


def test_a_template_that_cannot_declare_tools_is_replaced(checkpoint: Path) -> None:
    (checkpoint / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert load(ENTRY, checkpoint, "local").template == ""


def test_plain_gemma_is_taught_the_control_tokens(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (checkpoint / name).read_text()
        for token_id, piece in CONTROL_TOKENS.items():
            text = text.replace(piece, f"<unused{token_id - 6}>")
        (checkpoint / name).write_text(text)
    monkeypatch.setattr(control, "MEANINGS", dict.fromkeys(CONTROL_TOKENS, ("▁start", "▁end")))
    output = _run(tmp_path)
    pieces = header.read(output / "base_q8_0.gguf").array("tokenizer.ggml.tokens").values()
    assert {index: pieces[index] for index in CONTROL_TOKENS} == CONTROL_TOKENS
    before, after = (
        SafetensorsFile(path / "model.safetensors").float32("model.embed_tokens.weight")
        for path in (checkpoint, output)
    )
    mean = (before[pieces.index("▁start")] + before[pieces.index("▁end")]) / 2
    for index in CONTROL_TOKENS:
        assert np.allclose(after[index], mean, rtol=0.01)
    assert (np.delete(after, list(CONTROL_TOKENS), 0) == np.delete(before, list(CONTROL_TOKENS), 0)).all()


def test_foreign_tokens_at_the_ids_are_refused(checkpoint: Path) -> None:
    text = (checkpoint / "tokenizer.json").read_text().replace("<escape>", "<other>")
    (checkpoint / "tokenizer.json").write_text(text)
    with pytest.raises(BaseModelError, match="46 to 52"):
        load(ENTRY, checkpoint, "local")
