"""GGUF metadata of a tuned model: `general.*` by the GGUF specification, and ours under `fgbuild.*`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from blake3 import blake3

from fgbuild import __version__
from fgbuild.functiongemma.tokens import END_OF_TURN_ID, START_RESPONSE_ID
from fgbuild.gguf_io.metadata import Field, string, strings, uint32
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting.shipped import Shipped

BASENAME = "functiongemma"
ENGLISH = ("docstring", "lint", "sample_data", "test")
"""Generators that word every request in English."""


def metadata(shipped: Shipped, template: str) -> dict[str, Field]:
    """Keys that the tuned GGUF has beside the base's; `template` is the base's chat template."""
    label = gemma.size_label(shipped.base["parameters"])
    tags = [*gemma.TAGS, shipped.domain]
    return {
        **gemma.general_metadata(f"{shipped.domain} FunctionGemma", BASENAME, label, tags),
        **_general(shipped),
        "tokenizer.chat_template": string(template),
        "tokenizer.ggml.eot_token_id": uint32(END_OF_TURN_ID),
        "tokenizer.ggml.eom_token_id": uint32(START_RESPONSE_ID),
        **_own(shipped),
    }


def _general(shipped: Shipped) -> dict[str, Field]:
    """What is known of the model beside its name. A domain has no version of its own: none is written."""
    origin = shipped.origin
    found: dict[str, Field] = {
        "general.finetune": string(shipped.domain),
        "general.base_model.count": uint32(1),
        "general.base_model.0.name": string(origin.name),
        "general.dataset.count": uint32(1),
        "general.dataset.0.name": string(f"{shipped.domain} tool-use conversations"),
        "general.dataset.0.description": string(data_source(shipped.manifest)),
    }
    if shipped.summary:
        found["general.description"] = string(shipped.summary)
    if origin.repo:
        found["general.base_model.0.organization"] = string(origin.organization)
        found["general.base_model.0.repo_url"] = string(origin.url)
    if languages := languages_of(shipped.manifest):
        found["general.languages"] = strings(languages)
    return found


def _own(shipped: Shipped) -> dict[str, Field]:
    """What made the file, by content.

    The stage's action key is not among it: it changes with the code and the libraries of export, and a file that
    comes out the same must be the same file (early cutoff).
    """
    tools = json.dumps(shipped.tools, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "fgbuild.version": string(__version__),
        "fgbuild.domain": string(shipped.domain),
        "fgbuild.summary": string(shipped.summary),
        "fgbuild.base": string(shipped.base["name"]),
        "fgbuild.base_revision": string(shipped.base["revision"]),
        "fgbuild.manifest_digest": string(f"blake3:{manifest_digest(shipped.manifest)}"),
        "fgbuild.train_digest": string(f"sha256:{shipped.weights}"),
        "fgbuild.tools": string(tools),
    }


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """BLAKE3 (hex) of the part of a resolved manifest that export declares (`fields` in `stages/export.py`).

    What only stages above read is in the trained weights: of two manifests that train the same weights, the store
    may have the file of either.
    """
    decided = {name: manifest[name] for name in ("name", "summary", "tool") if name in manifest}
    quant = {name: value for name, value in manifest["quant"].items() if name not in ("min_mb", "max_mb")}
    generator = manifest.get("dataset", {}).get("generator", "none")
    plain = {**decided, "quant": quant, "dataset": {"generator": generator}}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()


def data_source(manifest: Mapping[str, Any]) -> str:
    """One sentence on where the conversations come from."""
    generator = manifest.get("dataset", {}).get("generator", "none")
    if generator == "none":
        return "Conversations of the project's own"
    if generator == "templates":
        return "Conversations from the manifest's templates, and the project's own where it has any"
    return f"Conversations from fgbuild's {generator} scenarios, answered by real tools, and the project's own if any"


def languages_of(manifest: Mapping[str, Any]) -> list[str]:
    """ISO 639-1 codes of the languages that requests are known to be in."""
    return ["en"] if manifest.get("dataset", {}).get("generator") in ENGLISH else []
