"""`general.*` as the GGUF specification and llama.cpp's converter have it; `fgbuild.*` by what decides the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest
from gguf.metadata import Metadata
from shipped_sample import EMBEDDED, place, shipped

from fgbuild.engine.keys import fields
from fgbuild.gguf_io.metadata import Array, Field
from fgbuild.stages import export
from fgbuild.workers.exporting.metadata import manifest_digest, metadata

HUB = {**EMBEDDED, "kind": "hub", "name": "functiongemma", "revision": "google/functiongemma-270m-it@" + "c" * 40}
TINY = {**EMBEDDED, "kind": "tiny", "name": "tiny"}


def plain(found: dict[str, Field]) -> dict[str, Any]:
    return {name: each.values() if isinstance(each, Array) else each.value for name, each in found.items()}


def known() -> set[str]:
    groups = [group for group in vars(gguf.Keys).values() if isinstance(group, type)]
    keys = {value for group in groups for value in vars(group).values() if isinstance(value, str)}
    return {key.replace("{id}", "0") for key in keys}


@pytest.mark.parametrize("base", [EMBEDDED, HUB, TINY], ids=lambda base: base["kind"])
def test_general_keys_are_those_of_the_gguf_library(base: dict[str, Any]) -> None:
    found = plain(metadata(shipped(base), "template"))
    assert {name for name in found if name.startswith("general.")} <= known()
    assert all(value not in ("", []) for name, value in found.items() if name.startswith("general."))


def test_what_a_model_of_the_embedded_base_says() -> None:
    found = plain(metadata(shipped(), "template"))
    wanted = {
        "general.name": "lint FunctionGemma",
        "general.basename": "functiongemma",
        "general.finetune": "lint",
        "general.size_label": "268M",
        "general.description": "Finds lint problems",
        "general.license": "gemma",
        "general.license.link": "https://ai.google.dev/gemma/terms",
        "general.base_model.count": 1,
        "general.base_model.0.name": "Gemma 3 270m",
        "general.base_model.0.organization": "Google",
        "general.base_model.0.repo_url": "https://huggingface.co/google/gemma-3-270m",
        "general.dataset.count": 1,
        "general.dataset.0.name": "lint tool-use conversations",
        "general.languages": ["en"],
        "general.quantization_version": 2,
        "fgbuild.train_digest": "sha256:" + "ab" * 32,
    }
    assert {name: found.get(name) for name in wanted} == wanted
    assert "general.version" not in found


def test_of_a_base_of_ones_own_nothing_is_made_up() -> None:
    found = plain(metadata(shipped(TINY, dataset={"generator": "none"}, summary=""), "template"))
    assert found["general.base_model.0.name"] == "tiny"
    for name in ("base_model.0.organization", "base_model.0.repo_url", "languages", "description"):
        assert f"general.{name}" not in found


@pytest.mark.parametrize("base", [EMBEDDED, HUB], ids=lambda base: base["kind"])
def test_llama_cpps_converter_reads_the_same_from_our_model_card(base: dict[str, Any], tmp_path: Path) -> None:
    """Its own code, which makes metadata of a model card's front matter."""
    from fgbuild.workers.exporting.model_card import model_card

    (tmp_path / "README.md").write_text(model_card(shipped(base), 1), "utf-8")
    card = Metadata.load_model_card(tmp_path)
    theirs = Metadata.apply_metadata_heuristic(Metadata(), card, {}, None, 0)
    ours = plain(metadata(shipped(base), "template"))
    assert theirs.license == ours["general.license"]
    assert theirs.license_link == ours["general.license.link"]
    assert theirs.languages == ours["general.languages"]
    assert theirs.base_models is not None
    assert theirs.base_models[0]["name"] == ours["general.base_model.0.name"]
    assert theirs.base_models[0]["organization"] == ours["general.base_model.0.organization"]
    assert theirs.base_models[0]["repo_url"] == ours["general.base_model.0.repo_url"]


def test_the_manifests_digest_follows_what_export_declares_and_nothing_else() -> None:
    before = shipped().manifest
    unseen = {"lora": {"r": 64}, "eval": {"examples": 3}, "dataset": {"generator": "lint", "count": 9}}
    window = {**before["quant"], "min_mb": 5}
    assert manifest_digest({**before, **unseen, "quant": window}) == manifest_digest(before)
    seen: list[dict[str, Any]] = [
        {"summary": "other"},
        {"tool": before["tool"][:1]},
        {"quant": {**before["quant"], "type": "f16"}},
        {"dataset": {"generator": "none"}},
    ]
    for change in [{}, unseen, *seen]:
        declared = fields({**before, **change}, export.SPEC.fields, export.SPEC.excluded)
        same_key = declared == fields(before, export.SPEC.fields, export.SPEC.excluded)
        assert same_key == (manifest_digest({**before, **change}) == manifest_digest(before)), change


def test_the_same_inputs_give_the_same_documents(tmp_path: Path) -> None:
    first, second = (place(tmp_path / name).parent.parent for name in ("a", "b"))
    for name in ("agent.json", "README.md", "Modelfile"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
