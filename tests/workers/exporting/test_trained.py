"""What each recipe of stage train makes, merged: as peft itself merges it, and in a GGUF like the base's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_sample import export_job
from safetensors.torch import load_file, save_file
from train_sample import Jobs, run

from fgbuild.errors import StageError
from fgbuild.gguf_io import header
from fgbuild.gguf_io.quant import quantize
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers import export
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting import adapter
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training.trainer import PrefixSharedTrainer

MODEL = "clock_functiongemma_q8.gguf"
CONVERTER = """
import json, sys
from pathlib import Path
from fgbuild.gguf_io.metadata import string
from fgbuild.workers.bases.artifact import Meter, write_gguf
from fgbuild.workers.protocol import Reporter
source, out = Path(sys.argv[1]), Path(sys.argv[3])
config = json.loads((source / "config.json").read_text())
meter = Meter(Reporter("x"), 1.0)
write_gguf(out, source / "model.safetensors", config, {"general.architecture": string("gemma3")}, meter)
"""


@pytest.mark.parametrize(
    "lora",
    [
        {},
        {"use_rslora": True},
        {"use_dora": True},
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
        {"init_lora_weights": "olora", "use_rslora": True},
        {"init_lora_weights": "pissa", "use_rslora": True, "use_dora": True},
    ],
)
def test_a_trained_adapter_is_merged_as_peft_merges_the_trained_model(
    make_job: Jobs, tiny_base: Path, monkeypatch: pytest.MonkeyPatch, lora: dict[str, Any]
) -> None:
    merged: dict[str, torch.Tensor] = {}
    real = PrefixSharedTrainer.create_optimizer

    def create_optimizer(self: Any, *args: Any) -> Any:
        merged["model"] = self.model
        return real(self, *args)

    monkeypatch.setattr(PrefixSharedTrainer, "create_optimizer", create_optimizer)
    job = make_job("trained", lora=lora)
    run(job)
    found, base = adapter.load(job.output), SafetensorsFile(tiny_base / "model.safetensors")
    wanted = merged["model"].merge_and_unload().state_dict()
    assert set(found.names) == {name for name in base.entries if "q_proj" in name or "v_proj" in name}
    for name in found.names:
        assert np.allclose(found.merged(base, name), wanted[name].numpy(), rtol=0, atol=1e-5)
        assert not np.allclose(base.float32(name), wanted[name].numpy(), rtol=0, atol=1e-3)
    for token, row in found.token_rows.items():
        assert (row == wanted["model.embed_tokens.weight"][token].numpy()).all()


@pytest.fixture
def full(make_job: Jobs) -> Path:
    job = make_job("full", method="full", learning_rate=1e-3, max_steps=2)
    run(job)
    return job.output


def exported(base: Path, train: Path, root: Path, lora: dict[str, Any] | None = None, **quant: Any) -> Job:
    root.mkdir(exist_ok=True)
    job = export_job(base, train, root, **quant)
    if lora is not None:
        job.manifest["lora"] = lora
    export.run(job, Reporter("clock:export"))
    return job


def test_all_weights_are_stored_as_the_base_stores_them(full: Path, tiny_base: Path, tmp_path: Path) -> None:
    job = exported(tiny_base, full, tmp_path / "full")
    base, tuned = header.read(tiny_base / "base_q8_0.gguf"), header.read(job.output / MODEL)
    trained = load_file(full / "model.safetensors")
    assert [(info.name, info.shape, info.type) for info in base.tensors.values()] == [
        (info.name, info.shape, info.type) for info in tuned.tensors.values()
    ]
    norm = np.frombuffer(tuned.tensor_bytes("blk.0.attn_norm.weight"), np.float32)
    assert (norm == trained["model.layers.0.input_layernorm.weight"].float().numpy() + 1).all()
    for name, stored in (
        ("model.embed_tokens.weight", "token_embd.weight"),
        ("model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight"),
    ):
        wanted = quantize(trained[name].float().numpy(), TensorType.Q8_0)
        assert bytes(tuned.tensor_bytes(stored)) == wanted.tobytes()
        assert bytes(tuned.tensor_bytes(stored)) != bytes(base.tensor_bytes(stored))


def test_all_weights_make_a_file_as_large_as_an_adapter_does(
    full: Path, make_job: Jobs, tiny_base: Path, tmp_path: Path
) -> None:
    lora = make_job("lora", max_steps=2)
    run(lora)
    jobs = [exported(tiny_base, full, tmp_path / "full"), exported(tiny_base, lora.output, tmp_path / "adapter")]
    first, second = (header.read(job.output / MODEL) for job in jobs)
    weights = "fgbuild.train_digest"
    assert first.metadata[weights] != second.metadata[weights]
    assert {**first.metadata, weights: None} == {**second.metadata, weights: None}
    assert first.path.stat().st_size == second.path.stat().st_size


def test_untrained_weights_are_the_bases_file_again(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "model.safetensors").write_bytes((tiny_base / "model.safetensors").read_bytes())
    job = exported(tiny_base, tmp_path / "train", tmp_path / "export")
    base, tuned = header.read(tiny_base / "base_q8_0.gguf"), header.read(job.output / MODEL)
    for name in base.tensors:
        assert base.tensor_bytes(name) == tuned.tensor_bytes(name), name


def test_llama_cpps_converter_gives_the_same_tensors_of_all_weights(
    full: Path, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "convert.py").write_text(CONVERTER)
    ours = exported(tiny_base, full, tmp_path / "ours")
    theirs = exported(tiny_base, full, tmp_path / "other", converter="llama.cpp", converter_path="convert.py")
    first, second = (header.read(job.output / MODEL) for job in (ours, theirs))
    for name in first.tensors:
        assert first.tensor_bytes(name) == second.tensor_bytes(name), name


def test_weights_that_are_not_the_bases_are_refused(full: Path, tiny_base: Path, tmp_path: Path) -> None:
    path = full / "model.safetensors"
    weights = load_file(path)
    norm = weights.pop("model.norm.weight")
    save_file(weights, path)
    with pytest.raises(StageError, match=r"do not both have model\.norm\.weight; train it again"):
        exported(tiny_base, full, tmp_path / "missing")
    save_file({**weights, "model.norm.weight": norm[:8].clone()}, path)
    with pytest.raises(StageError, match=r"model\.norm\.weight does not fit the base's"):
        exported(tiny_base, full, tmp_path / "short")
    save_file({**weights, "model.norm.weight": norm * torch.nan}, path)
    with pytest.raises(StageError, match=r"merging model\.norm\.weight failed"):
        exported(tiny_base, full, tmp_path / "nan")


def card(job: Job) -> str:
    return (job.output / "README.md").read_text("utf-8")


def test_the_card_says_that_all_weights_were_trained(full: Path, tiny_base: Path, tmp_path: Path) -> None:
    text = card(exported(tiny_base, full, tmp_path / "full"))
    assert "- Full fine-tuning: all weights were trained\n" in text
    assert "LoRA" not in text
    assert "| method | full |" in text


@pytest.mark.parametrize(
    ("lora", "line"),
    [
        ({}, "- LoRA: rank 4, alpha 8, on q_proj, v_proj\n"),
        ({"init_lora_weights": "pissa"}, "- LoRA: rank 4, alpha 8, pissa initialisation, on q_proj, v_proj\n"),
        ({"use_rslora": True, "use_dora": True}, "- DoRA: rank-stabilised, rank 4, alpha 8, on q_proj, v_proj\n"),
    ],
)
def test_the_card_names_the_recipe_of_the_manifest(
    make_job: Jobs, tiny_base: Path, tmp_path: Path, lora: dict[str, Any], line: str
) -> None:
    trained = make_job("trained", lora=lora, max_steps=1)
    run(trained)
    assert line in card(exported(tiny_base, trained.output, tmp_path / "export", trained.manifest["lora"]))
