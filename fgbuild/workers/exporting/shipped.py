"""A domain's model and what is known of how it was made: what its metadata and documents are written from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgbuild.functiongemma.tokens import bare_tool
from fgbuild.naming import gguf_name
from fgbuild.workers.digest import sha256
from fgbuild.workers.exporting import tuned
from fgbuild.workers.exporting.lineage import Origin, origin

ADAPTER = "adapter_model.safetensors"


@dataclass(frozen=True)
class Shipped:
    """A domain's model and what is known of how it was made.

    manifest: the resolved manifest. base: base.json. config: the base's config.json.
    adapter: adapter_config.json, {} where all weights were trained. training: train.json, {} where there is none.
    weights: SHA-256 (hex) of what training made. data: the data set's stats.json, {} where there is none.
    """

    domain: str
    manifest: dict[str, Any]
    base: dict[str, Any]
    config: dict[str, Any]
    adapter: dict[str, Any]
    training: dict[str, Any]
    weights: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return gguf_name(self.domain, self.manifest["quant"]["type"])

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools without the OpenAI wrapper."""
        return [dict(bare_tool(tool)) for tool in self.manifest["tool"]]

    @property
    def summary(self) -> str:
        return str(self.manifest.get("summary", ""))

    @property
    def quantization(self) -> str:
        """Type of the large tensors (`q8_0`)."""
        return str(self.manifest["quant"]["type"])

    @property
    def origin(self) -> Origin:
        return origin(self.base)


def load(inputs: dict[str, Path], domain: str, manifest: dict[str, Any]) -> Shipped:
    """Of the artifacts that export reads: base and train, and generate where there is one."""
    base, train = inputs["base"], inputs["train"]
    made = train / tuned.WEIGHTS
    return Shipped(
        domain=domain,
        manifest=manifest,
        base=json.loads((base / "base.json").read_text("utf-8")),
        config=json.loads((base / "config.json").read_text("utf-8")),
        adapter=_if_there(train / "adapter_config.json"),
        training=_if_there(train / "train.json"),
        weights=sha256(made if made.exists() else train / ADAPTER),
        data=_if_there(inputs["generate"] / "stats.json") if "generate" in inputs else {},
    )


def _if_there(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
